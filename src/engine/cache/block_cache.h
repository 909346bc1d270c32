/* SPDX-License-Identifier: ISC */
/*
 * Bounded cache of uncompressed table blocks by (file number, offset); sharded,
 * with reference-counted handles, and scan-resistant. New blocks enter the warm
 * part, a FIFO. Blocks that are hit there are promoted to the hot part, a CLOCK
 * with 2-bit counters (after S3-FIFO and RocksDB's HyperClockCache). The sizes
 * of the two parts adapt to the load. Memory of open tables, their indexes and
 * filters, counts against the same bound. Threading: any thread.
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
	BLOCK_SCAN, /* read by a scan: enters the warm part, even if it was
	               evicted not long ago */
	BLOCK_AHEAD, /* read ahead of any request: enters the hot part as the
	                next to be evicted if there is room, else it is not
	                kept */
};

enum block_part { BLOCK_WARM, BLOCK_HOT, BLOCK_PARTS };

struct block_part_stats {
	uint64_t hits;
	uint64_t returns; /* misses of blocks that it evicted not long ago */
	uint64_t bytes;
};

struct block_cache_stats {
	uint64_t hits; /* in both parts */
	uint64_t misses, inserts, evictions;
	uint64_t promotions; /* from the warm part to the hot part */
	uint64_t ahead; /* blocks inserted as BLOCK_AHEAD */
	uint64_t bytes, capacity_bytes; /* bytes includes what is reserved */
	uint64_t warm_target_bytes; /* current goal for the warm part */
	struct block_part_stats part[BLOCK_PARTS];
};

/* Bounds of the warm part's share, in units of 1 / BLOCK_SHARE_ONE. */
#define BLOCK_SHARE_ONE 65536
struct block_split {
	uint32_t least, most;
};

/* Returns NULL without memory. */
struct block_cache *block_cache_create(uint64_t capacity_bytes);
/* The same with its own bounds for the split; equal bounds fix it. For
 * measurements. */
struct block_cache *block_cache_create_split(uint64_t capacity_bytes,
    const struct block_split *split);
/* All handles have to be released before. Accepts NULL. */
void block_cache_destroy(struct block_cache *c);
/* Checks the invariants of each shard: block_shard_check(). Any thread. */
void block_cache_check(struct block_cache *c);

/* Returns a handle with a reference for the caller, or NULL on a miss. */
struct cached_block *block_cache_lookup(struct block_cache *c, uint64_t file,
    uint64_t off);
/* Memory for a block of len bytes, for block_cache_insert() and
 * block_uncached(), which take it. NULL without memory. */
void *block_alloc(size_t len);
/* Free a block that neither of them has taken. Accepts NULL. */
void block_free(void *data);
/*
 * Add a block of len bytes. Takes data (from block_alloc(), of at least that
 * length). Returns a handle with a reference for the caller. If another thread
 * has inserted the same block first, it is that one. Pinned blocks are never
 * evicted, so the bound may be exceeded by them. A block larger than a quarter
 * of its shard is not kept: its handle is like one of block_uncached().
 */
struct cached_block *block_cache_insert(struct block_cache *c, uint64_t file,
    uint64_t off, void *data, size_t len, enum block_priority priority);
/* Returns a handle to a block outside the cache, which the bound does not
 * count: for reads that should not fill the cache. Takes data, as
 * block_cache_insert() does. */
struct cached_block *block_uncached(void *data, size_t len);
void cached_block_release(struct cached_block *b);
void cached_block_ref(struct cached_block *b);
/* Valid until the last release. */
struct slice cached_block_data(const struct cached_block *b);

/*
 * Count bytes of memory that others hold against the bound, until
 * block_cache_unreserve(). Blocks are evicted as new ones come. However much is
 * reserved, a quarter of the bound stays for blocks.
 */
void block_cache_reserve(struct block_cache *c, uint64_t bytes);
void block_cache_unreserve(struct block_cache *c, uint64_t bytes);

/* Where a block comes from, and how much it is used. */
struct block_place {
	uint64_t file, off;
	uint32_t charge; /* bytes that it takes in the cache */
	uint32_t heat; /* 0 to BLOCK_HEAT_MAX */
};
#define BLOCK_HEAT_MAX 3

/* List the blocks of the hot part, and those of the warm part that would be
 * promoted because they were hit; in no order. The caller frees *placesp.
 * -ENOMEM. */
int block_cache_list_hot(struct block_cache *c, struct block_place **placesp,
    size_t *countp);
/* Whether the block is cached. Does not count as a hit. */
bool block_cache_has(struct block_cache *c, uint64_t file, uint64_t off);

/* Visits all blocks, since each one counts its own hits. */
void block_cache_get_stats(struct block_cache *c,
    struct block_cache_stats *statsp);
/* Evict down to the bound now, for example after a large reservation. */
void block_cache_trim(struct block_cache *c);
/* Only misses and ahead of the statistics; cheap. */
void block_cache_get_progress(struct block_cache *c, uint64_t *missesp,
    uint64_t *aheadp);
/* Change the bound, and evict down to it. */
void block_cache_resize(struct block_cache *c, uint64_t capacity_bytes);

#endif
