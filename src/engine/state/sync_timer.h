/* SPDX-License-Identifier: ISC */
/* Requests to the timer (work/sync_thread.c). Threading: any thread; the
 * functions do not wait. */
#ifndef KVFS_ENGINE_STATE_SYNC_TIMER_H
#define KVFS_ENGINE_STATE_SYNC_TIMER_H

#include <stdint.h>
#include <stdbool.h>
#include <stdatomic.h>

#include "util/mutex.h"

struct db;

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
void db_timer_arm(struct db *db);
/* After a sync: have a durable mark appended, unless a commit comes first. */
void db_timer_want_mark(struct db *db);

#endif
