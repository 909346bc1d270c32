/* SPDX-License-Identifier: ISC */
/*
 * The timer: syncs for commits that nobody waits for (sync=interval, hybrid),
 * and a while after the last sync of a busy time it leaves a mark in the log.
 */
#include <errno.h>

#include "engine/state/db_state.h"
#include "util/clock.h"

#define NS_PER_MS 1000000ULL
/* Without a commit for so long after a sync, the log says how far it is
 * durable. To write that after each sync costs one thread's durable puts a
 * twentieth. */
#define MARK_AFTER_NS 10000000

/*
 * When nothing was committed since, say in the log itself how far it is
 * durable: the next frame may be long in coming, and damage to what was
 * synced should be seen as such (wal.h).
 */
static void
leave_mark(struct db *db)
{
	struct wal_body none = { 0 };
	uint64_t seq;

	mutex_lock(&db->commit_mu);
	seq = atomic_load(&db->durable_seq);
	if (db_error(db) == 0 && seq != db->marked_seq &&
	    seq == atomic_load(&db->last_seq) &&
	    wal_writer_has_room(db->log->writer, &none)) {
		int rc = wal_writer_append(db->log->writer, NULL, seq + 1, 0,
		    seq);

		/* On a full disk it is done without, or waits. */
		if (rc == 0)
			rc = wal_writer_flush(db->log->writer);
		if (rc < 0 && rc != -ENOSPC)
			db_poison(db, rc, "cannot write %s", db->log->path);
		db->marked_seq = seq;
	}
	mutex_unlock(&db->commit_mu);
}

void
db_timer_owe_mark(struct db *db)
{
	if (atomic_load_explicit(&db->mark_owed, memory_order_relaxed) ||
	    atomic_exchange(&db->mark_owed, true))
		return;
	mutex_lock(&db->sync_mu);
	db->mark_due_ns = clock_now_ns() + MARK_AFTER_NS;
	cond_signal(&db->sync_wanted);
	mutex_unlock(&db->sync_mu);
}

/* Let the timer know of the first commit that nothing has made durable. */
void
db_timer_arm(struct db *db)
{
	bool idle;

	if (atomic_load_explicit(&db->sync_pending, memory_order_relaxed) ||
	    atomic_exchange(&db->sync_pending, true))
		return;
	mutex_lock(&db->sync_mu);
	idle = db->first_unsynced_ns == 0;
	if (idle)
		db->first_unsynced_ns = clock_now_ns();
	mutex_unlock(&db->sync_mu);
	/* A timer that runs already ends soon enough; waking its thread for
	 * each commit after an fsync would cost a file made and synced a
	 * tenth of its time. */
	if (idle)
		cond_signal(&db->sync_wanted);
}

/* What the timer waits for next. */
static uint64_t
next_due_locked(struct db *db) REQUIRES(&db->sync_mu)
{
	uint64_t due = UINT64_MAX;

	if (db->first_unsynced_ns != 0)
		due = db->first_unsynced_ns +
		    atomic_load(&db->sync_ms) * NS_PER_MS;
	return db->mark_due_ns != 0 && db->mark_due_ns < due ? db->mark_due_ns :
							       due;
}

/* The one or the other that is due; without the lock meanwhile. */
static void
do_due_locked(struct db *db, uint64_t now) REQUIRES(&db->sync_mu)
{
	bool mark = db->mark_due_ns != 0 && db->mark_due_ns <= now;

	if (mark)
		db->mark_due_ns = 0;
	else
		db->first_unsynced_ns = 0;
	mutex_unlock(&db->sync_mu);
	if (mark) {
		atomic_store(&db->mark_owed, false);
		leave_mark(db);
	} else {
		/* From here on a commit arms the timer anew, also when the
		 * sync below finds that another has covered everything. */
		atomic_store(&db->sync_pending, false);
		/* A failure has poisoned the store; nobody waits here. */
		(void)db_sync_all(db);
	}
	mutex_lock(&db->sync_mu);
}

void *
db_sync_thread(void *arg)
{
	struct db *db = arg;
	uint64_t due, now;

	mutex_lock(&db->sync_mu);
	while (!db->timer_stop) {
		due = next_due_locked(db);
		now = clock_now_ns();
		if (due == UINT64_MAX)
			cond_wait(&db->sync_wanted, &db->sync_mu);
		else if (now < due)
			cond_wait_until(&db->sync_wanted, &db->sync_mu, due);
		else
			do_due_locked(db, now);
	}
	mutex_unlock(&db->sync_mu);
	if (atomic_load(&db->mark_owed))
		leave_mark(db);
	return NULL;
}
