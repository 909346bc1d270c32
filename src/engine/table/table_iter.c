/* SPDX-License-Identifier: ISC */
/*
 * Iterator over one table. It is in one data block at a time: a pinned block of
 * the cache, or, for compaction, one in its own memory. Read-ahead begins at
 * once for compaction, else after two blocks in a row: 8 KiB first, then twice
 * as much each time, up to 256 KiB.
 * Threading: one thread.
 */
#include <stdlib.h>

#include "engine/table/block_reader.h"
#include "engine/table/table_internal.h"

#define READAHEAD_MIN (8u << 10)
#define READAHEAD_MAX (256u << 10)
/* Read-ahead begins after so many blocks in a row. */
#define SEQUENTIAL_BLOCKS 2

struct table_iter {
	struct iter base;
	struct table_reader *t;
	bool fill_cache;
	uint32_t block; /* of the cursor; NO_BLOCK: none */
	struct slice raw; /* contents of the block */
	struct cached_block *pinned; /* the block of the cache with raw, or
	                                NULL */
	struct block_cursor cursor;

	/* Sealed bytes [ahead_off, ahead_off + ahead_len) of the file. */
	uint8_t *ahead;
	size_t ahead_cap, ahead_len;
	uint64_t ahead_off;
	size_t ahead_next; /* size of the next read-ahead */
	uint32_t sequential; /* blocks read in a row */

	void *scratch; /* an uncompressed block that is not in the cache */
	size_t scratch_cap;
};

#define NO_BLOCK UINT32_MAX

static void
leave_block(struct table_iter *ti)
{
	if (ti->pinned != NULL)
		cached_block_release(ti->pinned);
	ti->pinned = NULL;
	ti->block = NO_BLOCK;
}

/* Make the cursor's entry the current one. */
static void
table_iter_show(struct table_iter *ti)
{
	ti->base.valid = ti->cursor.valid;
	ti->base.key = slice_make(ti->cursor.key, ti->cursor.key_len);
	ti->base.value = ti->cursor.value;
}

static void
table_iter_fail(struct table_iter *ti, int rc)
{
	leave_block(ti);
	ti->base.valid = false;
	ti->base.status = rc;
}

static bool
has_ahead(const struct table_iter *ti, uint64_t off, size_t len)
{
	return off >= ti->ahead_off && off - ti->ahead_off <= ti->ahead_len &&
	    ti->ahead_len - (size_t)(off - ti->ahead_off) >= len;
}

/* Read at least the block at off, and ahead of it. */
static int
read_ahead(struct table_iter *ti, uint64_t off, size_t len,
    struct table_problem *problemp)
{
	const struct table_index *x = &ti->t->index;
	uint64_t data_left = x->offs[x->count] - off;
	size_t want = ti->ahead_next > len ? ti->ahead_next : len;
	int rc;

	if (want > data_left)
		want = (size_t)data_left;
	ti->ahead_len = 0;
	if (ti->ahead_cap < want) {
		free(ti->ahead);
		ti->ahead_cap = 0;
		ti->ahead = malloc(want);
		if (ti->ahead == NULL) {
			*problemp = (struct table_problem){ "out of memory",
				off };
			return -ENOMEM;
		}
		ti->ahead_cap = want;
	}
	rc = table_pread(ti->t, ti->ahead, want, off, problemp);
	if (rc < 0)
		return rc;
	ti->ahead_off = off;
	ti->ahead_len = want;
	if (ti->ahead_next < READAHEAD_MAX)
		ti->ahead_next *= 2;
	else if (want < data_left) /* ask the kernel for the next bytes
	                              meanwhile */
		env_advise(ti->t->file, off + want,
		    data_left - want < READAHEAD_MAX ? data_left - want :
						       READAHEAD_MAX,
		    ENV_ADVICE_WILLNEED);
	return 0;
}

/* Set raw to block i, from the bytes read ahead. */
static int
load_ahead(struct table_iter *ti, uint32_t i, struct table_problem *problemp)
{
	const struct table_index *x = &ti->t->index;
	uint64_t off = table_index_off(x, i);
	size_t len = table_index_len(x, i);
	struct table_sealed s;
	struct slice sealed;
	int rc;

	if (!has_ahead(ti, off, len)) {
		rc = read_ahead(ti, off, len, problemp);
		if (rc < 0)
			return rc;
	}
	sealed = slice_make(ti->ahead + (off - ti->ahead_off), len);
	if (ti->fill_cache) {
		rc = table_cache_block(ti->t, i, sealed, BLOCK_SCAN,
		    &ti->pinned, problemp);
		if (rc == 0)
			ti->raw = cached_block_data(ti->pinned);
		return rc;
	}
	rc = table_unseal_block(ti->t, i, sealed, &s, problemp);
	if (rc < 0)
		return rc;
	if (ti->scratch_cap < s.raw_len) {
		free(ti->scratch);
		ti->scratch_cap = 0;
		ti->scratch = malloc(s.raw_len);
		if (ti->scratch == NULL) {
			problemp->what = "out of memory";
			return -ENOMEM;
		}
		ti->scratch_cap = s.raw_len;
	}
	ti->raw = slice_make(ti->scratch, s.raw_len);
	return table_decode_block(&s, ti->scratch, problemp);
}

