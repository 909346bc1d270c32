/* SPDX-License-Identifier: ISC */
/*
 * The state of one recovery, shared by the recover*.c.
 * Threading: one thread.
 */
#ifndef KVFS_ENGINE_STORE_RECOVER_INTERNAL_H
#define KVFS_ENGINE_STORE_RECOVER_INTERNAL_H

#include <limits.h>

#include "engine/log/wal_reader.h"
#include "engine/env/store_files.h"
#include "engine/memtable/memtable.h"

struct db;

/* Records that wait for the memtable. Several at a time are inserted faster
 * (skiplist_insert()), but a frame is valid only until the next one is read:
 * their bytes are copied. */
struct replay {
	struct memtable_adder adder; /* its slices point into copies */
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
	/* from the first pass over the logs */
	uint64_t chain_seq; /* the last number on the chain */
	uint64_t durable_seq;
	uint64_t broken_log; /* the log where the chain ends early, for the
	                        message */
	/* from the second pass */
	uint64_t replayed_frames;
	struct replay replay;
	uint64_t stop_seq; /* the first frame that is dropped, because its
	                      values are lost */
	struct segment_ref **held;
	size_t held_count;
	bool unused_dropped; /* recover_drop_unused_logs() has run */
};

/* A log during a pass. */
struct log_visit {
	struct recovery *r;
	uint64_t number;
	uint64_t size;
	char path[PATH_MAX];
};

/* ---- recover_walk.c ---- */

/*
 * Call fn for each frame of the chain, across files. begin (may be NULL) is
 * called before the first frame of a log that continues the one before, end
 * after each log. A negative return ends the walk. Logs damage.
 */
int recover_walk_logs(struct recovery *r,
    int (*begin)(struct log_visit *v, struct wal_reader *reader),
    int (*fn)(struct log_visit *v, const struct wal_frame *frame),
    int (*end)(struct log_visit *v, struct wal_reader *reader, bool linked));
/* Whether a log holds a commit, or continues one that does. Returns 1, 0 or an
 * error. */
int recover_log_is_used(struct recovery *r, uint64_t number);
/* Unlink logs that were made ahead and never used; does it only once. Returns
 * how many. */
unsigned recover_drop_unused_logs(struct recovery *r);

/* ---- recover_tail.c ---- */

/* Find the end of the chain: 0 if all that is missing behind it is a torn
 * tail, -KVFS_ECORRUPT if something durable is lost. Logs damage. */
int recover_tail_verify(struct recovery *r);

/* ---- recover_logs.c ---- */

/* Replay the logs into memtables, with flushes if necessary. Logs damage. */
int recover_logs(struct recovery *r);
/* Make what was replayed durable. */
int recover_sync_replayed(struct recovery *r);
/* Make the memtable immutable, and begin a new one. */
int recover_next_memtable(struct db *db, uint64_t log_number);

#endif
