/* SPDX-License-Identifier: ISC */
/*
 * One shard of the block cache: a hash table and two queues under one lock.
 * Used by block_cache.c alone.
 *
 * A block enters the newcomers' FIFO, or the main queue when its ghost (a
 * print of its key, left by an eviction from the newcomers) is still there.
 * At the FIFO's end it moves to the main queue if it was hit meanwhile, else
 * it goes. At the main queue's end it stays as often as its counter says.
 * Transitions: block_shard_insert_locked(), evict_newcomer_locked(),
 * evict_main_locked().
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
	uint8_t freq; /* freq, is_main, link: the shard's lock */
	bool is_main;
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
	uint32_t stamp; /* shard's ghost clock at the eviction */
};

struct block_shard {
	_Alignas(64) struct mutex mu;
	/* The rest is guarded by mu. */
	struct block_slot *slots; /* linear probing, at most half full */
	size_t mask, count;
	struct block_queue newcomers, main;
	uint64_t bytes, newcomer_bytes;
	struct block_ghost *ghosts; /* by hash; the younger replaces */
	uint32_t ghost_mask, ghost_clock;
	uint64_t hits, misses, inserts, evictions;
};

/* ghosts: a power of two. On -ENOMEM, fini is to be called all the same. */
int block_shard_init(struct block_shard *s, size_t ghosts);
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
 * none: then b is in, or there was no memory for it to be.
 */
struct cached_block *block_shard_insert_locked(struct block_shard *s,
    struct cached_block *b, uint64_t hash, enum block_priority priority)
    REQUIRES(&s->mu);
/* Take unused blocks out until no more than capacity is left, to dead: the
 * shard's references to them are the caller's, to release without lock. */
void block_shard_evict_locked(struct block_shard *s, uint64_t capacity,
    struct block_queue *dead) REQUIRES(&s->mu);

void block_queue_release(struct block_queue *dead);

#endif
