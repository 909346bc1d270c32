/* SPDX-License-Identifier: ISC */
/*
 * Recovery: reads the tree from the manifest, replays newer commits from the
 * logs (recover_logs.c), and removes files that belong to neither.
 */
#include "engine/store/recover.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/state/db_state.h"
#include "engine/state/obsolete.h"
#include "engine/state/durability.h"
#include "engine/state/install.h"
#include "engine/state/log_make.h"
#include "engine/state/log_set.h"
#include "engine/state/segment_set.h"
#include "engine/state/view.h"
#include "engine/store/recover_internal.h"
#include "engine/tree/version.h"
#include "engine/work/flush.h"
#include "engine/work/memtables.h"
#include "util/log.h"

/* If a store crashes again and again soon after opening, each run leaves a log.
 * So many of them are replaced by a table. */
#define REPLAYED_LOGS_MAX 4

/* ---- The manifest ---- */

static int
apply_edit(void *arg, struct version_edit *e)
{
	struct recovery *r = arg;
	struct version *v;
	int rc;

	if (e->log_number != 0)
		r->log_number = e->log_number;
	if (e->last_seq > r->last_seq)
		r->last_seq = e->last_seq;
	if (e->next_file > r->next_file)
		r->next_file = e->next_file;
	if (e->add_count == 0 && e->remove_count == 0)
		return 0;
	rc = version_apply(r->version, e, &v);
	if (rc < 0)
		return rc;
	version_unref(r->version);
	r->version = v;
	return 0;
}

static int
check_tables_exist(struct recovery *r)
{
	char path[PATH_MAX];

	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &r->version->levels[i];

		for (size_t j = 0; j < l->count; j++) {
			if (number_list_has(&r->files.kinds[FILE_TABLE],
				l->files[j]->number))
				continue;
			filename_path(path, r->db->store.path, FILE_TABLE,
			    l->files[j]->number);
			log_error("%s: missing: the store is damaged; run "
				  "kvfsctl repair",
			    path);
			return -KVFS_ECORRUPT;
		}
	}
	return 0;
}

static int
load_manifest(struct recovery *r)
{
	const struct number_list *l = &r->files.kinds[FILE_MANIFEST];
	int rc = manifest_read(r->db->store.dir, l->v[l->count - 1], apply_edit,
	    r);

	if (rc == 0)
		rc = check_tables_exist(r);
	for (int i = 0; i < LEVELS && rc == 0; i++) {
		for (size_t j = 0; j < r->version->levels[i].count && rc == 0;
		     j++) {
			struct table_file *f = r->version->levels[i].files[j];

			rc = segment_hold_uses(r->db, f);
			segment_count_uses(&r->db->segs, f, true);
		}
	}
	return rc;
}

/* ---- Segments ---- */

/*
 * Take a reference to every segment while the logs are replayed: a flush may
 * drop the last known pointer into a segment while a later frame has another
 * one. When the references are dropped, segments without pointers become
 * obsolete.
 */
