/* SPDX-License-Identifier: ISC */
/*
 * The timer thread. It syncs commits that nobody waits for (sync=interval and
 * hybrid). When commits stop, it appends a durable mark to the log.
 */
#include "engine/work/sync_thread.h"

#include <errno.h>

#include "engine/log/wal_writer.h"
#include "engine/state/db_state.h"
#include "engine/state/durability.h"
#include "engine/state/fault.h"
#include "util/clock.h"

/*
 * If nothing was committed since the last sync, append a durable mark: an empty
 * frame that says how far the log is durable. The next frame may come much
 * later, and damage to synced frames has to be detected (wal_format.h).
 */
static void
append_idle_mark(struct db *db)
{
	struct wal_body none = { 0 };
	uint64_t seq;

	mutex_lock(&db->commits.mu);
	seq = atomic_load_explicit(&db->dur.seq, memory_order_seq_cst);
	if (fault_error(&db->fault) == 0 && seq != db->dur.timer.marked_seq &&
	    seq ==
		atomic_load_explicit(&db->commits.last_seq,
		    memory_order_seq_cst) &&
	    wal_writer_has_room(db->logs.current->writer, &none)) {
		int rc = wal_writer_append(db->logs.current->writer, NULL,
		    seq + 1, 0, seq);

		/* On a full disk there is no mark, or it stays in memory. */
		if (rc == 0)
			rc = wal_writer_flush(db->logs.current->writer);
		if (rc < 0 && rc != -ENOSPC)
			db_poison(db, rc, "cannot write %s",
			    db->logs.current->path);
		db->dur.timer.marked_seq = seq;
	}
	mutex_unlock(&db->commits.mu);
}

/* The next time at which the timer has work. */
static uint64_t
next_due_locked(struct durability *dur) REQUIRES(&dur->timer.mu)
{
	uint64_t due = UINT64_MAX;

	mutex_assert_held(&dur->timer.mu);
	if (dur->timer.first_unsynced_ns != 0)
		due = dur->timer.first_unsynced_ns +
		    atomic_load_explicit(&dur->every_ms, memory_order_relaxed) *
			NS_PER_MS;
	return dur->timer.mark_due_ns != 0 && dur->timer.mark_due_ns < due ?
	    dur->timer.mark_due_ns :
	    due;
}

/* Sync, or append the mark. Drops the lock meanwhile. */
static void
do_due_locked(struct db *db, uint64_t now) REQUIRES(&db->dur.timer.mu)
{
	bool mark = db->dur.timer.mark_due_ns != 0 &&
	    db->dur.timer.mark_due_ns <= now;

	mutex_assert_held(&db->dur.timer.mu);
	if (mark)
		db->dur.timer.mark_due_ns = 0;
	else
		db->dur.timer.first_unsynced_ns = 0;
	mutex_unlock(&db->dur.timer.mu);
	if (mark) {
		atomic_store_explicit(&db->dur.timer.wants_mark, false,
		    memory_order_seq_cst);
		append_idle_mark(db);
	} else {
		/* A commit after this point arms the timer again, even if
		 * another sync has covered everything by now. */
		atomic_store_explicit(&db->dur.timer.is_pending, false,
		    memory_order_seq_cst);
		/* A failure has put the store into its failed state; nobody
		 * waits for the result. */
		(void)db_sync_all(db);
	}
	mutex_lock(&db->dur.timer.mu);
}

void *
db_sync_thread(void *arg)
{
	struct db *db = arg;
	uint64_t due, now;

	mutex_lock(&db->dur.timer.mu);
	while (!db->dur.timer.stop) {
		due = next_due_locked(&db->dur);
		now = clock_now_ns();
		if (due == UINT64_MAX)
			cond_wait(&db->dur.timer.wanted, &db->dur.timer.mu);
		else if (now < due)
			cond_wait_until(&db->dur.timer.wanted,
			    &db->dur.timer.mu, due);
		else
			do_due_locked(db, now);
	}
	mutex_unlock(&db->dur.timer.mu);
	if (atomic_load_explicit(&db->dur.timer.wants_mark,
		memory_order_seq_cst))
		append_idle_mark(db);
	return NULL;
}
