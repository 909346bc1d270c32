/* SPDX-License-Identifier: ISC */
/*
 * Open tables and segments by file number. A file is opened on first use. The
 * numbers of descriptors and of bytes of indexes are bounded; files that were
 * not used for long are closed first (the clock of Corbato 1968, second
 * chance). An open file is found without a lock.
 * Threading: any thread.
 */
#ifndef KVFS_ENGINE_TREE_TABLE_CACHE_H
#define KVFS_ENGINE_TREE_TABLE_CACHE_H

#include "engine/segment/segment.h"
#include "engine/table/table_reader.h"

struct table_cache;
struct table_handle;

/* Borrows dir and cache. max_open: how many files stay open; max_memory: bytes
 * of their indexes and filters. Pinned ones may exceed both. NULL without
 * memory. */
struct table_cache *table_cache_create(struct env_dir *dir,
    struct block_cache *cache, unsigned max_open, uint64_t max_memory);
/* All handles have to be released before. */
void table_cache_destroy(struct table_cache *tc);
/*
 * Ends the process when an invariant does not hold (util/invariant.h): files
 * in the queue are listed, referenced, found by number, and found without a
 * lock exactly when they are open; as many, and at most the memory, that are
 * counted; unused handles have no file. Any thread.
 */
void table_cache_check(struct table_cache *tc);

/* Get a pinned reader; the caller releases the handle. A failed open is not
 * remembered. */
int table_cache_table(struct table_cache *tc, uint64_t number,
    struct table_handle **handlep, struct table_reader **readerp);
int table_cache_segment(struct table_cache *tc, uint64_t number,
    struct table_handle **handlep, struct segment_reader **readerp);
void table_handle_release(struct table_handle *h);
/* Remove a file that is about to be unlinked. Readers that use it keep their
 * descriptor. */
void table_cache_evict(struct table_cache *tc, uint64_t number);
/* Whether some more files may be opened ahead of use without closing others
 * soon. */
bool table_cache_has_room(struct table_cache *tc);
/* Bytes of open indexes and filters. */
uint64_t table_cache_memory(struct table_cache *tc);

#endif
