/* SPDX-License-Identifier: ISC */
/*
 * Buffers of a commit before it takes the lock: its record, its large values,
 * and references to the segments with these values. Each thread keeps them for
 * its next commit.
 * Threading: one thread, except db_commit_buffers().
 */
#ifndef KVFS_ENGINE_STORE_COMMIT_CTX_H
#define KVFS_ENGINE_STORE_COMMIT_CTX_H

#include "engine/key/change.h"
#include "engine/log/wal_writer.h"
#include "engine/segment/segment.h"

struct db;

/* Large values are compressed and written in pieces of this size. So the memory
 * for them does not grow with the batch, and they are still in the processor's
 * cache when they are written. */
#define COMMIT_PIECE_BYTES (256u << 10)
#define COMMIT_PIECE_VALUES (COMMIT_PIECE_BYTES / SEGMENT_VALUE_MIN)

struct commit_ctx {
	struct buf payload; /* the batch as a record */
	struct key_change *changes; /* its changes; their slices point into
	                               payload */
	struct change_place *places; /* twice as many */
	const struct change_place *order; /* among them */
	size_t change_cap;
	struct wal_body body;
	/* For one piece: COMMIT_PIECE_VALUES or NULL; and their changes. */
	struct segment_value *values;
	const struct key_change *piece[COMMIT_PIECE_VALUES];
	uint64_t segment_bytes; /* of all values, as stored */
	/* The segments that they are in; referenced until the commit has
	 * ended. */
	struct segment_ref **segments;
	size_t segment_count, segment_cap;
	size_t kept_bytes; /* its part of kept_buffers */
	/* The mode when the commit began. */
	enum kv_sync_mode sync_mode;
	uint64_t seq; /* of its last change */
	uint64_t number; /* which commit since opening it is */
};

/* Get this thread's context, empty. NULL without memory. */
struct commit_ctx *commit_ctx_get(void);
/* End the commit: drop its references to segments, and free buffers that are
 * too large to keep. */
void commit_ctx_put(struct db *db, struct commit_ctx *ctx);
/* Make room for n changes. -ENOMEM. */
int commit_ctx_changes(struct commit_ctx *ctx, size_t n);
/* Make room for the values of a piece. -ENOMEM. */
int commit_ctx_values(struct commit_ctx *ctx);
/* Keep a reference to s, which has values of the commit, until the commit has
 * ended. Takes the caller's reference, also on failure. -ENOMEM. */
int commit_ctx_hold(struct db *db, struct commit_ctx *ctx,
    struct segment_ref *s);
/* Bytes that the process's threads keep for their next commits. */
uint64_t db_commit_buffers(void);

#endif
