/* SPDX-License-Identifier: ISC */
/* Immutable sets of tables; see version.h for the invariants. */
#include "engine/tree/version.h"

#include <errno.h>
#include <stdlib.h>

#include "kvfs/kv.h"

struct table_file *
table_file_create(uint64_t number, const struct table_props *props,
    struct slice smallest, struct slice limit, const struct segment_use *uses,
    size_t use_count, uint64_t reclaim_bytes)
{
	struct table_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->number = number;
	f->props = *props;
	atomic_init(&f->refs, 1);
	f->keys = malloc(smallest.len + limit.len + 1);
	f->uses = calloc(use_count + 1, sizeof(*f->uses));
	if (f->keys == NULL || f->uses == NULL) {
		table_file_free(f);
		return NULL;
	}
	memcpy(f->keys, smallest.data, smallest.len);
	memcpy(f->keys + smallest.len, limit.data, limit.len);
	f->smallest = slice_make(f->keys, smallest.len);
	f->limit = slice_make(f->keys + smallest.len, limit.len);
	if (use_count != 0)
		memcpy(f->uses, uses, use_count * sizeof(*uses));
	f->use_count = use_count;
	f->reclaim_bytes = reclaim_bytes;
	return f;
}

void
table_file_free(struct table_file *f)
{
	if (f == NULL)
		return;
	free(f->keys);
	free(f->uses);
	free(f);
}

void
table_file_set_damaged(struct table_file *f)
{
	atomic_store_explicit(&f->damaged, true, memory_order_relaxed);
}

void
table_file_ref(struct table_file *f)
{
	atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
}

void
table_file_unref(struct version *v, struct table_file *f)
{
	if (atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1)
		v->drop(v->drop_arg, f);
}

struct version *
version_create(table_file_drop_fn drop, void *drop_arg)
{
	struct version *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	atomic_init(&v->refs, 1);
	v->drop = drop;
	v->drop_arg = drop_arg;
	return v;
}

void
version_ref(struct version *v)
{
	atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
}

