/* SPDX-License-Identifier: ISC */
/* What the timer (work/sync_thread.c) is told. Any thread; does not wait. */
#ifndef KVFS_ENGINE_STATE_SYNC_TIMER_H
#define KVFS_ENGINE_STATE_SYNC_TIMER_H

#include <stdint.h>
#include <stdbool.h>
#include <stdatomic.h>

#include "util/mutex.h"

struct db;

struct sync_timer {
	_Atomic bool is_pending; /* the timer knows of unsynced commits */
	_Atomic bool wants_mark; /* it is to leave a mark in the log */
	struct mutex mu;
	struct cond wanted; /* it has something to do */
	bool stop GUARDED_BY(mu);
	uint64_t first_unsynced_ns GUARDED_BY(mu); /* 0: nothing waits */
	uint64_t mark_due_ns GUARDED_BY(mu); /* 0: no mark is owed */
	uint64_t marked_seq; /* the last mark's; guarded by commit_mu */
};

/* A commit was made that nobody waits for: have it synced in time. */
void db_timer_arm(struct db *db);
/* After a sync: leave a mark in the log, unless a commit comes first. */
void db_timer_want_mark(struct db *db);

#endif
