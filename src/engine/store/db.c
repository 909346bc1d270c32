/* SPDX-License-Identifier: ISC */
/*
 * The embedded store: opening, closing, and the table of functions behind kv.h.
 * doc/engine.md explains how it works.
 */
#include "engine/store/db.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "engine/compact/compact.h"
#include "engine/env/filename.h"
#include "engine/key/iter.h"
#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/state/state_check.h"
#include "engine/state/disk_space.h"
#include "engine/state/obsolete.h"
#include "engine/state/durability.h"
#include "engine/state/fault.h"
#include "engine/state/install.h"
#include "engine/state/log_make.h"
#include "engine/state/log_set.h"
#include "engine/state/segment_set.h"
#include "engine/state/snapshot.h"
#include "engine/state/store_lock.h"
#include "engine/state/view.h"
#include "engine/store/backup.h"
#include "engine/store/commit.h"
#include "engine/store/db_control.h"
#include "engine/store/db_iter.h"
#include "engine/store/db_read.h"
#include "engine/store/db_report.h"
#include "engine/store/db_warm.h"
#include "engine/store/foreign.h"
#include "engine/store/recover.h"
#include "engine/table/table_builder.h"
#include "engine/tree/version.h"
#include "engine/work/flush.h"
#include "engine/work/housekeeper.h"
#include "engine/work/reserve.h"
#include "engine/work/slack.h"
#include "engine/work/sync_thread.h"
#include "util/clock.h"
#include "util/event.h"
#include "util/invariant.h"
#include "util/log.h"
#include "util/page_pool.h"

/*
 * Limits for open tables and segments; each one uses a descriptor. OTHER_FILES
 * of the process's descriptors are for logs, the manifest, outputs and the
 * caller. Half of the rest is for open tables and segments, and a quarter for
 * segments that wait for a sync.
 */
#define OPEN_FILES_MAX 512
#define OTHER_FILES 20
/* Indexes and filters may use this part of the cache's bound: they take 1.6 %
 * of a tree of small rows, so 16 MiB are enough for 1 GiB. */
#define INDEX_PART 2

static int db_close(struct kv *kv);

static const struct kv_control_ops db_control_ops = {
	.report = db_report,
	.check = db_check,
	.flush = db_flush,
	.compact = db_compact,
	.set_sync = db_set_sync,
	.set_wal_buffer = db_set_wal_buffer,
	.set_cache = db_set_cache,
	.set_max_size = db_set_max_size,
};

static const struct kv_ops db_ops = {
	.get = db_get,
	.commit = db_commit,
	.settle = db_settle,
	.sync = db_sync,
	.iter_open = db_iter_open,
	.snapshot = db_snapshot,
	.snapshot_release = db_snapshot_release,
	.usage = db_usage,
	.memory = db_memory,
	.reserve = db_reserve,
	.backup_open = db_backup_open,
	.close = db_close,
	.control = &db_control_ops,
};

/* How many descriptors the process may have. */
static rlim_t
descriptor_limit(void)
{
	struct rlimit rl;

	return getrlimit(RLIMIT_NOFILE, &rl) == 0 ? rl.rlim_cur : RLIM_INFINITY;
}

/* How many tables and segments may stay open. */
static unsigned
open_files_max(void)
{
	rlim_t limit = descriptor_limit();

	if (limit >= 2 * OPEN_FILES_MAX + OTHER_FILES)
		return OPEN_FILES_MAX;
	return limit > OTHER_FILES + 2 ? (unsigned)(limit - OTHER_FILES) / 2 :
					 1;
}

