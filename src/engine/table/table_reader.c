/* SPDX-License-Identifier: ISC */
/*
 * Blocks and lookups of an open table; see table_reader.h. A lookup in cached
 * blocks allocates nothing and takes no lock: it touches a line of the filter,
 * the index, an atomic counter of the cache, and the block. The value stays in
 * the block, which is pinned.
 */
#include "engine/table/table_reader.h"

#include <stdlib.h>

#include "engine/table/block_reader.h"
#include "engine/table/table_internal.h"
#include "util/compress.h"
#include "util/log.h"

/* Sealed blocks up to this size are read into a buffer on the stack. */
#define STACK_BYTES (16u << 10)

int
table_log_problem(const struct table_reader *t,
    const struct table_problem *problem, int rc)
{
	const char *advice = rc == -EPROTO || rc == -ENOMEM ?
	    "" :
	    rc == -KVFS_ECORRUPT || rc == -KVFS_ECHECKSUM ?
	    ": run kvfsctl check, restore a backup or repair" :
	    ": check the disk";

	log_error("%s: at %llu: %s%s", t->path,
	    (unsigned long long)problem->off, problem->what, advice);
	return rc;
}

/* ---- Reading blocks ---- */

int
table_pread(const struct table_reader *t, void *dst, size_t len, uint64_t off,
    struct table_problem *problemp)
{
	ssize_t n = env_read(t->file, dst, len, off);

	problemp->off = off;
	if (n < 0) {
		problemp->what = strerror((int)-n);
		return (int)n;
	}
	if ((size_t)n != len) {
		problemp->what = "file ends too early";
		return -KVFS_ECORRUPT;
	}
	return 0;
}

int
table_unseal_block(const struct table_reader *t, uint32_t i,
    struct slice sealed, struct table_sealed *sp,
    struct table_problem *problemp)
{
	problemp->off = table_index_off(&t->index, i);
	return table_unseal(sealed, t->number, problemp->off, TABLE_BLOCK_MAX,
	    sp, &problemp->what);
}

int
table_decode_block(const struct table_sealed *s, void *dst,
    struct table_problem *problemp)
{
	int rc = compress_decode(s->codec, s->stored, dst, s->raw_len);

	if (rc == 0)
		rc = block_check(slice_make(dst, s->raw_len));
	if (rc < 0)
		problemp->what = "block has impossible contents";
	return rc;
}

int
table_cache_block(struct table_reader *t, uint32_t i, struct slice sealed,
    enum block_priority priority, struct cached_block **blockp,
    struct table_problem *problemp)
{
	struct table_sealed s;
	void *raw;
	int rc = table_unseal_block(t, i, sealed, &s, problemp);

	*blockp = NULL;
	if (rc < 0)
		return rc;
	raw = block_alloc(s.raw_len);
	if (raw == NULL) {
		problemp->what = "out of memory";
		return -ENOMEM;
	}
	rc = table_decode_block(&s, raw, problemp);
	if (rc < 0) {
		block_free(raw);
		return rc;
	}
	*blockp = block_cache_insert(t->cache, t->number, problemp->off, raw,
	    s.raw_len, priority);
	return 0;
}

int
table_read_block(struct table_reader *t, uint32_t i,
    enum block_priority priority, struct cached_block **blockp)
{
	uint64_t off = table_index_off(&t->index, i);
	size_t len = table_index_len(&t->index, i);
	struct table_problem problem = { "out of memory", off };
	uint8_t stack[STACK_BYTES];
	uint8_t *sealed = len <= sizeof(stack) ? stack : malloc(len);
	int rc = -ENOMEM;

	*blockp = NULL;
	if (sealed != NULL)
		rc = table_pread(t, sealed, len, off, &problem);
	if (rc == 0)
		rc = table_cache_block(t, i, slice_make(sealed, len), priority,
		    blockp, &problem);
	if (sealed != stack)
		free(sealed);
	return rc < 0 ? table_log_problem(t, &problem, rc) : 0;
}

/* ---- Properties ---- */

const struct table_props *
table_reader_props(const struct table_reader *t)
{
	return &t->props;
}

struct slice
table_reader_smallest(const struct table_reader *t)
{
	return buf_slice(&t->smallest);
}

struct slice
table_reader_largest(const struct table_reader *t)
{
	return buf_slice(&t->largest);
}

size_t
table_reader_memory(const struct table_reader *t)
{
	return t->memory;
}

/* ---- Lookup ---- */

static void
release_block(void *pin)
{
	cached_block_release(pin);
}

int
table_reader_get(struct table_reader *t, struct slice user, uint64_t hash,
    uint64_t seq, uint64_t *found_seqp, int *typep, struct kv_value *valuep)
{
	uint64_t trailer = seq << 8 | 0xff;
	struct cached_block *block;
	struct block_entry entry;
	uint32_t i;
	int rc;

	*found_seqp = 0;
	*typep = 0;
	*valuep = (struct kv_value){ 0 };
	if (!bloom_may_contain(&t->bloom, hash))
		return 0;
	i = table_index_find(&t->index, user, trailer);
	if (i == t->index.count)
		return 0;
	block = block_cache_lookup(t->cache, t->number,
	    table_index_off(&t->index, i));
	if (block == NULL) {
		rc = table_read_block(t, i, BLOCK_DATA, &block);
		if (rc < 0)
			return rc;
	}
	if (!block_find(cached_block_data(block), user, trailer, &entry)) {
		cached_block_release(block);
		return 0;
	}
	*found_seqp = entry.trailer >> 8;
	*typep = (int)(entry.trailer & 0xff);
	if (entry.value.len == 0) {
		cached_block_release(block);
		return 1;
	}
	*valuep = (struct kv_value){ entry.value, release_block, block };
	return 1;
}
