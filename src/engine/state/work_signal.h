/* SPDX-License-Identifier: ISC */
/* What the background threads know of one another, and what others ask of
 * them. Any thread. */
#ifndef KVFS_ENGINE_STATE_WORK_SIGNAL_H
#define KVFS_ENGINE_STATE_WORK_SIGNAL_H

#include <stdint.h>
#include <stdbool.h>
#include <stdatomic.h>

#include "util/mutex.h"

struct compact_job;

/* The flushes of memtables; guarded by the state lock. */
struct flush_state {
	uint64_t began_ns; /* of the one that runs; 0: none does */
	uint64_t took_ns; /* the last one */
	uint64_t ended_ns; /* when the last one ended; 0: none has */
	uint64_t interval_ns; /* lately, between two */
	int error; /* of the last one */
	uint64_t tries; /* so far */
};

/* Compaction; guarded by the state lock but for the last two. */
struct compact_state {
	unsigned running; /* jobs */
	bool l0_is_taken; /* by one of them */
	struct compact_job *shared_job; /* has parts for other threads */
	bool all_wanted; /* kvfsctl compact */
	uint64_t moving_bytes; /* by the jobs that run */
	uint64_t idle_count; /* how often there was nothing to compact */
	int error; /* of the last job that failed */
	_Atomic uint64_t slow_at_ns; /* when writers will be slowed */
	_Atomic bool abandon; /* jobs stop: the store closes */
};

/* What is deleted is compacted away, as when the store is idle. */
struct tidy_state {
	_Atomic bool is_wanted; /* a scan walked over many dead keys */
	bool is_under_way; /* until nothing is left to do; state lock */
	uint64_t began_ns; /* the last time; state lock */
};

/* Room on the disk, as writers find it. */
struct room_state {
	_Atomic int64_t left; /* bytes, until the disk is asked again */
	_Atomic bool is_short; /* compact as when idle */
	/* A writer waits for room: segments with less than this part live, in
	 * percent, are emptied for him; 0: nobody. */
	_Atomic unsigned relocate_percent;
	struct mutex reclaim_mu; /* one writer looks for room at a time */
	uint64_t reclaim_late_ns; /* when one gave up for want of time */
	struct mutex slack_mu;
	uint64_t slack_number; /* of the file that keeps room; 0: none */
};

struct db;

/* Soon remove what is deleted: scans suffer from it. */
void db_want_tidy(struct db *db);

#endif
