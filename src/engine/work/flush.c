/* SPDX-License-Identifier: ISC */
/*
 * The flush thread: memtables become level 0 tables, logs are made ahead
 * and recycled, files that nobody holds are unlinked, and an idle store is
 * tidied up.
 */
#include <errno.h>
#include <stdlib.h>

#include "engine/state/db_state.h"
#include "engine/compact/output.h"
#include "util/clock.h"
#include "util/log.h"

#define TICK_NS 1000000000ULL
/* An idle store flushes a memtable from this size on, or when it is a good
 * part of all there is, or would free a lot. */
#define IDLE_FLUSH_BYTES (1u << 20)
#define IDLE_FLUSH_RECLAIM (4u << 20)
#define IDLE_FLUSH_LEAST (64u << 10)
/* One that is short of room flushes a memtable that hides so much. */
#define PRESSED_FLUSH_BYTES (4u << 20)
/* Scans that meet many deleted keys have them removed no more often. */
#define TIDY_EVERY_NS 1000000000ULL

int
db_write_memtable(struct db *db, struct memtable *m, struct version_edit *e)
{
	struct output out = { .db = db,
		.edit = e,
		.separate = true,
		.one_table = true };
	struct version *below;
	uint64_t *snapshots, taken;
	int rc;

	mutex_lock(&db->mu);
	rc = db_snapshot_list_locked(db, &snapshots, &out.snapshot_count);
	below = db->view->version;
	version_ref(below);
	mutex_unlock(&db->mu);
	if (rc == 0) {
		out.snapshots = snapshots;
		out.below = below;
		taken = db_memory_begin_work(db, 0, atomic_load(&m->entries),
		    0);
		rc = output_merge(&out, memtable_iter(m));
		db_memory_end_work(db, taken);
	}
	/* Pointers are in the log only until now: what they name must be as
	 * durable as the table. */
	if (rc == 0 && out.entries_out != 0)
		rc = db_segment_sync(db);
	counter_add(&db->stats.flush_bytes, out.bytes_written);
	free(snapshots);
	version_unref(below);
	return rc;
}

int
db_flush_oldest_locked(struct db *db)
{
	unsigned n = db->view->imm_count;
	struct memtable *m = db->view->imm[n - 1];
	struct memtable *next = n > 1 ? db->view->imm[n - 2] : db->view->mem;
	struct version_edit e = { 0 };
	struct db_log *log = NULL;
	uint64_t start = clock_now_ns();
	int rc;

	memtable_ref(m);
	db->flushing++;
	db->flush_began_ns = start;
	e.log_number = next->first_log;
	for (size_t i = 0; i < db->log_count; i++)
		if (db->logs[i]->number == e.log_number)
			log = db->logs[i];
	if (log != NULL)
		atomic_fetch_add(&log->refs, 1);
	mutex_unlock(&db->mu);
	rc = db_write_memtable(db, m, &e);
	if (rc == -ENOSPC && db_slack_spend(db)) {
		uint64_t log_number = e.log_number;

		db_edit_abandon(db, &e);
		e = (struct version_edit){ .log_number = log_number };
		rc = db_write_memtable(db, m, &e);
	}
	/* The manifest will name that log as the first: it must be there. */
	if (rc == 0 && log != NULL)
		rc = db_sync_log(db, log);
	db_log_put(db, log);
	if (rc < 0) {
		db_edit_abandon(db, &e);
		segment_seal_active(db);
	}
	mutex_lock(&db->mu);
	if (rc == 0)
		rc = db_install_locked(db, &e, m);
	db->flush_began_ns = 0;
	db->flush_took_ns = clock_now_ns() - start;
	if (rc == 0) {
		db_log_release_locked(db, db->first_log);
		db_now_durable(db, m->max_seq, m->last_commit);
		compact_pace_flushed_locked(db);
		counter_add(&db->stats.flushes, 1);
		histogram_add(&db->stats.flush_ns, db->flush_took_ns);
		db_update_delay_locked(db);
	} else if (rc == -ENOSPC) {
		log_warn("%s: no room to flush; free some space", db->dir);
	} else if (rc != -ENOMEM) {
		db_poison(db, rc, "cannot flush a memtable");
	}
	db->background_error = rc;
	db->flush_tries++;
	db->flushing--;
	memtable_unref(m);
	cond_broadcast(&db->progress);
	cond_broadcast(&db->work);
	return rc;
}

int
db_await_flush_locked(struct db *db, uint64_t tries)
{
	if (db_error(db) < 0)
		return -EIO;
	if (db->background_error == -ENOSPC) {
		if (db->flush_tries != tries)
			return -ENOSPC;
		/* That was before; there may be room now. */
		cond_broadcast(&db->work);
	}
	cond_wait(&db->progress, &db->mu);
	return 0;
}