static int
hold_segments(struct recovery *r)
{
	const struct number_list *l = &r->files.kinds[FILE_SEGMENT];

	r->held = calloc(l->count + 1, sizeof(*r->held));
	if (r->held == NULL)
		return -ENOMEM;
	for (; r->held_count < l->count; r->held_count++) {
		r->held[r->held_count] = segment_get(r->db,
		    l->v[r->held_count]);
		if (r->held[r->held_count] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void
release_segments(struct recovery *r)
{
	for (size_t i = 0; i < r->held_count; i++)
		segment_put(r->db, r->held[i]);
	free(r->held);
}

/* ---- Other files, and the new log ---- */

/* Remove files that do not belong to the state, except segments (see above). */
static void
remove_orphans(struct recovery *r)
{
	struct db *db = r->db;

	for (size_t i = 0; i < r->files.kinds[FILE_TABLE].count; i++) {
		uint64_t n = r->files.kinds[FILE_TABLE].v[i];
		bool used = false;

		for (int j = 0; j < LEVELS && !used; j++) {
			const struct level *l =
			    &db->views.current->version->levels[j];

			for (size_t k = 0; k < l->count && !used; k++)
				used = l->files[k]->number == n;
		}
		if (!used)
			obsolete_file_add(db, FILE_TABLE, n);
	}
	for (size_t i = 0; i < r->files.kinds[FILE_WAL].count; i++) {
		bool used = db->logs.recycled != NULL &&
		    db->logs.recycled->number == r->files.kinds[FILE_WAL].v[i];

		for (size_t j = 0; j < db->logs.count && !used; j++)
			used = db->logs.all[j]->number ==
			    r->files.kinds[FILE_WAL].v[i];
		if (!used)
			obsolete_file_add(db, FILE_WAL,
			    r->files.kinds[FILE_WAL].v[i]);
	}
	for (size_t i = 0; i < r->files.kinds[FILE_MANIFEST].count; i++)
		obsolete_file_add(db, FILE_MANIFEST,
		    r->files.kinds[FILE_MANIFEST].v[i]);
	obsolete_files_remove(db);
}

/* Begin a new log. Its name is durable before the manifest names it. */
static int
begin_log(struct recovery *r)
{
	struct db *db = r->db;
	int rc;

	do {
		mutex_lock(&db->commits.mu);
		rc = db_log_switch(db, 0);
		mutex_unlock(&db->commits.mu);
	} while (rc == -ENOSPC && recover_drop_unused_logs(r) != 0);
	if (rc == -ENOSPC)
		log_error("%s: no room for a log; free some space, or mount "
			  "with -o ro",
		    db->store.path);
	if (rc == 0)
		rc = db_sync_log(db, db->logs.current);
	return rc;
}

static int
renew_manifest(struct recovery *r)
{
	int rc;

	do
		rc = db_manifest_renew(r->db);
	while (rc == -ENOSPC && recover_drop_unused_logs(r) != 0);
	return rc;
}

/* Flush what was replayed to tables. On a full disk the logs keep it. */
static int
flush_replayed(struct recovery *r)
{
	struct db *db = r->db;
	int rc = recover_next_memtable(db, db->logs.current->number);

	mutex_lock(&db->mu);
	while (rc == 0 && db->views.current->imm_count > 0)
		rc = db_flush_oldest_locked(db);
	mutex_unlock(&db->mu);
	return rc == -ENOSPC ? 0 : rc;
}

/* After the replay: make it durable, and begin a new log. */
static int
finish_replay(struct recovery *r)
{
	struct db *db = r->db;
	int rc = 0;

	if (r->stop_seq == 0) {
		if (r->replayed_frames != 0)
			rc = recover_sync_replayed(r);
		if (rc == 0)
			rc = begin_log(r);
		return rc == 0 && db->logs.count > REPLAYED_LOGS_MAX ?
		    flush_replayed(r) :
		    rc;
	}
	/* The logs hold frames that must not be replayed again. So everything
	 * that was replayed is flushed, and the logs are not needed any more.
	 * The new log does not continue them. */
	db->logs.recovered_chain = 0;
	rc = begin_log(r);
	if (rc == 0)
		rc = recover_next_memtable(db, db->logs.current->number);
	mutex_lock(&db->mu);
	while (rc == 0 && db->views.current->imm_count > 0)
		rc = db_flush_oldest_locked(db);
	mutex_unlock(&db->mu);
	return rc;
}

/* Without a manifest, only the remains of an interrupted creation of a store
 * may be there. */
static int
check_is_ours(struct recovery *r)
{
	const struct number_list *logs = &r->files.kinds[FILE_WAL];
	int rc = store_files_have(&r->files, FILE_TABLE) ||
	    store_files_have(&r->files, FILE_SEGMENT);

	if (store_files_have(&r->files, FILE_MANIFEST))
		return 0;
	for (size_t i = 0; i < logs->count && rc == 0; i++)
		rc = recover_log_is_used(r, logs->v[i]);
	if (rc < 0)
		return rc;
	if (rc > 0) {
		log_error("%s: damaged: the manifest is missing; run kvfsctl "
			  "repair",
		    r->db->store.path);
		return -KVFS_ECORRUPT;
	}
	if (r->files.foreign) {
		log_error("%s: not a kvfs store, and not empty; name another "
			  "directory",
		    r->db->store.path);
		return -ENOTEMPTY;
	}
	if (!r->db->opts.create || r->db->read_only) {
		log_error("%s: there is no kvfs store here", r->db->store.path);
		return -ENOENT;
	}
	return 0;
}

/*
 * Build the state in memory from manifest and logs. A store that was closed, or
 * is new, gets its log before its next manifest, which names it. So only one
 * record can be missing without a trace in the logs: the last one of a
 * manifest, which closing the store has written.
 */
static int
recover_state(struct recovery *r)
{
	struct db *db = r->db;
	bool is_closed = r->log_number == LOG_NONE;
	int rc = 0;

	atomic_store_explicit(&db->store.next_file, r->next_file,
	    memory_order_relaxed);
	atomic_store_explicit(&db->commits.last_seq, r->last_seq,
	    memory_order_seq_cst);
	atomic_store_explicit(&db->dur.seq, r->last_seq, memory_order_seq_cst);
	db->tree.flushed_seq = r->last_seq;
	if (is_closed && !db->read_only)
		rc = begin_log(r);
	if (rc < 0)
		return rc;
	db->tree.first_log = db->logs.current != NULL ?
	    db->logs.current->number :
	    r->log_number;
	db->commits.mem = db_memtable_create(db, db->tree.first_log);
	if (db->commits.mem == NULL)
		return -ENOMEM;
	mutex_lock(&db->mu);
	rc = view_install_locked(&db->views, db->commits.mem, NULL, 0,
	    r->version);
	mutex_unlock(&db->mu);
	/* Replaying may flush, which needs a manifest. */
	if (rc == 0 && !db->read_only)
		rc = renew_manifest(r);
	if (rc == 0 && !is_closed)
		rc = recover_logs(r);
	if (rc == 0 && !is_closed && !db->read_only)
		rc = finish_replay(r);
	return rc;
}

/* Remove temporary files before anything is written; one of them may have
 * reserved space (slack.c). */
static void
drop_unfinished(struct recovery *r)
{
	const struct number_list *l = &r->files.kinds[FILE_TEMP];

	for (size_t i = 0; i < l->count; i++)
		(void)store_file_unlink(r->db->store.dir, FILE_TEMP, l->v[i]);
	if (l->count != 0)
		env_dir_settle(r->db->store.dir);
}

int
db_recover(struct db *db)
{
	struct recovery r = { .db = db, .log_number = LOG_NONE };
	int rc = store_files_list(db->store.dir, &r.files);

	if (rc == 0)
		rc = check_is_ours(&r);
	if (rc < 0)
		goto out;
	rc = -ENOMEM;
	r.version = version_create(db_table_dropped, db);
	if (r.version == NULL)
		goto out;
	rc = hold_segments(&r);
	if (rc == 0 && store_files_have(&r.files, FILE_MANIFEST))
		rc = load_manifest(&r);
	if (rc < 0)
		goto out;
	if (r.next_file <= store_files_highest(&r.files))
		r.next_file = store_files_highest(&r.files) + 1;
	if (!db->read_only)
		drop_unfinished(&r);
	rc = recover_state(&r);
	if (rc == 0 && !db->read_only)
		remove_orphans(&r);
out:
	/* A store that cannot be opened keeps all its files. */
	if (rc < 0)
		atomic_store_explicit(&db->work.closing, true,
		    memory_order_seq_cst);
	release_segments(&r);
	version_unref(r.version);
	store_files_fini(&r.files);
	return rc;
}
