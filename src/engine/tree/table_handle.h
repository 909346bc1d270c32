/* SPDX-License-Identifier: ISC */
/*
 * Handles of open tables and segments, the inside of the table cache. A handle
 * is an entry of a hash table. Its states: opening (the thread that made it
 * opens the file, without the lock; others wait), open, and failed (waiters get
 * the error, then it is removed).
 *
 * Invariant: the cache has one reference to each handle in its list. The memory
 * of handles is reused but never freed while the cache lives, so that an open
 * one is found without the lock: a hint leads to it, and a reference is added
 * only while its visible bit is set. The bit is cleared when it is removed from
 * the list. Whoever drops the last reference closes the file.
 *
 * "_locked": the caller holds the cache's lock.
 */
#ifndef KVFS_ENGINE_TREE_TABLE_HANDLE_H
#define KVFS_ENGINE_TREE_TABLE_HANDLE_H

#include <stdatomic.h>
#include <sys/queue.h>

#include "engine/tree/table_cache.h"
#include "util/mutex.h"

#define REFS_VISIBLE (1u << 31) /* above the count: open and in the list */

enum handle_state { HANDLE_OPENING, HANDLE_OPEN, HANDLE_FAILED };

struct table_handle {
	_Atomic uint32_t refs;
	atomic_bool is_used; /* relaxed: used since the last round of the
	                        clock */
	/* Set by the thread that opens it; constant once it is open. */
	struct table_reader *table;
	struct segment_reader *segment;
	size_t memory;
	struct table_cache *tc;
	uint64_t number;
	/* Guarded by the cache's lock. */
	enum handle_state state;
	int error;
	bool is_listed; /* in bucket and queue, which have one reference */
	LIST_ENTRY(table_handle) bucket;
	TAILQ_ENTRY(table_handle) link; /* in queue, or in unused */
};
LIST_HEAD(handle_bucket, table_handle);
TAILQ_HEAD(handle_queue, table_handle);

struct table_cache {
	struct env_dir *dir;
	struct block_cache *cache;
	unsigned max_open;
	uint64_t max_memory;
	struct mutex mu;
	struct cond opened; /* a handle is not opening any more */
	/* The handle at which a number was last found; release. */
	_Atomic(struct table_handle *) *hints;
	size_t mask; /* of hints and of buckets */
	_Atomic size_t memory; /* relaxed statistics */
	/* The rest is guarded by mu. */
	struct handle_queue queue; /* a clock: handles are closed at its head */
	struct handle_queue unused; /* for the next file */
	struct handle_bucket *buckets;
	unsigned count;
};

/* The handle of a file in any state; or NULL. */
struct table_handle *table_handle_find_locked(struct table_cache *tc,
    uint64_t number);
/* An open handle to which the hint leads, with a reference; or NULL. Takes no
 * lock. */
struct table_handle *table_handle_find_open(struct table_cache *tc,
    uint64_t number);
/* Add a new handle to the list. The caller opens it, and gets a reference; or
 * NULL without memory. */
struct table_handle *table_handle_add_locked(struct table_cache *tc,
    uint64_t number);
/* Make the open handle h visible: others find it without the lock. */
void table_handle_show_locked(struct table_cache *tc, struct table_handle *h);
/* Remove h from the list. The list's reference goes to the caller. */
void table_handle_unlist_locked(struct table_cache *tc, struct table_handle *h);
/* Remove handles that nobody uses and that were not used since the last round
 * (second chance), until the bounds are met. The caller releases them without
 * the lock. */
void table_handles_trim_locked(struct table_cache *tc,
    struct handle_queue *out);
void table_handles_release(struct handle_queue *q);

#endif
