/* SPDX-License-Identifier: ISC */
/* When serving on the processor of the caller (affinity.h) begins and ends. */
#ifndef KVFS_FUSE_SERVE_AFFINITY_LIMITS_H
#define KVFS_FUSE_SERVE_AFFINITY_LIMITS_H

/* So many requests in a row with none behind them make it active. */
#define AFFINITY_ALONE_MIN 32
/* Points against it: a request with another behind it, or a caller that runs
 * for long, adds a step; a request with none behind it takes one point away.
 * Above the maximum it is no longer active. */
#define AFFINITY_COST_STEP 4
#define AFFINITY_COST_MAX 16
/* So many answers held up within this time: others want the processor.
 * Fewer are caused by the host of a virtual machine. */
#define AFFINITY_LOST_MAX 4
#define AFFINITY_LOST_WITHIN_NS 1000000000ull

#endif
