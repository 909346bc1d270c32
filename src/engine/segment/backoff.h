/* SPDX-License-Identifier: ISC */
/*
 * Which groups hold values that do not get smaller: compression of those is
 * tried only now and then, after each failure half as often, and always
 * again once it has worked. Most files are of one kind throughout.
 *
 * A table of fixed size, by a hash of the group; of two groups in one place
 * the later one is remembered. Any thread, without locks: what two threads
 * learn at once of one group may count once.
 */
#ifndef KVFS_ENGINE_SEGMENT_BACKOFF_H
#define KVFS_ENGINE_SEGMENT_BACKOFF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "kvfs/slice.h"

/* 32 KiB: as many groups as are written to at a time, and more. */
#define BACKOFF_SLOTS 4096u
/* This many values may fail before any is skipped. */
#define BACKOFF_PATIENCE 2u
/* At last so many are skipped between two tries: 512 KiB of a file that
 * turns compressible are missed at most, and of one that never does a
 * sixteenth of the work is left. */
#define BACKOFF_SKIP_MAX 15u

struct backoff {
	_Atomic uint64_t slots[BACKOFF_SLOTS];
};

/* user: a user key of the group. Whether its value is worth a try; one that
 * is not counts towards the next. */
bool backoff_may_try(struct backoff *b, struct slice user);
/* A try has ended. */
void backoff_learn(struct backoff *b, struct slice user, bool has_shrunk);

#endif
