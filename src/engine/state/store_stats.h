/* SPDX-License-Identifier: ISC */
/*
 * What the store counts of its work, since it was opened. Any thread; sums
 * are as exact as stats.h says.
 */
#ifndef KVFS_ENGINE_STATE_STORE_STATS_H
#define KVFS_ENGINE_STATE_STORE_STATS_H

#include "util/stats.h"

/* Of so many gets one is timed: to read the clock takes a tenth as long. */
#define GET_SAMPLE 16

struct db_stats {
	struct counter gets, get_hits, commits, records, scans;
	struct counter user_bytes; /* keys and values committed */
	struct counter log_bytes, flush_bytes, compact_read_bytes,
	    compact_write_bytes, segment_bytes;
	struct counter syncs, sync_waits, stalls, stall_ns, pace_ns;
	struct counter flushes, compactions, moves, relocations;
	struct counter shared_parts; /* of compactions, in other threads */
	/* Of values and log bodies. */
	struct counter compress_tries, compress_skips, compress_saved_bytes;
	struct histogram commit_ns, sync_ns, one_stall_ns, flush_ns, compact_ns;
	struct histogram get_ns; /* of one in GET_SAMPLE */
	struct histogram sync_commits; /* that a sync made durable */
};

#endif
