/* SPDX-License-Identifier: ISC */
/*
 * Open tables and segments, by file number: opened on first use, a bounded
 * number of descriptors and bytes of indexes kept, those closed first that
 * were not used for long (the clock of Corbato 1968, second chance). One that
 * is open is found without a lock. Any thread.
 */
#ifndef KVFS_ENGINE_TREE_TABLE_CACHE_H
#define KVFS_ENGINE_TREE_TABLE_CACHE_H

#include "engine/segment/segment.h"
#include "engine/table/table_reader.h"

struct table_cache;
struct table_handle;

/* Borrows dir and cache. NULL without memory. max_open: files
 * kept open at once; max_memory: bytes of their indexes and filters (pinned
 * ones come on top of both). */
struct table_cache *table_cache_create(struct env_dir *dir,
    struct block_cache *cache, unsigned max_open, uint64_t max_memory);
/* Every handle must have been released. */
void table_cache_destroy(struct table_cache *tc);
/*
 * Ends the process when an invariant does not hold (util/invariant.h): files
 * in the queue are listed, referenced, found by number, and found without a
 * lock exactly when they are open; as many, and at most the memory, that are
 * counted; unused handles have no file. Any thread.
 */
void table_cache_check(struct table_cache *tc);

/* A pinned reader; release the handle. A failed open is not remembered. */
int table_cache_table(struct table_cache *tc, uint64_t number,
    struct table_handle **handlep, struct table_reader **readerp);
int table_cache_segment(struct table_cache *tc, uint64_t number,
    struct table_handle **handlep, struct segment_reader **readerp);
void table_handle_release(struct table_handle *h);
/* Forget a file that is about to be unlinked; readers that hold it keep
 * their descriptor. */
void table_cache_evict(struct table_cache *tc, uint64_t number);
/* May some more files be opened ahead of use without closing others soon? */
bool table_cache_has_room(struct table_cache *tc);
/* Bytes of indexes and filters held. */
uint64_t table_cache_memory(struct table_cache *tc);

#endif
