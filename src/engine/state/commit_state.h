/* SPDX-License-Identifier: ISC */
/*
 * The order of commits: one at a time takes mu, and gets its sequence numbers,
 * its place in the log and its place in the memtable.
 */
#ifndef KVFS_ENGINE_STATE_COMMIT_STATE_H
#define KVFS_ENGINE_STATE_COMMIT_STATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/segment/backoff.h"
#include "util/mutex.h"

struct memtable;

struct commit_state {
	struct mutex mu;
	struct memtable *mem; /* referenced; the current view's; mu */
	_Atomic uint64_t last_seq; /* newest visible change; release */
	_Atomic uint64_t count; /* since opening; written under mu */
	struct backoff backoff; /* of compression; own synchronisation */
};

#endif
