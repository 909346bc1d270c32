/* SPDX-License-Identifier: ISC */
/* Maintenance of a running store: functions of kv.h, except reports. */
#include "engine/store/db_control.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/env.h"
#include "engine/state/db_state.h"
#include "engine/state/disk_space.h"
#include "engine/state/durability.h"
#include "engine/state/fault.h"
#include "engine/state/segment_set.h"
#include "engine/state/view.h"
#include "engine/table/table_reader.h"
#include "engine/tree/version.h"
#include "engine/work/flush.h"
#include "engine/work/memtables.h"
#include "engine/work/room.h"
#include "kvfs/slice.h"
#include "util/line_list.h"

/* ---- check ---- */

static void
check_table(struct db *db, struct table_file *f, struct line_list *found)
{
	struct table_handle *handle;
	struct table_reader *t;
	int rc = table_cache_table(db->caches.tables, f->number, &handle, &t);

	if (rc < 0) {
		line_list_add(found, "%s/%06llu.sst: cannot be opened: %s",
		    db->store.path, (unsigned long long)f->number,
		    strerror(-rc));
		return;
	}
	table_reader_verify(t, found);
	table_handle_release(handle);
}

/* Read every key and value as a user would; that also verifies values in
 * segments. Dead values, and gaps that a crash or a full disk left between
 * values, are not checked, since no key needs them. */
static void
check_entries(struct db *db, struct line_list *found)
{
	struct kv_key from = { 0 };
	struct kv_iter *it;
	struct slice value;
	int rc = kv_iter_open(&db->kv, &from, KV_SCOPE_ALL, NULL, &it);

	while (rc >= 0 && (rc = kv_iter_next(it)) > 0) {
		struct kv_key key = kv_iter_key(it);
		int vrc = kv_iter_value(it, &value);

		if (vrc < 0) {
			line_list_add(found,
			    "%s: value of key (%u, %llu, %zu bytes of name): "
			    "%s",
			    db->store.path, key.space,
			    (unsigned long long)key.group, key.name.len,
			    strerror(-vrc));
		}
	}
	kv_iter_close(it);
	if (rc < 0)
		line_list_add(found, "%s: scan ended early: %s", db->store.path,
		    strerror(-rc));
}

int
db_check(struct kv *kv, enum kv_check_depth depth, FILE *out)
{
	struct db *db = db_of(kv);
	struct line_list found = { .out = out, .prefix = "damage" };
	struct view *v;

	mutex_lock(&db->mu);
	v = view_current_locked(&db->views);
	mutex_unlock(&db->mu);
	for (int i = 0; i < LEVELS; i++)
		for (size_t j = 0; j < v->version->levels[i].count; j++)
			check_table(db, v->version->levels[i].files[j], &found);
	if (depth == KV_CHECK_ALL)
		check_entries(db, &found);
	view_unref(v);
	line_list_end(&found);
	return found.count < INT32_MAX ? (int)found.count : INT32_MAX;
}

/* ---- Other functions ---- */

int
db_flush(struct kv *kv)
{
	struct db *db = db_of(kv);

	return db->read_only ? -EROFS : db_flush_all(db);
}

/* Request a full compaction, and wait until the compaction threads find nothing
 * more to do. */
int
db_compact(struct kv *kv)
{
	struct db *db = db_of(kv);
	int rc;

	if (db->read_only)
		return -EROFS;
	rc = db_flush_all(db);
	segment_seal_active(db); /* its dead values are freed, too */
	mutex_lock(&db->mu);
	db->work.compact.all_wanted = rc == 0;
	db->work.compact.error = 0;
	cond_broadcast(&db->work.wanted);
	while (rc == 0 && db->work.compact.all_wanted) {
		if (fault_error(&db->fault) < 0)
			rc = -EIO;
		else if (db->work.compact.error < 0)
			rc = db->work.compact.error;
		else
			cond_wait(&db->work.progress, &db->mu);
	}
	db->work.compact.all_wanted = false;
	mutex_unlock(&db->mu);
	return rc;
}

int
db_set_sync(struct kv *kv, enum kv_sync_mode mode, uint32_t commits,
    uint32_t ms)
{
	struct db *db = db_of(kv);
	int rc = db->read_only ? -EROFS : 0;

	/* Commits of the old mode become durable as that mode says. */
	if (rc == 0 && mode != KV_SYNC_OFF && fault_error(&db->fault) == 0)
		rc = db_sync_all(db);
	if (rc < 0)
		return rc;
	if (commits != 0)
		atomic_store_explicit(&db->dur.every_commits, commits,
		    memory_order_relaxed);
	if (ms != 0)
		atomic_store_explicit(&db->dur.every_ms, ms,
		    memory_order_relaxed);
	atomic_store_explicit(&db->dur.mode, mode, memory_order_relaxed);
	/* The running timer may be too long for the new mode. */
	mutex_lock(&db->dur.timer.mu);
	cond_signal(&db->dur.timer.wanted);
	mutex_unlock(&db->dur.timer.mu);
	return 0;
}

int
db_set_wal_buffer(struct kv *kv, uint64_t bytes)
{
	struct db *db = db_of(kv);

	if (db->read_only)
		return -EROFS;
	atomic_store_explicit(&db->logs.buffer_bytes, bytes,
	    memory_order_relaxed);
	/* The new size takes effect with the next log. */
	return db_rotate(db);
}

int
db_set_cache(struct kv *kv, uint64_t bytes)
{
	if (bytes == 0)
		return -EINVAL;
	block_cache_resize(db_of(kv)->caches.blocks, bytes);
	return 0;
}

int
db_set_max_size(struct kv *kv, uint64_t bytes)
{
	struct db *db = db_of(kv);

	if (db->read_only)
		return -EROFS;
	db_room_set_max(db, bytes);
	return 0;
}

int
db_usage(struct kv *kv, struct kv_usage *usagep)
{
	struct db *db = db_of(kv);
	struct env_space space;
	int rc = db_space(db, &space);

	*usagep = (struct kv_usage){ 0 };
	if (rc < 0)
		return rc;
	usagep->total_bytes = space.total_bytes;
	usagep->free_bytes = db_room(db, &space);
	usagep->disk_bytes = db_disk_bytes(db);
	return 0;
}
