/* SPDX-License-Identifier: ISC */
/*
 * One shard of the block cache: a hash table, in which readers need no lock
 * (block_table.h), and two queues under one lock. Used by block_cache.c
 * alone.
 *
 * A block enters the warm part, a FIFO, or the hot part, a CLOCK, when its
 * ghost (a print of its key, left by an eviction) is still there. At the
 * FIFO's end it is promoted to the hot part if it was hit meanwhile, else it
 * goes. At the hot part's end it stays as often as its heat says.
 * Transitions: block_shard_insert_locked(), evict_warm_locked(),
 * evict_hot_locked().
 *
 * How much the warm part may take follows the load, by which part's ghosts
 * come back: adapt_locked().
 *
 * Hits are counted in the entries, and collected from there when the entry
 * is looked at: harvest_locked().
 */
#ifndef KVFS_ENGINE_CACHE_BLOCK_SHARD_H
#define KVFS_ENGINE_CACHE_BLOCK_SHARD_H

#include "engine/cache/block_cache.h"
#include "engine/cache/block_table.h"
#include "util/mutex.h"

struct block_ghost {
	uint32_t print;
	uint32_t part : 1;
	uint32_t stamp : 31; /* evictions of that part until then; 0: free */
};

struct block_part_state {
	struct block_list queue; /* next to go first */
	uint64_t bytes;
	uint32_t clock; /* evictions, for ghosts */
	struct block_part_stats stats;
};

struct block_shard {
	/* own synchronisation */
	_Alignas(64) struct block_table table;
	_Atomic uint64_t misses, ahead; /* relaxed */
	/* The rest is guarded by mu, on lines that hits do not read. */
	_Alignas(64) struct mutex mu;
	struct block_part_state part[BLOCK_PARTS];
	struct block_split split;
	uint32_t warm_share; /* of the capacity, within split */
	uint64_t bytes;
	struct block_ghost *ghosts; /* by hash; the younger replaces */
	uint32_t ghost_mask;
	uint64_t inserts, evictions, promotions;
};

/* ghosts: a power of two. On -ENOMEM, fini is to be called all the same. */
int block_shard_init(struct block_shard *s, size_t ghosts,
    const struct block_split *split);
/* Frees the blocks, which nobody uses any more. */
void block_shard_fini(struct block_shard *s);

/* Which bits are for what: shard, slot and print use different ones. */
uint64_t block_hash(uint64_t file, uint64_t off);

/* The block with a reference for the caller, counted as a hit; or NULL. Any
 * thread, without the lock. */
struct cached_block *block_shard_lookup(struct block_shard *s, uint64_t hash,
    uint64_t file, uint64_t off);
/*
 * Give b, which has the name (file, off) and takes charge bytes, its place.
 * Returns the block that is there already, with a reference for the caller,
 * or NULL when there was none: then b is in, or there was no memory or no
 * room for it to be. capacity: the shard's, as below.
 */
struct cached_block *block_shard_insert_locked(struct block_shard *s,
    struct cached_block *b, const struct block_place *place, uint64_t capacity,
    enum block_priority priority) REQUIRES(&s->mu);
bool block_shard_has_locked(struct block_shard *s, uint64_t hash, uint64_t file,
    uint64_t off) REQUIRES(&s->mu);
/* See block_cache_list_hot(); places has room for s->table.count. Returns
 * how many there are. */
size_t block_shard_list_hot_locked(struct block_shard *s,
    struct block_place *places) REQUIRES(&s->mu);
/* Take unused blocks out until no more than capacity is left, in front of
 * *deadp: the caller's, for block_free_all() without lock. */
void block_shard_evict_locked(struct block_shard *s, uint64_t capacity,
    struct cached_block **deadp) REQUIRES(&s->mu);
void block_free_all(struct cached_block *dead);

/* Bytes that the warm part may take of capacity. */
uint64_t block_shard_warm_target(const struct block_shard *s, uint64_t capacity)
    REQUIRES(&s->mu);
/* So that the parts' hits are those of all lookups until now. */
void block_shard_harvest_locked(struct block_shard *s) REQUIRES(&s->mu);

#endif
