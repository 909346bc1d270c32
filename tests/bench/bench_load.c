/* SPDX-License-Identifier: ISC */
/* Which works there are; see bench_load.h. */
#include "bench/bench_load.h"

#define UNSYNCED (PROFILE_THROUGHPUT | PROFILE_BALANCED)

/* Reading does not depend on who syncs the log. */
const struct bench_load bench_loads[] = {
	{ "put", "random puts and overwrites, 1 and 4 threads", UNSYNCED, false,
	    load_put },
	{ "batch", "atomic batches of 1,000", UNSYNCED | PROFILE_DURABLE, false,
	    load_batch },
	{ "durable", "puts, 1, 4, 8 and 32 threads", PROFILE_DURABLE, false,
	    load_durable },
	{ "read", "gets and scans of a store that fits in the cache",
	    PROFILE_BALANCED, false, load_read },
	{ "mixed", "reads and writes at once", PROFILE_BALANCED, false,
	    load_mixed },
	{ "delete", "deletions, and scans right after", PROFILE_BALANCED, false,
	    load_delete },
	{ "4k", "4 KiB values", UNSYNCED, true, load_4k },
	{ "64k", "64 KiB values", UNSYNCED, true, load_64k },
	{ "large", "a kill, recovery, and gets larger than the cache",
	    PROFILE_BALANCED, false, load_large },
	{ "long", "overwrites for long: write amplification, space, stalls",
	    PROFILE_BALANCED, false, load_long },
	{ "modes", "puts in each sync mode of kvfs", PROFILE_BALANCED, false,
	    load_modes },
};
const size_t bench_load_count = sizeof(bench_loads) / sizeof(bench_loads[0]);
