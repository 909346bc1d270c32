/* SPDX-License-Identifier: ISC */
/*
 * Remembers which groups have values that do not compress. Most files are of
 * one kind throughout, so after each failure half as many values of the group
 * are tried as before; after one success all are tried again.
 *
 * A table of fixed size, indexed by a hash of the group; if two groups share a
 * slot, the later one takes it. Any thread, without locks: if two threads
 * report a result for one group at the same time, one of the two may be lost.
 */
#ifndef KVFS_ENGINE_SEGMENT_BACKOFF_H
#define KVFS_ENGINE_SEGMENT_BACKOFF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "kvfs/slice.h"

/* 32 KiB. Far more groups than are written at a time. */
#define BACKOFF_SLOTS 4096u
/* So many failures in a row change nothing yet. */
#define BACKOFF_MIN_FAILURES 2u
/* At most so many values are skipped between two tries. A file that becomes
 * compressible loses at most 512 KiB; a file that never does costs a sixteenth
 * of the work. */
#define BACKOFF_SKIP_MAX 15u

struct backoff {
	_Atomic uint64_t slots[BACKOFF_SLOTS];
};

/* Whether to try to compress a value of the group of user (a user key). False
 * counts as one skipped value. */
bool backoff_may_try(struct backoff *b, struct slice user);
/* Report the result of a try. */
void backoff_learn(struct backoff *b, struct slice user, bool has_shrunk);

#endif