int
db_flush_all(struct db *db)
{
	uint64_t seq = atomic_load(&db->last_seq), tries;
	int rc = db_rotate(db);

	mutex_lock(&db->mu);
	tries = db->flush_tries;
	while (rc == 0 && db->view->imm_count > 0 && db->flushed_seq < seq)
		rc = db_await_flush_locked(db, tries);
	mutex_unlock(&db->mu);
	return rc;
}

static uint64_t
tree_bytes(const struct version *v)
{
	uint64_t n = 0;

	for (int i = 0; i < LEVELS; i++)
		n += v->levels[i].bytes;
	return n;
}

void
db_want_tidy(struct db *db)
{
	if (atomic_exchange(&db->tidy_wanted, true))
		return;
	mutex_lock(&db->mu);
	cond_broadcast(&db->work);
	mutex_unlock(&db->mu);
}

/* Scans suffer: compact what is deleted away, and say whether what is in
 * memory should go to a table first. */
static bool
begin_tidying_locked(struct db *db) REQUIRES(&db->mu)
{
	uint64_t now = clock_now_ns();

	if (!atomic_load(&db->tidy_wanted) || db->view->imm_count != 0 ||
	    now - db->tidied_ns < TIDY_EVERY_NS)
		return false;
	atomic_store(&db->tidy_wanted, false);
	db->tidied_ns = now;
	db->tidying = true;
	cond_broadcast(&db->work);
	return memtable_bytes(db->view->mem) >= IDLE_FLUSH_BYTES;
}

/* Whether an idle store would be better off without what is in memory. */
static bool
is_worth_flushing_locked(struct db *db) REQUIRES(&db->mu)
{
	const struct memtable *m = db->view->mem;
	uint64_t bytes = memtable_bytes(m), hides, tree;

	if (memtable_is_empty(m) || db->view->imm_count != 0)
		return false;
	/* What it hides in segments can go only then. */
	hides = db_memtable_hides_locked(db);
	if (atomic_load(&db->pressed) && hides >= PRESSED_FLUSH_BYTES)
		return true;
	if (!db_is_idle(db))
		return false;
	tree = tree_bytes(db->view->version);
	return bytes >= IDLE_FLUSH_BYTES || bytes >= tree / 8 ||
	    hides >= IDLE_FLUSH_RECLAIM ||
	    (hides >= IDLE_FLUSH_LEAST && hides >= tree / 8) ||
	    atomic_exchange(&db->tidy_wanted, false);
}

/* An idle store needs no large logs ahead. */
static void
shrink_logs_locked(struct db *db) REQUIRES(&db->mu)
{
	uint64_t least = atomic_load(&db->sizes.log_min_bytes);

	if (db->log_bytes_next > least)
		db_log_drop_spares_locked(db);
	db->log_bytes_next = least;
}

/* The store is idle: make its logs small, and say whether what is in memory
 * should go to a table. */
static bool
begin_resting_locked(struct db *db) REQUIRES(&db->mu)
{
	if (!is_worth_flushing_locked(db))
		return false;
	shrink_logs_locked(db);
	return true;
}

/* Not one that was flushed before its time. */
static bool
is_oldest_full_locked(struct db *db) REQUIRES(&db->mu)
{
	const struct memtable *m = db->view->imm[db->view->imm_count - 1];

	return memtable_bytes(m) >= db->opts.memtable_bytes / 2;
}

void *
db_flush_thread(void *arg)
{
	struct db *db = arg;
	bool waiting = false; /* for room on the disk */

	mutex_lock(&db->mu);
	while (!db->stop) {
		if (db->view->imm_count > 0 && !waiting && db_error(db) == 0) {
			bool was_full = is_oldest_full_locked(db);

			waiting = db_flush_oldest_locked(db) < 0;
			/* The next one may become as large. */
			if (was_full && !waiting)
				db_memory_prepare_locked(db);
		} else if (db->spare_wanted && db->spare_log == NULL &&
		    !waiting && db_error(db) == 0) {
			db_log_prepare_locked(db);
		} else if (db_error(db) == 0 &&
		    (begin_tidying_locked(db) || begin_resting_locked(db))) {
			mutex_unlock(&db->mu);
			(void)db_rotate(db);
			mutex_lock(&db->mu);
		} else {
			/* Those who wait look at the error (db_poison). */
			if (db_error(db) < 0)
				cond_broadcast(&db->progress);
			mutex_unlock(&db->mu);
			db_remove_doomed(db);
			if (db_is_idle(db)) {
				page_pool_fill(&db->pages, 0, 0);
				/* What has become free is shown soon. */
				if (atomic_exchange(&db->removed_files, false))
					env_dir_settle(db->store);
			}
			db_room_forget(db);
			db_slack_keep(db);
			db_watch_directory(db);
			mutex_lock(&db->mu);
			if (db->stop)
				break;
			cond_wait_until(&db->work, &db->mu,
			    clock_now_ns() + TICK_NS);
			waiting = false;
		}
	}
	mutex_unlock(&db->mu);
	return NULL;
}
