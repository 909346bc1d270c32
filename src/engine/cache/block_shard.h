/* SPDX-License-Identifier: ISC */
/*
 * One shard of the block cache: a hash table that readers search without a lock
 * (block_table.h), and two queues under one lock. Only block_cache.c uses it.
 *
 * A block enters the warm part, a FIFO; or the hot part, a CLOCK, if its ghost
 * (a fingerprint of its key, left by an eviction) is still there. At the end of
 * the FIFO a block that was hit is promoted to the hot part, any other is
 * evicted. At the end of the CLOCK a block stays for as many rounds as its heat
 * says. Transitions: block_shard_insert_locked(), evict_warm_locked(),
 * evict_hot_locked().
 *
 * adapt_locked() changes the share of the warm part: it grows when
 * ghosts of the warm part are hit, and shrinks when ghosts of the hot part are.
 *
 * Hits are counted in the entries and collected when an entry is visited:
 * harvest_locked().
 */
#ifndef KVFS_ENGINE_CACHE_BLOCK_SHARD_H
#define KVFS_ENGINE_CACHE_BLOCK_SHARD_H

#include "engine/cache/block_cache.h"
#include "engine/cache/block_table.h"
#include "util/mutex.h"

struct block_ghost {
	uint32_t fingerprint;
	uint32_t part : 1;
	uint32_t stamp : 31; /* the part's clock at that eviction; 0: free */
};

struct block_part_state {
	struct block_list queue; /* the next to be evicted is first */
	uint64_t bytes;
	uint32_t clock; /* counts evictions, for the age of ghosts */
	struct block_part_stats stats;
};

struct block_shard {
	/* own synchronisation */
	_Alignas(64) struct block_table table;
	_Atomic uint64_t misses, ahead; /* relaxed */
	/* The rest is guarded by mu, on cache lines that hits do not read. */
	_Alignas(64) struct mutex mu;
	struct block_part_state part[BLOCK_PARTS];
	struct block_split split;
	uint32_t warm_share; /* of the capacity, within split */
	uint64_t bytes;
	struct block_ghost *ghosts; /* by hash; newer replaces older */
	uint32_t ghost_mask;
	uint64_t inserts, evictions, promotions;
};

/* ghosts is a power of two. After -ENOMEM, fini has to be called too. */
int block_shard_init(struct block_shard *s, size_t ghosts,
    const struct block_split *split);
/* Free the blocks. Nobody may use them any more. */
void block_shard_fini(struct block_shard *s);

/* Shard, slot and fingerprint use different bits of it. */
uint64_t block_hash(uint64_t file, uint64_t off);

/* Returns the block with a reference for the caller and counts a hit; or NULL.
 * Any thread, without the lock. */
struct cached_block *block_shard_lookup(struct block_shard *s, uint64_t hash,
    uint64_t file, uint64_t off);
/*
 * Insert b, the block at place (file, offset and charge in bytes). If the block
 * is there already, returns it with a reference for the caller. Else returns
 * NULL: b was inserted, or there was no memory or no room for it. capacity is
 * the shard's, in bytes.
 */
struct cached_block *block_shard_insert_locked(struct block_shard *s,
    struct cached_block *b, const struct block_place *place, uint64_t capacity,
    enum block_priority priority) REQUIRES(&s->mu);
bool block_shard_has_locked(struct block_shard *s, uint64_t hash, uint64_t file,
    uint64_t off) REQUIRES(&s->mu);
/* See block_cache_list_hot(). places has room for s->table.count entries.
 * Returns how many it wrote. */
size_t block_shard_list_hot_locked(struct block_shard *s,
    struct block_place *places) REQUIRES(&s->mu);
/* Evict unused blocks until at most capacity bytes are left. They are put in
 * front of *deadp, which the caller frees with block_free_all() after
 * unlocking. */
void block_shard_evict_locked(struct block_shard *s, uint64_t capacity,
    struct cached_block **deadp) REQUIRES(&s->mu);
void block_free_all(struct cached_block *dead);

/* The goal for the warm part, in bytes, for a given capacity. */
uint64_t block_shard_warm_target(const struct block_shard *s, uint64_t capacity)
    REQUIRES(&s->mu);
/* Collect the hits of all blocks, so that the statistics are up to date. */
void block_shard_harvest_locked(struct block_shard *s) REQUIRES(&s->mu);
/*
 * Ends the process when an invariant does not hold (util/invariant.h): the
 * blocks in the queues are those in the table, each in the queue of its part
 * and found by its name; the bytes are the sums of their charges; the warm
 * part's share is within the split.
 */
void block_shard_check(struct block_shard *s) REQUIRES(&s->mu);

#endif