/* Takes store, except on failure. */
static struct db *
db_create(struct env_dir *store, const struct kv_options *opts)
{
	struct db *db = aligned_alloc(64, (sizeof(*db) + 63) & ~(size_t)63);

	if (db == NULL)
		return NULL;
	memset(db, 0, sizeof(*db));
	db->kv.ops = &db_ops;
	db->kv.caps = KV_CAP_ATOMIC_STORE | KV_CAP_DURABLE;
	db->store.dir = store;
	db->store.path = store->path;
	db->opts = *opts;
	db->opts.owner = NULL;
	db->read_only = opts->read_only;
	if (db->read_only)
		db->kv.caps |= KV_CAP_READ_ONLY;
	table_options_init(&db->table_opts);
	db->table_opts.compress = opts->compress;
	atomic_init(&db->delay.last_commit_ns, clock_now_ns());
	atomic_init(&db->dur.mode, opts->sync);
	atomic_init(&db->dur.every_commits, opts->sync_commits);
	atomic_init(&db->dur.every_ms, opts->sync_ms);
	atomic_init(&db->logs.buffer_bytes, opts->wal_buffer_bytes);
	db->segs.writers_max = open_files_max() / 2 + 1;
	RB_INIT(&db->segs.tree);
	page_pool_init(&db->caches.memory.pages);
	mutex_init(&db->room.reclaim_mu);
	mutex_init(&db->commits.mu);
	mutex_init(&db->dur.timer.mu);
	mutex_init(&db->mu);
	views_init(&db->views, &db->mu);
	snapshots_init(&db->snapshots, &db->mu);
	mutex_init(&db->segs.mu);
	mutex_init(&db->room.slack_mu);
	mutex_init(&db->store.obsolete.remove_mu);
	mutex_init(&db->store.obsolete.mu);
	mutex_init(&db->fault.mu);
	event_init(&db->dur.done);
	cond_init(&db->dur.timer.wanted);
	cond_init(&db->work.wanted);
	cond_init(&db->work.progress);
	db->caches.blocks = block_cache_create(opts->cache_bytes);
	if (db->caches.blocks != NULL)
		db->caches.tables = table_cache_create(store, db->caches.blocks,
		    open_files_max(), opts->cache_bytes / INDEX_PART);
	db->work.threads.compact = calloc(opts->compaction_threads + 1,
	    sizeof(pthread_t));
	return db;
}

static void
stop_threads(struct db *db)
{
	atomic_store_explicit(&db->work.compact.abandon, true,
	    memory_order_seq_cst);
	mutex_lock(&db->mu);
	db->work.stop = true;
	cond_broadcast(&db->work.wanted);
	mutex_unlock(&db->mu);
	for (unsigned i = 0; i < db->work.threads.compact_count; i++)
		pthread_join(db->work.threads.compact[i], NULL);
	db->work.threads.compact_count = 0;
	if (db->work.threads.has_flush)
		pthread_join(db->work.threads.flush, NULL);
	db->work.threads.has_flush = false;
	mutex_lock(&db->dur.timer.mu);
	db->dur.timer.stop = true;
	cond_broadcast(&db->dur.timer.wanted);
	mutex_unlock(&db->dur.timer.mu);
	if (db->work.threads.has_sync)
		pthread_join(db->work.threads.sync, NULL);
	db->work.threads.has_sync = false;
}

static void
db_free(struct db *db)
{
	if (db == NULL)
		return;
	db_warm_free(db);
	stop_threads(db);
	if (HAVE_CHECKS)
		memory_use_check(&db->caches.memory, true);
	obsolete_files_remove(db);
	/* From here on, files that lose their last reference are kept. */
	atomic_store_explicit(&db->work.closing, true, memory_order_seq_cst);
	for (size_t i = 0; i < db->logs.count; i++)
		db_log_put(db, db->logs.all[i]);
	free(db->logs.all);
	db_log_put(db, db->logs.spare);
	db_log_put(db, db->logs.recycled);
	memtable_unref(db->commits.mem);
	view_clear_slots(&db->views);
	view_unref(db->views.current);
	segment_seal_active(db);
	manifest_close(db->tree.manifest);
	if (db->caches.tables != NULL)
		table_cache_destroy(db->caches.tables);
	if (db->caches.blocks != NULL)
		block_cache_destroy(db->caches.blocks);
	store_lock_drop(&db->store.lock);
	env_dir_close(db->store.dir);
	page_pool_fini(&db->caches.memory.pages);
	cond_fini(&db->work.progress);
	cond_fini(&db->work.wanted);
	cond_fini(&db->dur.timer.wanted);
	mutex_fini(&db->fault.mu);
	mutex_fini(&db->store.obsolete.mu);
	mutex_fini(&db->store.obsolete.remove_mu);
	mutex_fini(&db->room.slack_mu);
	mutex_fini(&db->segs.mu);
	mutex_fini(&db->mu);
	mutex_fini(&db->dur.timer.mu);
	mutex_fini(&db->commits.mu);
	mutex_fini(&db->room.reclaim_mu);
	free(db->work.threads.compact);
	free(db);
}

static int
start_threads(struct db *db)
{
	int rc = pthread_create(&db->work.threads.flush, NULL, db_housekeeper,
	    db);

	db->work.threads.has_flush = rc == 0;
	if (rc == 0) {
		rc = pthread_create(&db->work.threads.sync, NULL,
		    db_sync_thread, db);
		db->work.threads.has_sync = rc == 0;
	}
	for (unsigned i = 0; i < db->opts.compaction_threads && rc == 0; i++) {
		rc = pthread_create(&db->work.threads.compact[i], NULL,
		    db_compact_thread, db);
		if (rc == 0)
			db->work.threads.compact_count++;
	}
	if (rc != 0)
		log_error("%s: cannot start a thread: %s", db->store.path,
		    strerror(rc));
	return -rc;
}

