/* SPDX-License-Identifier: ISC */
/*
 * Bounded cache of uncompressed table blocks, by (file number, offset):
 * sharded, refcounted handles, scan-resistant: a warm part for newcomers, a
 * FIFO, from which those that are used again are promoted to the hot part, a
 * CLOCK with 2-bit counters (after S3-FIFO and RocksDB's HyperClockCache).
 * The split between the two adapts to the load. What tables keep in memory
 * themselves, indexes and filters, counts against the same bound. Any
 * thread.
 */
#ifndef KVFS_ENGINE_CACHE_BLOCK_CACHE_H
#define KVFS_ENGINE_CACHE_BLOCK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvfs/slice.h"

struct block_cache;
struct cached_block;

enum block_priority {
	BLOCK_DATA,
	BLOCK_SCAN, /* seen by a walk: stays a newcomer, even if it was
	               here not long ago */
	BLOCK_AHEAD, /* read before anybody asked: goes to the hot part, as
	                the next to leave it, where there is room; else it
	                is not kept */
};

enum block_part { BLOCK_WARM, BLOCK_HOT, BLOCK_PARTS };

struct block_part_stats {
	uint64_t hits;
	uint64_t returns; /* misses of what it had dropped not long ago */
	uint64_t bytes;
};

struct block_cache_stats {
	uint64_t hits; /* of both parts */
	uint64_t misses, inserts, evictions;
	uint64_t promotions; /* from the warm to the hot part */
	uint64_t ahead; /* inserts that were BLOCK_AHEAD */
	uint64_t bytes, capacity_bytes; /* bytes: with what is reserved */
	uint64_t warm_target_bytes; /* the warm part's share by now */
	struct block_part_stats part[BLOCK_PARTS];
};

/* Bounds of the warm part's share, in parts of BLOCK_SHARE_ONE. */
#define BLOCK_SHARE_ONE 65536
struct block_split {
	uint32_t least, most;
};

/* NULL without memory. */
struct block_cache *block_cache_create(uint64_t capacity_bytes);
/* The same with bounds of its own for the split; equal ones fix it. To
 * measure. */
struct block_cache *block_cache_create_split(uint64_t capacity_bytes,
    const struct block_split *split);
/* Every handle must have been released. NULL is accepted. */
void block_cache_destroy(struct block_cache *c);

/* A handle with a reference for the caller, or NULL on a miss. */
struct cached_block *block_cache_lookup(struct block_cache *c, uint64_t file,
    uint64_t off);
/* Memory for a block of len bytes, which the functions below take; NULL
 * without memory. */
void *block_alloc(size_t len);
/* For a block that nobody took. NULL is accepted. */
void block_free(void *data);
/*
 * Add a block of len bytes. Takes data (from block_alloc(), of at least
 * that length). Returns a handle with a reference for the caller: the one
 * already there if another thread was first. While all blocks are pinned
 * the bound may be passed by what is pinned. A block that would fill a
 * quarter of its shard is not kept: the handle is as from block_uncached().
 */
struct cached_block *block_cache_insert(struct block_cache *c, uint64_t file,
    uint64_t off, void *data, size_t len, enum block_priority priority);
/* A handle outside the cache (c's bound does not count it): for reads that
 * should not fill it. Takes data, as block_cache_insert(). */
struct cached_block *block_uncached(void *data, size_t len);
void cached_block_release(struct cached_block *b);
void cached_block_ref(struct cached_block *b);
/* Valid until the last release. */
struct slice cached_block_data(const struct cached_block *b);

/*
 * Count bytes of memory held elsewhere against the bound, until
 * block_cache_unreserve(); blocks make room as new ones come. However much
 * is reserved, a quarter of the bound stays for blocks.
 */
void block_cache_reserve(struct block_cache *c, uint64_t bytes);
void block_cache_unreserve(struct block_cache *c, uint64_t bytes);

/* Where a block is from, and how much it is used. */
struct block_place {
	uint64_t file, off;
	uint32_t charge; /* bytes that it takes in the cache */
	uint32_t heat; /* 0 to BLOCK_HEAT_MAX */
};
#define BLOCK_HEAT_MAX 3

/* The blocks of the hot part, and those of the warm part that have been hit
 * and would be promoted; in no order. *placesp is the caller's to free;
 * -ENOMEM. */
int block_cache_list_hot(struct block_cache *c, struct block_place **placesp,
    size_t *countp);
/* Whether the block is there; not counted as a use of it. */
bool block_cache_has(struct block_cache *c, uint64_t file, uint64_t off);

/* Goes over all blocks: hits are counted where they are. */
void block_cache_get_stats(struct block_cache *c,
    struct block_cache_stats *statsp);
/* Evict down to the bound now, as after a large reservation. */
void block_cache_trim(struct block_cache *c);
/* Of these, misses and ahead alone, at once. */
void block_cache_get_progress(struct block_cache *c, uint64_t *missesp,
    uint64_t *aheadp);
/* Change the bound; evicts down to it. */
void block_cache_resize(struct block_cache *c, uint64_t capacity_bytes);

#endif
