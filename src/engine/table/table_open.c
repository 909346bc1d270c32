/* SPDX-License-Identifier: ISC */
/*
 * Opens and closes a table: reads footer, index, properties and filter from
 * untrusted bytes. Memory is bounded by the length of the file; the separators
 * of the index take a bounded multiple of it.
 */
#include <stdlib.h>

#include "engine/table/table_internal.h"
#include "util/compress.h"
#include "util/log.h"

/* Lengths of sealed meta blocks are bounded by the file's length. */
#define META_MAX UINT32_MAX

/* Read the sealed bytes [off, end) into memory that is aligned for the
 * filter. */
static int
read_meta(const struct table_reader *t, uint64_t off, uint64_t end, void **memp,
    struct table_sealed *sealedp, struct table_problem *problemp)
{
	size_t len = (size_t)(end - off);
	void *mem;
	int rc;

	*problemp = (struct table_problem){ "out of memory", off };
	mem = aligned_alloc(BLOOM_LINE_BYTES,
	    (len + BLOOM_LINE_BYTES) & ~(size_t)(BLOOM_LINE_BYTES - 1));
	*memp = mem;
	if (mem == NULL)
		return -ENOMEM;
	rc = table_pread(t, mem, len, off, problemp);
	if (rc < 0)
		return rc;
	return table_unseal(slice_make(mem, len), t->number, off, META_MAX,
	    sealedp, &problemp->what);
}

/* A table with a damaged filter is used without it: slower, but correct. */
static int
load_filter(struct table_reader *t, const struct table_footer *f,
    struct table_problem *problemp)
{
	struct table_sealed s;
	int rc;

	if (f->filter_off == f->index_off)
		return 0;
	rc = read_meta(t, f->filter_off, f->index_off, &t->filter, &s,
	    problemp);
	if (rc == 0) {
		problemp->what = "filter has impossible contents";
		rc = s.codec == CODEC_NONE && s.raw_len == s.stored.len ?
		    bloom_open(s.stored, &t->bloom) :
		    -KVFS_ECORRUPT;
	}
	if (rc == -KVFS_ECORRUPT || rc == -KVFS_ECHECKSUM) {
		free(t->filter);
		t->filter = NULL;
		t->is_filter_damaged = true;
		rc = 0;
	}
	if (t->bloom.count != 0)
		t->memory += (size_t)t->bloom.count * BLOOM_LINE_BYTES;
	return rc;
}

static int
load_index(struct table_reader *t, const struct table_footer *f,
    struct table_problem *problemp)
{
	struct table_sealed s;
	void *mem, *raw_mem = NULL;
	int rc = read_meta(t, f->index_off, f->props_off, &mem, &s, problemp);

	if (rc < 0)
		goto done;
	problemp->what = "out of memory";
	rc = -ENOMEM;
	raw_mem = malloc((size_t)s.raw_len + 1);
	if (raw_mem == NULL)
		goto done;
	rc = compress_decode(s.codec, s.stored, raw_mem, s.raw_len);
	if (rc == 0)
		rc = table_index_open(slice_make(raw_mem, s.raw_len),
		    f->filter_off, &t->index);
	if (rc == -KVFS_ECORRUPT)
		problemp->what = "index has impossible contents";
	t->memory += t->index.memory;
done:
	free(mem);
	free(raw_mem);
	return rc;
}

static int
load_props(struct table_reader *t, const struct table_footer *f,
    struct table_problem *problemp)
{
	struct table_bounds bounds = { 0 };
	struct table_sealed s;
	void *mem;
	int rc = read_meta(t, f->props_off, f->footer_off, &mem, &s, problemp);

	if (rc < 0)
		goto done;
	problemp->what = "properties have impossible contents";
	rc = -KVFS_ECORRUPT;
	if (s.codec != CODEC_NONE || s.raw_len != s.stored.len)
		goto done;
	rc = table_props_decode(s.stored, &t->props, &bounds);
	if (rc == 0 &&
	    (bounds.blocks != t->index.count ||
		(bounds.blocks == 0) != (t->props.entries == 0)))
		rc = -KVFS_ECORRUPT;
	if (rc < 0)
		goto done;
	t->props.file_bytes = f->footer_off + TABLE_FOOTER_LEN;
	buf_append_slice(&t->smallest, bounds.smallest);
	buf_append_slice(&t->largest, bounds.largest);
	if (buf_error(&t->smallest) != 0 || buf_error(&t->largest) != 0) {
		problemp->what = "out of memory";
		rc = -ENOMEM;
	}
done:
	free(mem);
	return rc;
}

int
table_load(struct table_reader *t, struct table_problem *problemp)
{
	uint8_t footer[TABLE_FOOTER_LEN];
	struct table_footer f;
	uint64_t size = 0;
	int rc = env_size(t->file, &size);

	*problemp = (struct table_problem){ 0 };
	if (rc < 0) {
		problemp->what = strerror(-rc);
		return rc;
	}
	if (size < TABLE_FOOTER_LEN) {
		problemp->what = "file is too short for a table";
		return -KVFS_ECORRUPT;
	}
	rc = table_pread(t, footer, sizeof(footer), size - sizeof(footer),
	    problemp);
	if (rc == 0)
		rc = table_footer_decode(footer, t->number, size, &f,
		    &problemp->what);
	if (rc == 0)
		rc = load_index(t, &f, problemp);
	if (rc == 0)
		rc = load_props(t, &f, problemp);
	if (rc == 0)
		rc = load_filter(t, &f, problemp);
	return rc;
}

void
table_unload(struct table_reader *t)
{
	table_index_close(&t->index);
	free(t->filter);
	t->filter = NULL;
	t->bloom = (struct bloom){ 0 };
	buf_fini(&t->smallest);
	buf_fini(&t->largest);
	t->memory = 0;
}

int
table_reader_open(struct env_file *file, const char *path, uint64_t file_number,
    struct block_cache *cache, struct table_reader **readerp)
{
	struct table_reader *t = calloc(1, sizeof(*t));
	struct table_problem problem;
	int rc;

	*readerp = NULL;
	if (t == NULL) {
		env_close(file);
		return -ENOMEM;
	}
	t->file = file;
	t->number = file_number;
	rc = -ENOMEM;
	t->path = strdup(path);
	if (t->path == NULL)
		goto fail;
	rc = table_load(t, &problem);
	if (rc < 0) {
		table_log_problem(t, &problem, rc);
		goto fail;
	}
	if (t->is_filter_damaged)
		log_warn("%s: at %llu: filter is damaged: %s: reading without "
			 "it, slower; compaction will replace it",
		    path, (unsigned long long)problem.off, problem.what);
	t->cache = cache;
	block_cache_reserve(cache, t->memory);
	*readerp = t;
	return 0;
fail:
	table_reader_close(t);
	return rc;
}

void
table_reader_close(struct table_reader *t)
{
	if (t == NULL)
		return;
	if (t->cache != NULL)
		block_cache_unreserve(t->cache, t->memory);
	table_unload(t);
	env_close(t->file);
	free(t->path);
	free(t);
}
