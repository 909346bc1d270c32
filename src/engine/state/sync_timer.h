/* SPDX-License-Identifier: ISC */
/* Requests to the timer (work/sync_thread.c). Threading: any thread; the
 * functions do not wait. */
#ifndef KVFS_ENGINE_STATE_SYNC_TIMER_H
#define KVFS_ENGINE_STATE_SYNC_TIMER_H

#include <stdint.h>
#include <stdbool.h>
#include <stdatomic.h>

#include "util/mutex.h"

struct durability;

/*
 * Of the two flags, set by the first who wants something: a sync clears
 * is_pending and then takes commit_mu to read what it covers, and a commit
 * sets it after it held commit_mu, so that a commit that is not covered finds
 * it clear. wants_mark is cleared before the mark is appended. Who finds a
 * flag set may read it relaxed.
 */
struct sync_timer {
	_Atomic bool is_pending; /* the timer knows about unsynced commits */
	_Atomic bool wants_mark; /* a durable mark is to be appended to the
	                            log */
	struct mutex mu;
	struct cond wanted; /* the timer has work */
	bool stop GUARDED_BY(mu);
	uint64_t first_unsynced_ns GUARDED_BY(mu); /* 0: all is synced */
	uint64_t mark_due_ns GUARDED_BY(mu); /* 0: no mark is wanted */
	uint64_t marked_seq; /* of the last mark; guarded by commit_state.mu */
};

/* A commit was made that nobody waits for: have it synced in time. */
void db_timer_arm(struct durability *dur);
/* After a sync: have a durable mark appended, unless a commit comes first. */
void db_timer_want_mark(struct durability *dur);

#endif
