/* SPDX-License-Identifier: ISC */
/*
 * What the timer (work/sync_thread.c) is told: that there are commits for
 * which nobody waits, and that the log is to get a mark.
 */
#include "engine/state/sync_timer.h"

#include "engine/state/db_state.h"
#include "util/clock.h"

/* Without a commit for so long after a sync, the log says how far it is
 * durable. To write that after each sync costs one thread's durable puts a
 * twentieth. */
#define MARK_AFTER_NS 10000000

void
db_timer_want_mark(struct db *db)
{
	if (atomic_load_explicit(&db->timer.wants_mark, memory_order_relaxed) ||
	    atomic_exchange(&db->timer.wants_mark, true))
		return;
	mutex_lock(&db->timer.mu);
	db->timer.mark_due_ns = clock_now_ns() + MARK_AFTER_NS;
	cond_signal(&db->timer.wanted);
	mutex_unlock(&db->timer.mu);
}

/* Let the timer know of the first commit that nothing has made durable. */
void
db_timer_arm(struct db *db)
{
	bool idle;

	if (atomic_load_explicit(&db->timer.is_pending, memory_order_relaxed) ||
	    atomic_exchange(&db->timer.is_pending, true))
		return;
	mutex_lock(&db->timer.mu);
	idle = db->timer.first_unsynced_ns == 0;
	if (idle)
		db->timer.first_unsynced_ns = clock_now_ns();
	mutex_unlock(&db->timer.mu);
	/* A timer that runs already ends soon enough; waking its thread for
	 * each commit after an fsync would cost a file made and synced a
	 * tenth of its time. */
	if (idle)
		cond_signal(&db->timer.wanted);
}
