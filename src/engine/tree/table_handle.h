/* SPDX-License-Identifier: ISC */
/*
 * Handles of open tables and segments, the inside of the table cache. A
 * handle is a hash table entry: opening (the one thread that made it opens
 * the file, without the lock; others wait for it), open, or failed (waiters
 * get the error, then it is gone).
 *
 * Invariant: the cache holds one reference to each handle in it. Handles
 * are never freed while the cache lives, only used again, so that one that
 * is open is found without the lock: by a hint, and an addition to its
 * references that succeeds only while it is visible. The visible bit goes
 * when it is unlisted; whoever drops the last reference closes the file.
 *
 * "_locked": the caller holds the cache's lock.
 */
#ifndef KVFS_ENGINE_TREE_TABLE_HANDLE_H
#define KVFS_ENGINE_TREE_TABLE_HANDLE_H

#include <stdatomic.h>
#include <sys/queue.h>

#include "engine/tree/table_cache.h"
#include "util/mutex.h"

#define REFS_VISIBLE (1u << 31) /* beside the count: open and listed */

enum handle_state { HANDLE_OPENING, HANDLE_OPEN, HANDLE_FAILED };

struct table_handle {
	_Atomic uint32_t refs;
	atomic_bool is_used; /* relaxed: since the clock came by */
	/* Set by the opening thread, constant once open. */
	struct table_reader *table;
	struct segment_reader *segment;
	size_t memory;
	struct table_cache *tc;
	uint64_t number;
	/* Guarded by the cache's lock. */
	enum handle_state state;
	int error;
	bool is_listed; /* in bucket and queue, which hold one reference */
	LIST_ENTRY(table_handle) bucket;
	TAILQ_ENTRY(table_handle) link; /* of queue, or of unused */
};
LIST_HEAD(handle_bucket, table_handle);
TAILQ_HEAD(handle_queue, table_handle);

struct table_cache {
	struct env_dir *dir;
	struct block_cache *cache;
	unsigned max_open;
	uint64_t max_memory;
	struct mutex mu;
	struct cond opened; /* some handle is no longer opening */
	/* The handle that a number was last found at; release. */
	_Atomic(struct table_handle *) *hints;
	size_t mask; /* of hints and of buckets */
	_Atomic size_t memory; /* relaxed: a statistic */
	/* The rest is guarded by mu. */
	struct handle_queue queue; /* as a clock: closed at its head */
	struct handle_queue unused; /* for the next file */
	struct handle_bucket *buckets;
	unsigned count;
};

/* The handle of a file, in whatever state; or NULL. */
struct table_handle *table_handle_find_locked(struct table_cache *tc,
    uint64_t number);
/* An open handle where the hint says, with a reference; or NULL. Takes no
 * lock. */
struct table_handle *table_handle_find_open(struct table_cache *tc,
    uint64_t number);
/* A new handle in the list, being opened by the caller, who has a
 * reference; or NULL. */
struct table_handle *table_handle_add_locked(struct table_cache *tc,
    uint64_t number);
/* Let others find h, which is open, without the lock. */
void table_handle_show_locked(struct table_cache *tc, struct table_handle *h);
/* Take h out; the list's reference goes to the caller. */
void table_handle_unlist_locked(struct table_cache *tc, struct table_handle *h);
/* Take those out that nobody uses, or has used since the last time round
 * (second chance), until the bounds are kept; they are to be released
 * without the lock. */
void table_handles_trim_locked(struct table_cache *tc,
    struct handle_queue *out);
void table_handles_release(struct handle_queue *q);

#endif
