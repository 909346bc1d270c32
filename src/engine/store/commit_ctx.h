/* SPDX-License-Identifier: ISC */
/*
 * What a commit needs before the lock: its record, its large values, and the
 * segments where they are. Each thread keeps one for its next commit. One
 * thread, but for db_commit_buffers().
 */
#ifndef KVFS_ENGINE_STORE_COMMIT_CTX_H
#define KVFS_ENGINE_STORE_COMMIT_CTX_H

#include "engine/key/change.h"
#include "engine/log/wal_writer.h"
#include "engine/state/db_state.h"

/* Large values are compressed and written in pieces of so much: what they
 * take meanwhile does not grow with the batch, and is still in the
 * processor's cache when it is written. */
#define COMMIT_PIECE_BYTES (256u << 10)
#define COMMIT_PIECE_VALUES (COMMIT_PIECE_BYTES / SEGMENT_VALUE_MIN)

struct commit_ctx {
	struct buf payload; /* the batch as a record */
	struct key_change *changes; /* of it; their slices lie in payload */
	size_t change_cap;
	struct wal_body body;
	/* Of a piece, COMMIT_PIECE_VALUES or NULL; and their changes. */
	struct segment_value *values;
	const struct key_change *piece[COMMIT_PIECE_VALUES];
	uint64_t segment_bytes; /* of all values, as stored */
	/* Where they are; held while the commit is under way. */
	struct segment_ref **segments;
	size_t segment_count, segment_cap;
	size_t kept_bytes; /* as counted in kept_buffers */
	/* As it was when the commit began. */
	enum kv_sync_mode sync_mode;
	uint64_t seq; /* of its last change */
	uint64_t number; /* of the commit, since opening */
};

/* This thread's, emptied; NULL without memory. */
struct commit_ctx *commit_ctx_get(void);
/* The commit has ended: let go of its segments, and of buffers so large that
 * they are not worth keeping. */
void commit_ctx_put(struct db *db, struct commit_ctx *ctx);
/* Have room for n changes. -ENOMEM. */
int commit_ctx_changes(struct commit_ctx *ctx, size_t n);
/* Have room for the values of a piece. -ENOMEM. */
int commit_ctx_values(struct commit_ctx *ctx);
/* Hold s, where values of the commit are, until it has ended; takes the
 * caller's reference, also when it fails. -ENOMEM. */
int commit_ctx_hold(struct db *db, struct commit_ctx *ctx,
    struct segment_ref *s);
/* Bytes that the threads of the process keep for their next commits. */
uint64_t db_commit_buffers(void);

#endif