void
version_unref(struct version *v)
{
	if (v == NULL ||
	    atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (int i = 0; i < LEVELS; i++) {
		for (size_t j = 0; j < v->levels[i].count; j++)
			table_file_unref(v, v->levels[i].files[j]);
		free(v->levels[i].files);
	}
	free(v);
}

/* Make room for one more element of size bytes in *arrayp. */
static int
grow_array(void **arrayp, size_t count, size_t *capp, size_t size)
{
	size_t cap = *capp != 0 ? *capp * 2 : 8;
	void *p;

	if (count < *capp)
		return 0;
	p = realloc(*arrayp, cap * size);
	if (p == NULL)
		return -ENOMEM;
	*arrayp = p;
	*capp = cap;
	return 0;
}

int
version_edit_add(struct version_edit *e, int level, struct table_file *f)
{
	void *p = e->adds;
	int rc = grow_array(&p, e->add_count, &e->add_cap, sizeof(*e->adds));

	e->adds = p;
	if (rc < 0)
		return rc;
	e->adds[e->add_count].level = level;
	e->adds[e->add_count++].file = f;
	return 0;
}

int
version_edit_remove(struct version_edit *e, int level, uint64_t number)
{
	void *p = e->removes;
	int rc = grow_array(&p, e->remove_count, &e->remove_cap,
	    sizeof(*e->removes));

	e->removes = p;
	if (rc < 0)
		return rc;
	e->removes[e->remove_count].level = level;
	e->removes[e->remove_count++].number = number;
	return 0;
}

void
version_edit_fini(struct version_edit *e)
{
	for (size_t i = 0; i < e->add_count; i++)
		if (atomic_fetch_sub_explicit(&e->adds[i].file->refs, 1,
			memory_order_acq_rel) == 1)
			table_file_free(e->adds[i].file);
	free(e->adds);
	free(e->removes);
	*e = (struct version_edit){ 0 };
}

/* Level 0: newest first. */
static int
cmp_newest(const void *a, const void *b)
{
	const struct table_file *fa = *(struct table_file *const *)a;
	const struct table_file *fb = *(struct table_file *const *)b;

	if (fa->props.max_seq != fb->props.max_seq)
		return fa->props.max_seq > fb->props.max_seq ? -1 : 1;
	return fa->number > fb->number ? -1 : fa->number < fb->number;
}

static int
cmp_smallest(const void *a, const void *b)
{
	const struct table_file *fa = *(struct table_file *const *)a;
	const struct table_file *fb = *(struct table_file *const *)b;

	return slice_cmp(fa->smallest, fb->smallest);
}

static bool
is_removed(const struct version_edit *e, int level, uint64_t number)
{
	for (size_t i = 0; i < e->remove_count; i++)
		if (e->removes[i].level == level &&
		    e->removes[i].number == number)
			return true;
	return false;
}

/* Build one level of v. *removedp counts the removed tables that were found. */
static int
apply_level(struct version *v, const struct version *base,
    const struct version_edit *e, int level, size_t *removedp)
{
	const struct level *from = &base->levels[level];
	struct level *l = &v->levels[level];

	l->files = calloc(from->count + e->add_count + 1, sizeof(*l->files));
	if (l->files == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < from->count; i++) {
		if (is_removed(e, level, from->files[i]->number)) {
			(*removedp)++;
			continue;
		}
		table_file_ref(from->files[i]);
		l->files[l->count++] = from->files[i];
	}
	for (size_t i = 0; i < e->add_count; i++) {
		if (e->adds[i].level != level)
			continue;
		/* The edit keeps its own reference until version_apply() has
		 * succeeded. */
		table_file_ref(e->adds[i].file);
		l->files[l->count++] = e->adds[i].file;
	}
	qsort(l->files, l->count, sizeof(*l->files),
	    level == 0 ? cmp_newest : cmp_smallest);
	for (size_t i = 0; i < l->count; i++) {
		l->bytes += l->files[i]->props.file_bytes;
		l->group_deletes += l->files[i]->props.group_deletes;
		if (slice_cmp(l->files[i]->smallest, l->files[i]->limit) >= 0)
			return -KVFS_ECORRUPT;
		if (i > 0 && l->files[i - 1]->number == l->files[i]->number)
			return -KVFS_ECORRUPT;
		if (level > 0 && i > 0 &&
		    slice_cmp(l->files[i - 1]->limit, l->files[i]->smallest) >
			0)
			return -KVFS_ECORRUPT;
	}
	return 0;
}

/* Whether the table is in base and the edit does not remove it. */
static bool
is_there(const struct version *base, const struct version_edit *e,
    uint64_t number)
{
	for (int i = 0; i < LEVELS; i++)
		for (size_t j = 0; j < base->levels[i].count; j++)
			if (base->levels[i].files[j]->number == number)
				return !is_removed(e, i, number);
	return false;
}

int
version_apply(const struct version *base, struct version_edit *e,
    struct version **newp)
{
	struct version *v = version_create(base->drop, base->drop_arg);
	size_t removed = 0;
	int rc = v != NULL ? 0 : -ENOMEM;

	*newp = NULL;
	for (size_t i = 0; i < e->add_count && rc == 0; i++)
		if (is_there(base, e, e->adds[i].file->number))
			rc = -KVFS_ECORRUPT;
	for (int i = 0; i < LEVELS && rc == 0; i++)
		rc = apply_level(v, base, e, i, &removed);
	if (rc == 0 && removed != e->remove_count)
		rc = -KVFS_ECORRUPT;
	if (rc < 0) {
		version_unref(v);
		return rc;
	}
	for (size_t i = 0; i < e->add_count; i++)
		table_file_unref(v, e->adds[i].file);
	e->add_count = 0;
	*newp = v;
	return 0;
}

struct table_file *
level_find_number(const struct level *l, uint64_t number)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->files[i]->number == number)
			return l->files[i];
	return NULL;
}

size_t
level_lower_bound(const struct level *l, struct slice user)
{
	size_t lo = 0, hi = l->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (slice_cmp(l->files[mid]->limit, user) > 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

struct table_file *
level_find(const struct level *l, struct slice user)
{
	size_t i = level_lower_bound(l, user);

	if (i == l->count || slice_cmp(l->files[i]->smallest, user) > 0)
		return NULL;
	return l->files[i];
}

bool
level_overlaps(const struct level *l, int level, struct slice smallest,
    struct slice limit)
{
	size_t i;

	if (level == 0) {
		for (i = 0; i < l->count; i++)
			if (slice_cmp(l->files[i]->smallest, limit) < 0 &&
			    slice_cmp(smallest, l->files[i]->limit) < 0)
				return true;
		return false;
	}
	i = level_lower_bound(l, smallest);
	return i < l->count && slice_cmp(l->files[i]->smallest, limit) < 0;
}

uint64_t
version_entry_bytes(const struct version *v)
{
	uint64_t bytes = 0, entries = 0;

	for (int i = 0; i < LEVELS; i++) {
		bytes += v->levels[i].bytes;
		for (size_t j = 0; j < v->levels[i].count; j++)
			entries += v->levels[i].files[j]->props.entries;
	}
	return entries != 0 ? bytes / entries : 0;
}
