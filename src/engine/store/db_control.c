/* SPDX-License-Identifier: ISC */
/* Maintenance by lines of text: kv_control() and kv_usage() of kv.h. */
#include <errno.h>
#include <stdlib.h>

#include "engine/state/db_state.h"
#include "util/line_list.h"
#include "util/log.h"

/* ---- check ---- */

static void
check_table(struct db *db, struct table_file *f, struct line_list *found)
{
	struct table_handle *handle;
	struct table_reader *t;
	int rc = db_table_reader(db, f, &handle, &t);

	if (rc < 0) {
		line_list_add(found, "%s/%06llu.sst: cannot be opened: %s",
		    db->dir, (unsigned long long)f->number, strerror(-rc));
		return;
	}
	table_reader_verify(t, found);
	table_handle_release(handle);
}

/* Every key and value through the front door: that reads and verifies what
 * lies in segments too. Their dead values, and holes that a crash or a full
 * disk left between them, are nobody's loss. */
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
			    db->dir, key.space, (unsigned long long)key.group,
			    key.name.len, strerror(-vrc));
		}
	}
	kv_iter_close(it);
	if (rc < 0)
		line_list_add(found, "%s: scan ended early: %s", db->dir,
		    strerror(-rc));
}

static int
control_check(struct db *db, bool with_values, FILE *out)
{
	struct line_list found = { .out = out, .prefix = "damage" };
	struct view *v;

	mutex_lock(&db->mu);
	v = view_current_locked(db);
	mutex_unlock(&db->mu);
	for (int i = 0; i < LEVELS; i++)
		for (size_t j = 0; j < v->version->levels[i].count; j++)
			check_table(db, v->version->levels[i].files[j], &found);
	if (with_values)
		check_entries(db, &found);
	view_unref(v);
	line_list_end(&found);
	return found.count < INT32_MAX ? (int)found.count : INT32_MAX;
}

/* ---- the rest ---- */

/* Until the compaction threads find nothing more to do for it. */
static int
control_compact(struct db *db)
{
	int rc = db_flush_all(db);

	segment_seal_active(db); /* what is dead in it goes, too */
	mutex_lock(&db->mu);
	db->compact_all = rc == 0;
	db->compact_error = 0;
	cond_broadcast(&db->work);
	while (rc == 0 && db->compact_all) {
		if (db_error(db) < 0)
			rc = -EIO;
		else if (db->compact_error < 0)
			rc = db->compact_error;
		else
			cond_wait(&db->progress, &db->mu);
	}
	db->compact_all = false;
	mutex_unlock(&db->mu);
	return rc;
}

static int
control_set(struct db *db, const char *setting)
{
	struct kv_options opts;
	char *end;

	db_live_options(db, &opts);
	if (strncmp(setting, "sync=", 5) == 0) {
		if (kv_options_parse_sync(&opts, setting + 5) < 0)
			return -EINVAL;
		/* What was committed under the old promise keeps it. */
		if (db_error(db) == 0 && opts.sync != KV_SYNC_OFF) {
			int rc = db_sync_all(db);

			if (rc < 0)
				return rc;
		}
		atomic_store(&db->sync_commits, opts.sync_commits);
		atomic_store(&db->sync_ms, opts.sync_ms);
		atomic_store(&db->sync_mode, opts.sync);
		/* The timer may run for longer than it now should. */
		mutex_lock(&db->sync_mu);
		cond_signal(&db->sync_wanted);
		mutex_unlock(&db->sync_mu);
		return 0;
	}
	if (strncmp(setting, "wal_buffer=", 11) == 0) {
		opts.wal_buffer_bytes = strtoull(setting + 11, &end, 10);
		if (end == setting + 11 || *end != '\0')
			return -EINVAL;
		atomic_store(&db->wal_buffer_bytes, opts.wal_buffer_bytes);
		/* It takes effect with the log that follows. */
		return db_rotate(db);
	}
	if (strncmp(setting, "max_size=", 9) == 0) {
		opts.max_bytes = strtoull(setting + 9, &end, 10);
		if (end == setting + 9 || *end != '\0')
			return -EINVAL;
		db_room_set_max(db, opts.max_bytes);
		return 0;
	}
	return -EINVAL;
}

static int
set_cache(struct db *db, const char *value)
{
	char *end;
	uint64_t bytes = strtoull(value, &end, 10);

	if (end == value || *end != '\0' || bytes == 0)
		return -EINVAL;
	block_cache_resize(db->cache, bytes);
	return 0;
}

int
db_control(struct kv *kv, const char *command, FILE *out)
{
	struct db *db = db_of(kv);

	if (strcmp(command, "stats") == 0)
		return db_report(db, out, REPORT_TEXT);
	if (strcmp(command, "metrics") == 0)
		return db_report(db, out, REPORT_PROMETHEUS);
	if (strcmp(command, "check") == 0)
		return control_check(db, true, out);
	if (strcmp(command, "check-tables") == 0)
		return control_check(db, false, out);
	if (strncmp(command, "set cache=", 10) == 0)
		return set_cache(db, command + 10);
	if (db->read_only)
		return -EROFS;
	if (strcmp(command, "flush") == 0)
		return db_flush_all(db);
	if (strcmp(command, "compact") == 0)
		return control_compact(db);
	if (strncmp(command, "set ", 4) == 0)
		return control_set(db, command + 4);
	return -ENOTSUP;
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
