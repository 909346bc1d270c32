/* SPDX-License-Identifier: ISC */
/*
 * Ordered scans of kv.h: a merge of all sources of a view, without entries that
 * are newer than the scan's sequence number, superseded or deleted.
 */
#include "engine/store/db_iter.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/key/iter.h"
#include "engine/key/key.h"
#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/state/view.h"
#include "engine/state/work_signal.h"
#include "engine/store/db_read.h"
#include "engine/tree/level_iter.h"
#include "engine/key/merge_iter.h"
#include "engine/tree/read_pointer.h"
#include "engine/tree/version.h"
#include "util/stats.h"

/* After so many dead entries in one step, ask for compaction. */
#define MANY_DEAD 4096

struct db_iter {
	struct kv_iter kv; /* first */
	struct db *db;
	struct view *view;
	struct iter *merge;
	uint64_t seq;
	enum kv_scope scope;
	uint8_t start[KEY_USER_MAX];
	size_t start_len;
	bool started;
	bool done;
	int status;
	/* The key of the last entry returned, or skipped with all its
	 * versions. */
	uint8_t last[KEY_USER_MAX];
	size_t last_len;
	/* The group deletion that applies to the current group. */
	uint8_t group[KEY_PREFIX_LEN];
	uint64_t group_deleted; /* 0: none */
	struct kv_value pinned; /* a value that was read from a segment */
};

/* Merge all sources of the view. */
static int
open_sources(struct db_iter *di)
{
	struct view *v = di->view;
	const struct level *l0 = &v->version->levels[0];
	size_t max = 1 + v->imm_count + l0->count + LEVELS, n = 0;
	struct merge_source *src = calloc(max, sizeof(*src));
	bool failed = src == NULL;

	for (unsigned i = 0; i <= v->imm_count && !failed; i++) {
		struct memtable *m = i == 0 ? v->mem : v->imm[i - 1];

		/* The current memtable still gets new entries. */
		src[n].max_seq = i == 0 ? SEQ_MAX : m->max_seq;
		src[n].it = memtable_iter(m);
		failed = src[n++].it == NULL;
	}
	for (size_t i = 0; i < l0->count && !failed; i++) {
		src[n].max_seq = l0->files[i]->props.max_seq;
		src[n].it = level_iter_create(di->db->caches.tables,
		    &l0->files[i], 1, true);
		failed = src[n++].it == NULL;
	}
	for (int i = 1; i < LEVELS && !failed; i++) {
		const struct level *l = &v->version->levels[i];

		if (l->count == 0)
			continue;
		src[n].max_seq = 0;
		for (size_t j = 0; j < l->count; j++)
			if (l->files[j]->props.max_seq > src[n].max_seq)
				src[n].max_seq = l->files[j]->props.max_seq;
		src[n].it = level_iter_create(di->db->caches.tables, l->files,
		    l->count, true);
		failed = src[n++].it == NULL;
	}
	if (!failed) {
		di->merge = merge_iter_create(src, n);
	} else {
		for (size_t i = 0; i < n; i++)
			iter_close(src[i].it);
	}
	free(src);
	return di->merge != NULL ? 0 : -ENOMEM;
}

static void
seek_start(struct db_iter *di)
{
	uint8_t ikey[KEY_INTERNAL_MAX];

	iter_seek(di->merge,
	    key_first(ikey, slice_make(di->start, di->start_len)));
}

static bool
is_in_scope(const struct db_iter *di, struct slice user)
{
	switch (di->scope) {
	case KV_SCOPE_GROUP:
		return memcmp(user.data, di->start, KEY_PREFIX_LEN) == 0;
	case KV_SCOPE_SPACE:
		return *(const uint8_t *)user.data == di->start[0];
	default:
		return true;
	}
}

static bool
is_in_deleted_group(const struct db_iter *di, struct slice user)
{
	return di->group_deleted != 0 &&
	    memcmp(user.data, di->group, KEY_PREFIX_LEN) == 0;
}

/* The scan has reached the deletion of a group: all older entries of the group
 * are deleted. Move sources without newer ones past the group. */
static void
enter_deleted_group(struct db_iter *di, struct slice user, uint64_t seq)
{
	uint8_t end[KEY_PREFIX_LEN];

	if (is_in_deleted_group(di, user) && di->group_deleted >= seq) {
		iter_next(di->merge);
		return;
	}
	memcpy(di->group, user.data, KEY_PREFIX_LEN);
	di->group_deleted = seq;
	key_group_end(end, user);
	iter_next(di->merge);
	merge_iter_skip_hidden(di->merge, slice_make(end, sizeof(end)), seq);
}

