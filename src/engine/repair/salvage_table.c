/* SPDX-License-Identifier: ISC */
/*
 * Reads a table of which any part may be damaged: finds its blocks by the
 * index, or by their seals, and iterates over those that are valid.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/table/block_reader.h"
#include "engine/repair/salvage.h"
#include "engine/table/table_internal.h"
#include "util/log.h"

struct damaged_range {
	uint64_t off, end;
	const char *what; /* NULL: none */
};

/* Memory for a block; it grows as needed. */
struct scratch {
	uint8_t *data;
	size_t cap;
};

struct table_salvage {
	struct iter base;
	struct env_file *file;
	char *path;
	uint64_t number, size;
	salvage_damage_fn fn;
	void *arg;
	struct salvage_blocks blocks;
	const char *index_problem; /* what is wrong with the index; NULL:
	                              nothing */
	struct buf smallest, largest; /* internal keys, or empty */

	/* of the iterator */
	size_t next_block;
	bool is_quiet;
	struct scratch sealed, raw; /* the block as stored, and uncompressed */
	struct block_cursor cursor;
	struct buf last; /* the last key returned, or empty */
	struct damaged_range bad; /* damage that is not reported yet */
};

/* ---- Damage ---- */

/* Report the pending damage. The keys lost with it lie below before. */
static void
report_pending(struct table_salvage *t, struct slice before)
{
	struct salvage_damage d = { t->bad.off, t->bad.end - t->bad.off,
		t->bad.what, buf_slice(&t->last), before };

	if (d.what == NULL)
		return;
	t->bad.what = NULL;
	if (!t->is_quiet)
		t->fn(t->arg, &d);
}

/* Adjacent damaged ranges are reported as one. */
static void
note_bad(struct table_salvage *t, uint64_t off, uint64_t end, const char *what)
{
	if (t->bad.what == NULL) {
		t->bad.what = what;
		t->bad.off = off;
	}
	t->bad.end = end;
}

/* ---- One block ---- */

static bool
make_room(struct scratch *s, size_t want)
{
	if (s->cap >= want)
		return true;
	free(s->data);
	s->data = malloc(want);
	s->cap = s->data != NULL ? want : 0;
	return s->data != NULL;
}

/* Set the cursor to the first entry of a block. Returns 1; 0 and what is wrong
 * with the block; or -ENOMEM. */
static int
load_block(struct table_salvage *t, const struct salvage_block *b,
    const char **whatp)
{
	struct table_problem problem = { NULL, b->off };
	struct table_sealed s;
	int rc;

	if (!make_room(&t->sealed, b->len))
		return -ENOMEM;
	*whatp = "the disk cannot read it, or the file ends";
	if (env_read(t->file, t->sealed.data, b->len, b->off) !=
	    (ssize_t)b->len)
		return 0;
	rc = table_unseal(slice_make(t->sealed.data, b->len), t->number, b->off,
	    TABLE_BLOCK_MAX, &s, whatp);
	if (rc < 0)
		return 0;
	if (!make_room(&t->raw, s.raw_len + 1))
		return -ENOMEM;
	rc = table_decode_block(&s, t->raw.data, &problem);
	*whatp = problem.what;
	if (rc < 0)
		return rc == -ENOMEM ? rc : 0;
	block_cursor_first(&t->cursor, slice_make(t->raw.data, s.raw_len));
	*whatp = "block is empty";
	return t->cursor.valid;
}

/* ---- The iterator ---- */

static struct slice
cursor_key(const struct table_salvage *t)
{
	return slice_make(t->cursor.key, t->cursor.key_len);
}

static void
salvage_stop(struct table_salvage *t, int rc)
{
	t->base.valid = false;
	t->base.status = rc;
}

/* Make the cursor's entry the current one, if it sorts behind the last one. */
static bool
salvage_show(struct table_salvage *t)
{
	struct slice key = cursor_key(t);

	if (t->last.len != 0 && key_cmp(buf_slice(&t->last), key) >= 0)
		return false;
	report_pending(t, key);
	buf_clear(&t->last);
	buf_append_slice(&t->last, key);
	if (buf_error(&t->last) != 0) {
		salvage_stop(t, -ENOMEM);
		return true;
	}
	t->base.valid = true;
	t->base.key = key;
	t->base.value = t->cursor.value;
	return true;
}

/* Note a damaged range between two blocks, or behind the last one. */
static void
check_gap(struct table_salvage *t)
{
	const struct salvage_blocks *b = &t->blocks;
	uint64_t from = 0, to;

	if (t->index_problem == NULL)
		return;
	if (t->next_block > 0)
		from = b->v[t->next_block - 1].off +
		    b->v[t->next_block - 1].len;
	if (t->next_block < b->count)
		to = b->v[t->next_block].off;
	else
		to = b->is_whole ? from : t->size;
	/* At the end this is the place of the index. Without an index nobody
	 * knows whether there were data, too. */
	if (to > from || (t->next_block == b->count && !b->is_whole))
		note_bad(t, from, to, t->index_problem);
}

static void
enter_next_block(struct table_salvage *t)
{
	const char *what = NULL;
	int rc;

	t->base.valid = false;
	for (;;) {
		const struct salvage_block *b;

		check_gap(t);
		if (t->next_block == t->blocks.count) {
			report_pending(t, (struct slice){ 0 });
			return;
		}
		b = &t->blocks.v[t->next_block++];
		rc = load_block(t, b, &what);
		if (rc == 1 && salvage_show(t))
			return;
		if (rc < 0) {
			salvage_stop(t, rc);
			return;
		}
		note_bad(t, b->off, b->off + b->len,
		    rc == 1 ? "keys out of order" : what);
	}
}

