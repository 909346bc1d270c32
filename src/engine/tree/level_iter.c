/* SPDX-License-Identifier: ISC */
/* Iterates over the tables of a level; see level_iter.h. */
#include "engine/tree/level_iter.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/tree/version.h"

struct level_iter {
	struct iter it;
	struct table_cache *tables;
	struct table_file *const *files;
	size_t count;
	size_t at; /* index of the table that inner reads; count: none */
	bool fill_cache;
	struct table_handle *handle;
	struct iter *inner;
};

static void
close_inner(struct level_iter *li)
{
	iter_close(li->inner);
	li->inner = NULL;
	if (li->handle != NULL)
		table_handle_release(li->handle);
	li->handle = NULL;
}

static void
level_iter_fail(struct level_iter *li, int rc)
{
	li->it.status = rc;
	li->it.valid = false;
}

/* Open table i and move to its first entry. False at the end of the level, or
 * on an error. */
static bool
open_table(struct level_iter *li, size_t i)
{
	struct table_reader *t;
	int rc;

	if (li->inner != NULL && li->at == i)
		return true;
	close_inner(li);
	li->at = i;
	if (i >= li->count) {
		li->it.valid = false;
		return false;
	}
	rc = table_cache_table(li->tables, li->files[i]->number, &li->handle,
	    &t);
	if (rc < 0) {
		li->handle = NULL;
		level_iter_fail(li, rc);
		return false;
	}
	li->inner = table_reader_iter(t, li->fill_cache);
	if (li->inner == NULL) {
		level_iter_fail(li, -ENOMEM);
		return false;
	}
	return true;
}

/* Make inner's entry the current one; while inner is at its end, go to the next
 * table. */
static void
level_iter_settle(struct level_iter *li)
{
	while (!li->inner->valid) {
		if (li->inner->status < 0) {
			level_iter_fail(li, li->inner->status);
			return;
		}
		if (!open_table(li, li->at + 1))
			return;
		iter_seek_first(li->inner);
	}
	li->it.valid = true;
	li->it.key = li->inner->key;
	li->it.value = li->inner->value;
}

static void
level_iter_seek(struct iter *it, struct slice ikey)
{
	struct level_iter *li = (struct level_iter *)it;
	struct level l = { .files = (struct table_file **)li->files,
		.count = li->count };

	if (it->status < 0)
		return;
	if (!open_table(li, level_lower_bound(&l, key_user(ikey))))
		return;
	iter_seek(li->inner, ikey);
	level_iter_settle(li);
}

static void
level_iter_seek_first(struct iter *it)
{
	struct level_iter *li = (struct level_iter *)it;

	if (it->status < 0 || !open_table(li, 0))
		return;
	iter_seek_first(li->inner);
	level_iter_settle(li);
}

static void
level_iter_next(struct iter *it)
{
	struct level_iter *li = (struct level_iter *)it;

	iter_next(li->inner);
	level_iter_settle(li);
}

static void
level_iter_close(struct iter *it)
{
	struct level_iter *li = (struct level_iter *)it;

	close_inner(li);
	free(li);
}

static const struct iter_ops level_iter_ops = {
	.seek = level_iter_seek,
	.seek_first = level_iter_seek_first,
	.next = level_iter_next,
	.close = level_iter_close,
};

struct iter *
level_iter_create(struct table_cache *tables, struct table_file *const *files,
    size_t count, bool fill_cache)
{
	struct level_iter *li = calloc(1, sizeof(*li));

	if (li == NULL)
		return NULL;
	*li = (struct level_iter){
		.it.ops = &level_iter_ops,
		.tables = tables,
		.files = files,
		.count = count,
		.at = count,
		.fill_cache = fill_cache,
	};
	return &li->it;
}
