/* SPDX-License-Identifier: ISC */
/* What background threads know of one another, and requests to them. Threading:
 * any thread. */
#ifndef KVFS_ENGINE_STATE_WORK_SIGNAL_H
#define KVFS_ENGINE_STATE_WORK_SIGNAL_H

#include <pthread.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdatomic.h>

#include "util/mutex.h"

struct compact_job;

/* A background thread that waits for work looks by itself after so long. */
#define WORK_TICK_NS 1000000000ULL

/* Flushes of memtables; guarded by the state lock. */
struct flush_state {
	uint64_t began_ns; /* start of the running one; 0: none */
	uint64_t took_ns; /* duration of the last one */
	uint64_t ended_ns; /* end of the last one; 0: none yet */
	uint64_t interval_ns; /* moving average between two ends */
	int error; /* of the last one */
	uint64_t tries; /* how many so far */
};

/* Compaction; guarded by the state lock, except the last two members. */
struct compact_state {
	unsigned running; /* number of running jobs */
	bool l0_is_taken; /* a running job merges level 0 */
	struct compact_job *shared_job; /* a job with parts for other threads */
	bool all_wanted; /* requested by kvfsctl compact */
	uint64_t moving_bytes; /* by the running jobs */
	uint64_t idle_count; /* how often a thread found nothing to compact */
	int error; /* of the last job that failed */
	_Atomic uint64_t slow_at_ns; /* estimate of when writers will be
	                                slowed down */
	_Atomic bool abandon; /* the store closes: jobs have to end */
};

/* Compaction of deletions, as in an idle store, on request. */
struct tidy_state {
	_Atomic bool is_wanted; /* a scan passed over many deleted keys */
	bool is_under_way; /* until nothing is left to compact; guarded by
	                      the state lock */
	uint64_t began_ns; /* the last start; guarded by the state lock */
};

/*
 * Free space, as writers see it. The flags of tidy_state, compact_state and
 * here are wishes: sequentially consistent, and a thread that sets one wakes
 * the others under the state lock after it, if they have to see it at once.
 * Figures are relaxed.
 */
struct room_state {
	_Atomic int64_t left; /* bytes, until the disk is asked again */
	_Atomic bool is_short; /* compact as in an idle store */
	/* While a writer waits for space: empty segments whose live part, in
	 * percent, is below this. Else 0. */
	_Atomic unsigned relocate_percent;
	struct mutex reclaim_mu; /* one writer frees space at a time */
	uint64_t reclaim_late_ns; /* when the last attempt timed out */
	struct mutex slack_mu;
	uint64_t slack_number; /* the file that reserves space; 0: none */
};

/* Used by the thread that opens and closes the store. */
struct db_threads {
	pthread_t flush, sync;
	pthread_t *compact;
	unsigned compact_count;
	bool has_flush, has_sync;
};

/* The background threads. */
struct work_state {
	struct flush_state flush;
	struct compact_state compact;
	struct tidy_state tidy;
	struct db_threads threads;
	_Atomic bool
	    closing; /* what is dropped from now on stays on the disk */
	/* guarded by the state lock */
	struct cond wanted; /* wakes them */
	struct cond progress; /* a flush or compaction has ended */
	bool stop; /* they have to end */
};

static inline unsigned
room_relocate_percent(const struct room_state *r)
{
	return atomic_load_explicit(&r->relocate_percent, memory_order_relaxed);
}

struct db;

/* Request compaction of deletions, because scans pass over them. */
void db_want_tidy(struct db *db);

#endif