static void
salvage_seek_first(struct iter *it)
{
	struct table_salvage *t = (struct table_salvage *)it;

	if (it->status < 0)
		return;
	t->next_block = 0;
	t->bad.what = NULL;
	buf_clear(&t->last);
	enter_next_block(t);
}

static void
salvage_next(struct iter *it)
{
	struct table_salvage *t = (struct table_salvage *)it;

	block_cursor_next(&t->cursor);
	if (t->cursor.valid && salvage_show(t))
		return;
	if (t->cursor.valid) {
		const struct salvage_block *b = &t->blocks.v[t->next_block - 1];

		note_bad(t, b->off, b->off + b->len, "keys out of order");
	}
	enter_next_block(t);
}

static void
salvage_seek(struct iter *it, struct slice ikey)
{
	salvage_seek_first(it);
	while (it->valid && key_cmp(it->key, ikey) < 0)
		salvage_next(it);
}

static void
salvage_close(struct iter *it)
{
	table_salvage_close((struct table_salvage *)it);
}

static const struct iter_ops salvage_iter_ops = {
	.seek = salvage_seek,
	.seek_first = salvage_seek_first,
	.next = salvage_next,
	.close = salvage_close,
};

struct iter *
table_salvage_iter(struct table_salvage *t)
{
	t->base.ops = &salvage_iter_ops;
	t->is_quiet = false;
	return &t->base;
}

/* Find the bounds by reading blocks; with hop only the first and the last one.
 * False: the last one turned out to be unreadable. */
static bool
walk_bounds(struct table_salvage *t, bool hop)
{
	struct iter *it = &t->base;

	buf_clear(&t->smallest);
	buf_clear(&t->largest);
	for (iter_seek_first(it); it->valid; iter_next(it)) {
		if (t->smallest.len == 0)
			buf_append_slice(&t->smallest, it->key);
		if (hop && t->next_block < t->blocks.count) {
			t->next_block = t->blocks.count - 1;
			enter_next_block(t);
			if (!it->valid)
				return false;
		}
		buf_clear(&t->largest);
		buf_append_slice(&t->largest, it->key);
	}
	return true;
}

int
table_salvage_bounds(struct table_salvage *t, struct slice *smallestp,
    struct slice *largestp, bool *is_guessp)
{
	*smallestp = *largestp = (struct slice){ 0 };
	*is_guessp = t->index_problem != NULL;
	if (t->index_problem != NULL) {
		(void)table_salvage_iter(t);
		t->is_quiet = true;
		if (!walk_bounds(t, true) && t->base.status == 0)
			(void)walk_bounds(t, false);
	}
	if (t->base.status < 0)
		return t->base.status;
	if (buf_error(&t->smallest) != 0 || buf_error(&t->largest) != 0)
		return -ENOMEM;
	if (t->smallest.len == 0)
		return 0;
	*smallestp = key_user(buf_slice(&t->smallest));
	*largestp = key_user(buf_slice(&t->largest));
	return 1;
}

/* ---- Opening ---- */

/* Find the blocks by the index. Returns 1, 0 if there is none, or an error. */
static int
load_index(struct table_salvage *t)
{
	struct table_reader meta = { .file = t->file,
		.path = t->path,
		.number = t->number };
	struct table_problem problem = { 0 };
	int rc = table_load(&meta, &problem);

	if (rc == -ENOMEM || rc == -EPROTO) {
		table_log_problem(&meta, &problem, rc);
	} else if (rc < 0) {
		t->index_problem = problem.what;
		rc = 0;
	} else {
		for (uint32_t i = 0; i < meta.index.count && rc == 0; i++)
			rc = salvage_blocks_add(&t->blocks,
			    table_index_off(&meta.index, i),
			    table_index_len(&meta.index, i));
		t->blocks.is_whole = true;
		buf_append_slice(&t->smallest, buf_slice(&meta.smallest));
		buf_append_slice(&t->largest, buf_slice(&meta.largest));
		rc = rc < 0 ? rc : 1;
	}
	table_unload(&meta);
	return rc;
}

int
table_salvage_open(struct env_file *file, const char *path, uint64_t number,
    salvage_damage_fn fn, void *arg, struct table_salvage **tp)
{
	struct table_salvage *t = calloc(1, sizeof(*t));
	int rc = -ENOMEM;

	*tp = NULL;
	if (t == NULL) {
		env_close(file);
		return rc;
	}
	t->file = file;
	t->number = number;
	t->fn = fn;
	t->arg = arg;
	t->path = strdup(path);
	if (t->path == NULL)
		goto fail;
	rc = load_index(t);
	if (rc == 0) {
		(void)env_size(file, &t->size);
		rc = salvage_scan(file, number, t->size, &t->blocks);
	}
	if (rc < 0)
		goto fail;
	*tp = t;
	return 0;
fail:
	table_salvage_close(t);
	return rc;
}

void
table_salvage_close(struct table_salvage *t)
{
	if (t == NULL)
		return;
	env_close(t->file);
	free(t->path);
	free(t->blocks.v);
	free(t->sealed.data);
	free(t->raw.data);
	buf_fini(&t->last);
	buf_fini(&t->smallest);
	buf_fini(&t->largest);
	free(t);
}