/* Make block i the current one; the cursor is not set. False on failure. */
static bool
enter_block(struct table_iter *ti, uint32_t i)
{
	struct table_problem problem;
	bool is_next = ti->block != NO_BLOCK && i == ti->block + 1;
	int rc;

	if (i == ti->block)
		return true;
	leave_block(ti);
	if (is_next)
		ti->sequential++;
	else {
		ti->sequential = 1;
		if (ti->fill_cache)
			ti->ahead_next = READAHEAD_MIN;
	}
	if (ti->fill_cache) {
		ti->pinned = block_cache_lookup(ti->t->cache, ti->t->number,
		    table_index_off(&ti->t->index, i));
		if (ti->pinned != NULL) {
			ti->raw = cached_block_data(ti->pinned);
			ti->block = i;
			return true;
		}
	}
	if (ti->fill_cache && ti->sequential <= SEQUENTIAL_BLOCKS) {
		rc = table_read_block(ti->t, i, BLOCK_SCAN, &ti->pinned);
		if (rc == 0)
			ti->raw = cached_block_data(ti->pinned);
	} else {
		rc = load_ahead(ti, i, &problem);
		if (rc < 0)
			table_log_problem(ti->t, &problem, rc);
	}
	if (rc < 0) {
		table_iter_fail(ti, rc);
		return false;
	}
	ti->block = i;
	return true;
}

static void
enter_first_of(struct table_iter *ti, uint32_t i)
{
	ti->base.valid = false;
	if (i >= ti->t->index.count) {
		leave_block(ti);
		return;
	}
	if (!enter_block(ti, i))
		return;
	block_cursor_first(&ti->cursor, ti->raw);
	table_iter_show(ti);
}

static void
table_iter_seek(struct iter *it, struct slice ikey)
{
	struct table_iter *ti = (struct table_iter *)it;
	uint32_t i;

	it->valid = false;
	if (it->status < 0)
		return;
	i = table_index_find(&ti->t->index, key_user(ikey), key_trailer(ikey));
	if (i == ti->t->index.count) {
		leave_block(ti);
		return;
	}
	if (!enter_block(ti, i))
		return;
	block_cursor_seek(&ti->cursor, ti->raw, ikey);
	if (ti->cursor.valid)
		table_iter_show(ti);
	else /* between the last key of the block and its separator */
		enter_first_of(ti, i + 1);
}

static void
table_iter_seek_first(struct iter *it)
{
	if (it->status < 0)
		return;
	enter_first_of((struct table_iter *)it, 0);
}

static void
table_iter_next(struct iter *it)
{
	struct table_iter *ti = (struct table_iter *)it;

	block_cursor_next(&ti->cursor);
	if (ti->cursor.valid)
		table_iter_show(ti);
	else
		enter_first_of(ti, ti->block + 1);
}

static void
table_iter_close(struct iter *it)
{
	struct table_iter *ti = (struct table_iter *)it;

	leave_block(ti);
	free(ti->ahead);
	free(ti->scratch);
	free(ti);
}

static const struct iter_ops table_iter_ops = {
	.seek = table_iter_seek,
	.seek_first = table_iter_seek_first,
	.next = table_iter_next,
	.close = table_iter_close,
};

struct iter *
table_reader_iter(struct table_reader *t, bool fill_cache)
{
	struct table_iter *ti = malloc(sizeof(*ti));

	if (ti == NULL)
		return NULL;
	/* The cursor's key buffer need not be cleared. */
	memset(ti, 0, offsetof(struct table_iter, cursor));
	memset(&ti->ahead, 0, sizeof(*ti) - offsetof(struct table_iter, ahead));
	ti->base.ops = &table_iter_ops;
	ti->t = t;
	ti->fill_cache = fill_cache;
	ti->block = NO_BLOCK;
	ti->ahead_next = fill_cache ? READAHEAD_MIN : READAHEAD_MAX;
	return &ti->base;
}
