/* SPDX-License-Identifier: ISC */
/*
 * One shard of the block cache: a hash table and two queues under one lock.
 * Used by block_cache.c alone.
 *
 * A block enters the warm part, a FIFO, or the hot part, a CLOCK, when its
 * ghost (a print of its key, left by an eviction) is still there. At the
 * FIFO's end it is promoted to the hot part if it was hit meanwhile, else it
 * goes. At the hot part's end it stays as often as its counter says.
 * Transitions: block_shard_insert_locked(), evict_warm_locked(),
 * evict_hot_locked().
 *
 * How much the warm part may take follows the load, by which part's ghosts
 * come back: adapt_locked().
 *
 * Invariant: the shard holds one reference to each block in it. References
 * are taken under the lock or by who has one already, so that a block with
 * one reference, seen under the lock, stays unused.
 */
#ifndef KVFS_ENGINE_BLOCK_SHARD_H
#define KVFS_ENGINE_BLOCK_SHARD_H

#include <stdatomic.h>
#include <stddef.h>
#include <sys/queue.h>

#include "engine/block_cache.h"
#include "util/mutex.h"

struct cached_block {
	_Atomic uint32_t refs;
	uint8_t freq; /* freq, part, link: the shard's lock */
	uint8_t part; /* enum block_part */
	uint32_t len, charge;
	uint64_t file, off;
	TAILQ_ENTRY(cached_block) link;
	_Alignas(16) uint8_t data[]; /* right behind: one miss, not two */
};
TAILQ_HEAD(block_queue, cached_block);

struct block_slot {
	uint64_t hash;
	struct cached_block *block; /* NULL: free */
};

struct block_ghost {
	uint32_t print;
	uint32_t part : 1;
	uint32_t stamp : 31; /* evictions of that part until then; 0: free */
};

struct block_part_state {
	struct block_queue queue; /* next to go first */
	uint64_t bytes;
	uint32_t clock; /* evictions, for ghosts */
	struct block_part_stats stats;
};

struct block_shard {
	_Alignas(64) struct mutex mu;
	/* The rest is guarded by mu. */
	struct block_slot *slots; /* linear probing, at most half full */
	size_t mask, count;
	struct block_part_state part[BLOCK_PARTS];
	struct block_split split;
	uint32_t warm_share; /* of the capacity, within split */
	uint64_t bytes;
	struct block_ghost *ghosts; /* by hash; the younger replaces */
	uint32_t ghost_mask;
	uint64_t misses, inserts, evictions, promotions, ahead;
};

/* ghosts: a power of two. On -ENOMEM, fini is to be called all the same. */
int block_shard_init(struct block_shard *s, size_t ghosts,
    const struct block_split *split);
/* Releases the blocks, which nobody uses any more. */
void block_shard_fini(struct block_shard *s);

/* Which bits are for what: shard, slot and print use different ones. */
uint64_t block_hash(uint64_t file, uint64_t off);

/* The block with a reference for the caller, counted as a hit; or NULL. */
struct cached_block *block_shard_lookup_locked(struct block_shard *s,
    uint64_t hash, uint64_t file, uint64_t off) REQUIRES(&s->mu);
/*
 * Give b its place, and the shard a reference to it. Returns the block that
 * is there already, with a reference for the caller, or NULL when there was
 * none: then b is in, or there was no memory for it to be. capacity: the
 * shard's, as below.
 */
struct cached_block *block_shard_insert_locked(struct block_shard *s,
    struct cached_block *b, uint64_t hash, uint64_t capacity,
    enum block_priority priority) REQUIRES(&s->mu);
bool block_shard_has_locked(struct block_shard *s, uint64_t hash, uint64_t file,
    uint64_t off) REQUIRES(&s->mu);
/* See block_cache_list_hot(); places has room for s->count. Returns how many
 * there are. */
size_t block_shard_list_hot_locked(struct block_shard *s,
    struct block_place *places) REQUIRES(&s->mu);
/* Take unused blocks out until no more than capacity is left, to dead: the
 * shard's references to them are the caller's, to release without lock. */
void block_shard_evict_locked(struct block_shard *s, uint64_t capacity,
    struct block_queue *dead) REQUIRES(&s->mu);

/* Bytes that the warm part may take of capacity. */
uint64_t block_shard_warm_target(const struct block_shard *s, uint64_t capacity)
    REQUIRES(&s->mu);

void block_queue_release(struct block_queue *dead);

#endif
