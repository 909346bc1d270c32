/* SPDX-License-Identifier: ISC */
/*
 * Makes the tables of a damaged store sources of the merge. Tables that do not
 * overlap form a run: one source, which has one of them open at a time. Runs
 * are like the levels of a tree, and need no manifest.
 */
#include "engine/repair/repair_tables.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/key/iter.h"
#include "engine/key/key.h"
#include "engine/repair/repair_job.h"
#include "engine/repair/salvage.h"
#include "engine/tree/version.h"
#include "util/log.h"

/* ---- Which tables belong to the store ---- */

static int
copy_key(struct slice *dst, struct slice src, bool is_last)
{
	/* One more byte makes the last key an exclusive limit. */
	uint8_t *p = calloc(1, src.len + 1);

	if (p == NULL)
		return -ENOMEM;
	if (src.len != 0)
		memcpy(p, src.data, src.len);
	*dst = slice_make(p, src.len + is_last);
	return 0;
}

static int
add_table(struct repair *r, uint64_t number, struct slice smallest,
    struct slice limit, bool is_last)
{
	struct repair_table *t;

	if (r->tables.count == r->tables.cap) {
		size_t cap = r->tables.cap != 0 ? r->tables.cap * 2 : 64;

		t = realloc(r->tables.v, cap * sizeof(*t));
		if (t == NULL)
			return -ENOMEM;
		r->tables.v = t;
		r->tables.cap = cap;
	}
	t = &r->tables.v[r->tables.count++];
	*t = (struct repair_table){ .number = number };
	if (copy_key(&t->smallest, smallest, false) < 0 ||
	    copy_key(&t->limit, limit, is_last) < 0)
		return -ENOMEM;
	return 0;
}

static void
ignore_damage(void *arg, const struct salvage_damage *d)
{
	(void)arg;
	(void)d;
}

static void
report_unreadable(struct repair *r, const char *path, int rc)
{
	repair_lost(&r->report, "%s: nothing in it can be read: %s", path,
	    strerror(-rc));
}

/* Add a table whose keys no manifest tells: read them from the table itself. */
static int
add_unknown(struct repair *r, uint64_t number)
{
	struct slice smallest, largest;
	struct table_salvage *t;
	struct env_file *file;
	char path[PATH_MAX];
	bool is_guess;
	int rc = store_file_open(r->from, FILE_TABLE, number, ENV_READ, &file);

	filename_path(path, r->dir, FILE_TABLE, number);
	if (rc < 0) {
		report_unreadable(r, path, rc);
		return 0;
	}
	rc = table_salvage_open(file, path, number, ignore_damage, NULL, &t);
	if (rc < 0)
		return rc;
	rc = table_salvage_bounds(t, &smallest, &largest, &is_guess);
	if (rc == 1) {
		rc = add_table(r, number, smallest, largest, true);
		if (rc == 0)
			r->tables.v[r->tables.count - 1].is_guess = is_guess;
	} else if (rc == 0) {
		report_unreadable(r, path, -KVFS_ECORRUPT);
	}
	table_salvage_close(t);
	return rc;
}

static int
add_named(struct repair *r)
{
	int rc = 0;

	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &r->manifest.version->levels[i];

		for (size_t j = 0; j < l->count && rc == 0; j++) {
			const struct table_file *f = l->files[j];

			if (number_list_has(&r->files.kinds[FILE_TABLE],
				f->number))
				rc = add_table(r, f->number, f->smallest,
				    f->limit, false);
		}
	}
	return rc;
}

static bool
is_named(const struct repair *r, uint64_t number)
{
	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &r->manifest.version->levels[i];

		for (size_t j = 0; j < l->count; j++)
			if (l->files[j]->number == number)
				return true;
	}
	return false;
}

static bool
was_removed(const struct repair *r, uint64_t number)
{
	for (size_t i = 0; i < r->manifest.removed.count; i++)
		if (r->manifest.removed.v[i] == number)
			return true;
	return false;
}

static int
add_others(struct repair *r)
{
	const struct number_list *l = &r->files.kinds[FILE_TABLE];
	int rc = 0;

	for (size_t i = 0; i < l->count && rc == 0; i++) {
		if (is_named(r, l->v[i]) || was_removed(r, l->v[i]))
			continue;
		if (r->manifest.is_whole)
			repair_note(&r->report,
			    "%s/%06llu.sst: the manifest does not name it; "
			    "used, since something that it names is lost",
			    r->dir, (unsigned long long)l->v[i]);
		rc = add_unknown(r, l->v[i]);
	}
	return rc;
}

/* ---- Runs ---- */

static int
cmp_table(const void *a, const void *b)
{
	const struct repair_table *ta = a, *tb = b;
	int c = slice_cmp(ta->smallest, tb->smallest);

	return c != 0 ? c :
			(ta->number > tb->number) - (ta->number < tb->number);
}