static void
remember_key(struct db_iter *di, struct slice user)
{
	memcpy(di->last, user.data, user.len);
	di->last_len = user.len;
}

static int
db_iter_next(struct kv_iter *it)
{
	struct db_iter *di = (struct db_iter *)it;
	unsigned dead = 0;

	kv_value_release(&di->pinned);
	if (di->status < 0)
		return di->status;
	if (di->done)
		return 0;
	if (!di->started) {
		di->started = true;
		seek_start(di);
		if (di->group_deleted != 0) {
			uint8_t end[KEY_PREFIX_LEN];

			key_group_end(end,
			    slice_make(di->start, di->start_len));
			merge_iter_skip_hidden(di->merge,
			    slice_make(end, sizeof(end)), di->group_deleted);
		}
	} else {
		iter_next(di->merge);
	}
	for (; di->merge->valid; dead++) {
		struct slice user = key_user(di->merge->key);
		uint64_t seq = key_seq(di->merge->key);
		enum key_type type = key_type(di->merge->key);

		if (!is_in_scope(di, user)) {
			di->done = true;
			return 0;
		}
		if (seq > di->seq) {
			iter_next(di->merge);
		} else if (type == KEY_DELETE_GROUP) {
			enter_deleted_group(di, user, seq);
		} else if (slice_eq(user, slice_make(di->last, di->last_len))) {
			iter_next(di->merge); /* superseded */
		} else if (type == KEY_DELETE ||
		    (is_in_deleted_group(di, user) &&
			seq < di->group_deleted)) {
			remember_key(di, user);
			iter_next(di->merge);
		} else {
			remember_key(di, user);
			if (dead >= MANY_DEAD)
				db_want_tidy(di->db);
			return 1;
		}
	}
	if (dead >= MANY_DEAD)
		db_want_tidy(di->db);
	di->done = true;
	di->status = di->merge->status;
	return di->status;
}

static struct kv_key
db_iter_key(const struct kv_iter *it)
{
	const struct db_iter *di = (const struct db_iter *)it;

	return key_decode(slice_make(di->last, di->last_len));
}

static int
db_iter_value(struct kv_iter *it, struct slice *valuep)
{
	struct db_iter *di = (struct db_iter *)it;
	int rc;

	if (key_type(di->merge->key) == KEY_VALUE) {
		*valuep = di->merge->value;
		return 0;
	}
	if (di->pinned.release == NULL) {
		rc = read_pointer(di->db->caches.tables, di->db->store.path,
		    key_user(di->merge->key), di->merge->value, &di->pinned);
		if (rc < 0)
			return rc;
	}
	*valuep = di->pinned.data;
	return 0;
}

static void
db_iter_close(struct kv_iter *it)
{
	struct db_iter *di = (struct db_iter *)it;

	kv_value_release(&di->pinned);
	iter_close(di->merge);
	view_unref(di->view);
	free(di);
}

static const struct kv_iter_ops db_iter_ops = {
	.next = db_iter_next,
	.key = db_iter_key,
	.value = db_iter_value,
	.close = db_iter_close,
};

int
db_iter_open(struct kv *kv, const struct kv_key *from, enum kv_scope scope,
    struct kv_snapshot *snap, struct kv_iter **iterp)
{
	struct db *db = db_of(kv);
	struct db_iter *di;
	int rc;

	if (from->name.len > KV_NAME_MAX)
		return -EINVAL;
	di = calloc(1, sizeof(*di));
	if (di == NULL)
		return -ENOMEM;
	di->kv.ops = &db_iter_ops;
	di->db = db;
	di->scope = scope;
	di->start_len = key_encode(di->start, from);
	mutex_lock(&db->mu);
	di->view = view_current_locked(&db->views);
	mutex_unlock(&db->mu);
	di->seq = snap != NULL ?
	    snap->seq :
	    atomic_load_explicit(&db->commits.last_seq, memory_order_acquire);
	rc = open_sources(di);
	if (rc == 0 && from->name.len != 0) {
		/* The scan starts behind the place of the group's deletion. */
		memcpy(di->group, di->start, KEY_PREFIX_LEN);
		rc = view_group_deletion(&db->caches, di->view,
		    slice_make(di->start, di->start_len), di->seq,
		    &di->group_deleted);
	}
	counter_add(&db->stats.scans, 1);
	if (rc < 0) {
		db_iter_close(&di->kv);
		return rc;
	}
	*iterp = &di->kv;
	return 0;
}
