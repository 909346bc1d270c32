/* SPDX-License-Identifier: ISC */
/*
 * Statistics of a store's work since it was opened.
 * Threading: any thread; sums are as exact as stats.h says.
 */
#ifndef KVFS_ENGINE_STATE_STORE_STATS_H
#define KVFS_ENGINE_STATE_STORE_STATS_H

#include "util/stats.h"

/* One get of so many is timed; reading the clock takes a tenth of a get's
 * time. */
#define GET_SAMPLE 16

struct db_stats {
	struct counter gets, get_hits, commits, records, scans;
	struct counter user_bytes; /* keys and values that were committed */
	struct counter log_bytes, flush_bytes, compact_read_bytes,
	    compact_write_bytes, segment_bytes;
	struct counter syncs, sync_waits, stalls, stall_ns, pace_ns;
	struct counter flushes, compactions, moves, relocations;
	struct counter shared_parts; /* parts of compactions that other
	                                threads have run */
	/* Of values and log bodies. */
	struct counter compress_tries, compress_skips, compress_saved_bytes;
	struct histogram commit_ns, sync_ns, one_stall_ns, flush_ns, compact_ns;
	struct histogram get_ns; /* of one get in GET_SAMPLE */
	struct histogram sync_commits; /* how many commits each sync made
	                                  durable */
};

#endif