/* Assign each table to the first run that ends before the table begins. */
static int
make_runs(struct repair *r)
{
	struct slice *ends = calloc(r->tables.count + 1, sizeof(*ends));
	int n;

	if (ends == NULL)
		return -ENOMEM;
	if (r->tables.count != 0)
		qsort(r->tables.v, r->tables.count, sizeof(*r->tables.v),
		    cmp_table);
	for (size_t i = 0; i < r->tables.count; i++) {
		struct repair_table *t = &r->tables.v[i];

		for (n = 0; n < r->tables.runs; n++)
			if (slice_cmp(ends[n], t->smallest) <= 0)
				break;
		if (n == r->tables.runs)
			r->tables.runs++;
		t->run = n;
		ends[n] = t->limit;
	}
	free(ends);
	return 0;
}

struct run_iter {
	struct iter base;
	struct repair *r;
	int run;
	size_t next; /* the next table to open */
	struct iter *it; /* of the open table, or NULL */
	const struct repair_table *table;
	char path[PATH_MAX];
};

/* The end of the keys that a damaged range before a key may affect. If the
 * range began in front of that key's group, it may have held a deletion of the
 * whole group. */
static struct slice
damage_end(const struct salvage_damage *d, const struct run_iter *ri,
    uint8_t group_end[KEY_PREFIX_LEN])
{
	struct slice from = d->after, to = d->before;

	if (to.len == 0)
		return ri->table->limit;
	if (from.len != 0 && memcmp(from.data, to.data, KEY_PREFIX_LEN) == 0)
		return key_user(to);
	return slice_make(group_end, key_group_end(group_end, key_user(to)));
}

static void
report_damage(void *arg, const struct salvage_damage *d)
{
	const struct run_iter *ri = arg;
	uint8_t group_end[KEY_PREFIX_LEN];

	if (ri->table->is_guess && (d->after.len == 0 || d->before.len == 0)) {
		repair_lost(&ri->r->report,
		    "%s: offset %llu, %llu bytes: %s: which keys it held is "
		    "not known",
		    ri->path, (unsigned long long)d->off,
		    (unsigned long long)d->len, d->what);
		return;
	}
	repair_lost_range(&ri->r->report,
	    d->after.len != 0 ? key_user(d->after) : ri->table->smallest,
	    damage_end(d, ri, group_end), "%s: offset %llu, %llu bytes: %s",
	    ri->path, (unsigned long long)d->off, (unsigned long long)d->len,
	    d->what);
}

static int
open_table(struct run_iter *ri)
{
	struct repair *r = ri->r;
	struct table_salvage *t;
	struct env_file *file;
	int rc = store_file_open(r->from, FILE_TABLE, ri->table->number,
	    ENV_READ, &file);

	filename_path(ri->path, r->dir, FILE_TABLE, ri->table->number);
	if (rc < 0) {
		report_unreadable(r, ri->path, rc);
		return 0;
	}
	rc = table_salvage_open(file, ri->path, ri->table->number,
	    report_damage, ri, &t);
	if (rc < 0)
		return rc;
	ri->it = table_salvage_iter(t);
	iter_seek_first(ri->it);
	return 0;
}

/* Make the open table's entry the current one; at its end, open the next table
 * of the run. */
static void
run_show_entry(struct run_iter *ri)
{
	struct repair *r = ri->r;
	int rc = 0;

	while (rc == 0 && (ri->it == NULL || !ri->it->valid)) {
		rc = ri->it != NULL ? ri->it->status : 0;
		iter_close(ri->it);
		ri->it = NULL;
		if (rc < 0)
			break;
		while (ri->next < r->tables.count &&
		    r->tables.v[ri->next].run != ri->run)
			ri->next++;
		if (ri->next == r->tables.count)
			break;
		ri->table = &r->tables.v[ri->next++];
		rc = open_table(ri);
	}
	ri->base.status = rc;
	ri->base.valid = rc == 0 && ri->it != NULL;
	if (ri->base.valid) {
		ri->base.key = ri->it->key;
		ri->base.value = ri->it->value;
	}
}

static void
run_seek_first(struct iter *it)
{
	struct run_iter *ri = (struct run_iter *)it;

	if (it->status < 0)
		return;
	iter_close(ri->it);
	ri->it = NULL;
	ri->next = 0;
	run_show_entry(ri);
}

static void
run_next(struct iter *it)
{
	struct run_iter *ri = (struct run_iter *)it;

	iter_next(ri->it);
	run_show_entry(ri);
}

static void
run_seek(struct iter *it, struct slice ikey)
{
	run_seek_first(it);
	while (it->valid && key_cmp(it->key, ikey) < 0)
		run_next(it);
}

static void
run_close(struct iter *it)
{
	iter_close(((struct run_iter *)it)->it);
	free(it);
}

static const struct iter_ops run_ops = {
	.seek = run_seek,
	.seek_first = run_seek_first,
	.next = run_next,
	.close = run_close,
};

static int
add_run(struct repair *r, int run)
{
	struct run_iter *ri = calloc(1, sizeof(*ri));

	if (ri == NULL)
		return -ENOMEM;
	ri->base.ops = &run_ops;
	ri->r = r;
	ri->run = run;
	return repair_sources_add(&r->sources, &ri->base);
}

int
repair_gather_tables(struct repair *r)
{
	bool complete = repair_is_complete(r);
	int rc = add_named(r);

	if (rc == 0 && !complete)
		rc = add_others(r);
	if (rc == 0)
		rc = make_runs(r);
	for (int i = 0; i < r->tables.runs && rc == 0; i++)
		rc = add_run(r, i);
	return rc;
}