/* Open the store's directory. If opts.create is set, make it, durably. */
static int
open_directory(struct env *env, const char *dir, const struct kv_options *opts,
    struct env_dir **storep)
{
	int rc = env_dir_open(env, dir, storep);

	if (rc == -ENOENT && opts->create && !opts->read_only) {
		rc = env_dir_make(env, dir, storep);
		if (rc == -EEXIST)
			rc = env_dir_open(env, dir, storep);
		if (rc < 0)
			log_error("%s: cannot make the store: %s", dir,
			    strerror(-rc));
	} else if (rc < 0) {
		log_error("%s: %s", dir,
		    rc == -ENOENT ? "there is no kvfs store here" :
				    strerror(-rc));
	}
	return rc;
}

int
db_open_in(struct env_dir *store, const struct kv_options *opts,
    struct kv **kvp)
{
	struct db *db = db_create(store, opts);
	int rc = -ENOMEM;

	*kvp = NULL;
	if (db == NULL || db->caches.blocks == NULL ||
	    db->caches.tables == NULL || db->work.threads.compact == NULL) {
		log_error("%s: not enough memory to open the store",
		    store->path);
		if (db == NULL)
			env_dir_close(store);
		goto fail;
	}
	rc = foreign_refuse(store);
	if (rc == 0 && descriptor_limit() < PROCESS_FILES_MIN) {
		log_error("%s: a store needs %d open files, and this process "
			  "may have %llu: raise the limit (ulimit -n)",
		    store->path, PROCESS_FILES_MIN,
		    (unsigned long long)descriptor_limit());
		rc = -EMFILE;
	}
	if (rc < 0)
		goto fail;
	rc = store_lock_take(&db->store.lock, store,
	    db->read_only ? ENV_LOCK_SHARED : ENV_LOCK_EXCLUSIVE, opts->owner,
	    opts->wait_ms);
	if (rc == 0) {
		db_space_init(db);
		rc = db_recover(db);
	}
	if (rc == 0 && !db->read_only)
		rc = start_threads(db);
	if (rc < 0)
		goto fail;
	db_warm_start(db);
	*kvp = &db->kv;
	return 0;
fail:
	db_free(db);
	return rc;
}

int
db_open(struct env *env, const char *dir, const struct kv_options *opts,
    struct kv **kvp)
{
	struct env_dir *store;
	int rc = open_directory(env, dir, opts, &store);

	*kvp = NULL;
	return rc == 0 ? db_open_in(store, opts, kvp) : rc;
}

int
kv_open(const char *dir, const struct kv_options *opts, struct kv **kvp)
{
	return db_open(env_posix(), dir, opts, kvp);
}

/* Flush everything to tables, so that the next opening needs no log. */
static int
flush_for_close(struct db *db)
{
	struct version_edit e = { .log_number = LOG_NONE };
	int rc = db_flush_all(db);

	if (rc == -ENOSPC) {
		/* The logs have all commits: the next opening replays them. */
		log_warn("%s: no room to flush; the log is kept",
		    db->store.path);
		return db_sync_all(db);
	}
	if (rc < 0)
		return rc;
	stop_threads(db);
	mutex_lock(&db->mu);
	rc = db_install_locked(db, &e, NULL);
	if (rc == 0)
		db_log_release_locked(db, LOG_NONE);
	if (rc == 0 && db->logs.recycled != NULL)
		obsolete_file_add(db, FILE_WAL, db->logs.recycled->number);
	if (rc == 0 && db->logs.spare != NULL)
		obsolete_file_add(db, FILE_WAL, db->logs.spare->number);
	mutex_unlock(&db->mu);
	db_slack_close(db);
	return rc;
}

static int
db_close(struct kv *kv)
{
	struct db *db = db_of(kv);
	int rc = 0;

	db_warm_stop(db);
	if (!db->read_only)
		rc = fault_error(&db->fault) < 0 ? -EIO : flush_for_close(db);
	if (!db->read_only && rc == 0)
		db_warm_save(db);
	if (HAVE_CHECKS)
		db_state_check(db);
	db_free(db);
	return rc;
}

int
kv_owner(const char *dir, struct kv_owner *ownerp)
{
	struct env_dir *store;
	int rc = env_dir_open(env_posix(), dir, &store);

	*ownerp = (struct kv_owner){ 0 };
	if (rc == 0)
		rc = store_lock_owner(store, ownerp);
	env_dir_close(store);
	return rc;
}
