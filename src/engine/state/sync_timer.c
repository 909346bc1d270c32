/* SPDX-License-Identifier: ISC */
/*
 * Requests to the timer (work/sync_thread.c): to sync commits that nobody waits
 * for, and to append a durable mark to the log.
 */
#include "engine/state/sync_timer.h"

#include "engine/state/db_state.h"
#include "util/clock.h"

/* If there is no commit for so long after a sync, a durable mark is appended to
 * the log. A mark after each sync would cost one thread's durable puts a
 * twentieth of their rate. */
#define MARK_AFTER_NS 10000000

void
db_timer_want_mark(struct durability *dur)
{
	if (atomic_load_explicit(&dur->timer.wants_mark,
		memory_order_relaxed) ||
	    atomic_exchange_explicit(&dur->timer.wants_mark, true,
		memory_order_seq_cst))
		return;
	mutex_lock(&dur->timer.mu);
	dur->timer.mark_due_ns = clock_now_ns() + MARK_AFTER_NS;
	cond_signal(&dur->timer.wanted);
	mutex_unlock(&dur->timer.mu);
}

/* Tell the timer about the first commit that is not durable. */
void
db_timer_arm(struct durability *dur)
{
	bool idle;

	if (atomic_load_explicit(&dur->timer.is_pending,
		memory_order_relaxed) ||
	    atomic_exchange_explicit(&dur->timer.is_pending, true,
		memory_order_seq_cst))
		return;
	mutex_lock(&dur->timer.mu);
	idle = dur->timer.first_unsynced_ns == 0;
	if (idle)
		dur->timer.first_unsynced_ns = clock_now_ns();
	mutex_unlock(&dur->timer.mu);
	/* A timer that is already running is early enough. Waking its thread
	 * for each commit after an fsync would take a tenth of the time to
	 * create and sync a file. */
	if (idle)
		cond_signal(&dur->timer.wanted);
}
