/* SPDX-License-Identifier: ISC */
/*
 * One recovery: what recover.c, recover_walk.c and recover_logs.c share. One
 * thread.
 */
#ifndef KVFS_ENGINE_STORE_RECOVER_INTERNAL_H
#define KVFS_ENGINE_STORE_RECOVER_INTERNAL_H

#include <limits.h>

#include "engine/log/wal_reader.h"
#include "engine/state/db_state.h"
#include "engine/env/store_files.h"

/* Records on their way to a memtable: several at once find their places
 * faster (skiplist_insert()), but a frame is gone by the next one. */
struct replay {
	struct memtable_adder adder; /* its slices lie in copies */
	uint64_t seq; /* of the next record */
	size_t used;
	uint8_t copies[8192];
};

struct recovery {
	struct db *db;
	struct store_files files;
	/* from the manifest */
	struct version *version;
	uint64_t log_number, last_seq, next_file;
	/* from the logs' first reading */
	uint64_t chain_seq; /* last number that the chain reaches */
	uint64_t durable_seq;
	uint64_t broken_log; /* where it ends early, for the message */
	/* their second */
	uint64_t replayed_frames;
	struct replay replay;
	uint64_t stop_seq; /* a frame whose values are lost: first dropped */
	struct segment_ref **held;
	size_t held_count;
	bool unused_dropped; /* recover_drop_unused_logs() has run */
};

/* One log as it is walked over. */
struct log_visit {
	struct recovery *r;
	uint64_t number;
	uint64_t size;
	char path[PATH_MAX];
};

/* ---- recover_walk.c ---- */

/*
 * Call fn for each frame of the chain, across files; begin, unless it is NULL,
 * before the first of a log that carries on from the one before (is linked),
 * end after each log. Their errors end it. Logs what is damaged.
 */
int recover_walk_logs(struct recovery *r,
    int (*begin)(struct log_visit *v, struct wal_reader *reader),
    int (*fn)(struct log_visit *v, const struct wal_frame *frame),
    int (*end)(struct log_visit *v, struct wal_reader *reader, bool linked));
/* Whether a log holds a commit, or follows one that did: 1, 0 or an error. */
int recover_log_is_used(struct recovery *r, uint64_t number);
/* Unlink logs that were made ahead and never used, once; how many. */
unsigned recover_drop_unused_logs(struct recovery *r);

/* ---- recover_logs.c ---- */

/* Bring what the logs hold to memtables, flushing on the way. Logs what is
 * damaged. */
int recover_logs(struct recovery *r);
/* Make what was replayed durable. */
int recover_sync_replayed(struct recovery *r);
/* A new memtable in front of what was replayed so far. */
int recover_next_memtable(struct db *db, uint64_t log_number);

#endif
