/* SPDX-License-Identifier: ISC */
/*
 * Block cache; see block_cache.h. It has 16 shards (block_shard.h), among which
 * the capacity is divided evenly. A hit costs one atomic addition, and
 * releasing the handle one subtraction (block_table.h). Changes hold the lock
 * of one shard.
 */
#include "engine/cache/block_cache.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "engine/cache/block_shard.h"
#include "util/mutex.h"

#define SHARDS 16
#define SHARD_SHIFT 60
#define GHOSTS_MIN 64
#define GHOSTS_MAX (1u << 16)
/* The expected size of a block; used to size tables only. */
#define TYPICAL_BLOCK 8192
#define BLOCK_SHARE_LEAST (BLOCK_SHARE_ONE / 20)
#define BLOCK_SHARE_MOST (BLOCK_SHARE_ONE / 2)

struct block_cache {
	struct block_shard shard[SHARDS];
	/* Relaxed: the bound may be out of date for one insertion. */
	_Atomic uint64_t capacity, reserved;
};

static struct block_shard *
shard_of(struct block_cache *c, uint64_t hash)
{
	return &c->shard[hash >> SHARD_SHIFT];
}

static uint64_t
shard_capacity(struct block_cache *c)
{
	uint64_t cap = atomic_load_explicit(&c->capacity, memory_order_relaxed);
	uint64_t res = atomic_load_explicit(&c->reserved, memory_order_relaxed);
	uint64_t least = cap / 4;

	cap = res < cap - least ? cap - res : least;
	return cap / SHARDS;
}

/* ---- Life cycle ---- */

struct block_cache *
block_cache_create(uint64_t capacity_bytes)
{
	static const struct block_split split = { BLOCK_SHARE_LEAST,
		BLOCK_SHARE_MOST };

	return block_cache_create_split(capacity_bytes, &split);
}

struct block_cache *
block_cache_create_split(uint64_t capacity_bytes,
    const struct block_split *split)
{
	struct block_cache *c = aligned_alloc(64, sizeof(*c));
	size_t ghosts = GHOSTS_MIN;
	int rc = 0;

	if (c == NULL)
		return NULL;
	while (ghosts < 2 * capacity_bytes / TYPICAL_BLOCK / SHARDS &&
	    ghosts < GHOSTS_MAX)
		ghosts *= 2;
	atomic_init(&c->capacity, capacity_bytes);
	atomic_init(&c->reserved, 0);
	for (unsigned i = 0; i < SHARDS; i++)
		rc |= block_shard_init(&c->shard[i], ghosts, split);
	if (rc == 0)
		return c;
	block_cache_destroy(c);
	return NULL;
}

void
block_cache_destroy(struct block_cache *c)
{
	if (c == NULL)
		return;
	for (unsigned i = 0; i < SHARDS; i++)
		block_shard_fini(&c->shard[i]);
	free(c);
}

void
block_cache_check(struct block_cache *c)
{
	for (unsigned i = 0; i < SHARDS; i++) {
		mutex_lock(&c->shard[i].mu);
		block_shard_check(&c->shard[i]);
		mutex_unlock(&c->shard[i].mu);
	}
}

/* ---- Handles ---- */

static struct cached_block *
block_of_data(void *data)
{
	return (struct cached_block *)((uint8_t *)data -
	    offsetof(struct cached_block, data));
}

void *
block_alloc(size_t len)
{
	struct cached_block *b = NULL;

	if (len <= UINT32_MAX / 2)
		b = malloc(sizeof(*b) + len);
	return b != NULL ? b->data : NULL;
}

void
block_free(void *data)
{
	if (data != NULL)
		free(block_of_data(data));
}

struct cached_block *
block_uncached(void *data, size_t len)
{
	struct cached_block *b = block_of_data(data);

	*b = (struct cached_block){ .len = (uint32_t)len };
	atomic_init(&b->refs, 1);
	return b;
}

void
cached_block_ref(struct cached_block *b)
{
	if (b->entry != NULL)
		block_entry_ref(b->entry);
	else /* Relaxed: the caller has a reference. */
		atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
}

void
cached_block_release(struct cached_block *b)
{
	if (b->entry != NULL) {
		block_entry_unref(b->entry);
		return;
	}
	/* Release: our reads of the data come before its end. Acquire: and
	 * those of others before the free. */
	if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(b);
}

struct slice
cached_block_data(const struct cached_block *b)
{
	return slice_make(b->data, b->len);
}

/* ---- Blocks ---- */

struct cached_block *
block_cache_lookup(struct block_cache *c, uint64_t file, uint64_t off)
{
	uint64_t hash = block_hash(file, off);

	return block_shard_lookup(shard_of(c, hash), hash, file, off);
}

struct cached_block *
block_cache_insert(struct block_cache *c, uint64_t file, uint64_t off,
    void *data, size_t len, enum block_priority priority)
{
	uint64_t hash = block_hash(file, off), capacity = shard_capacity(c);
	struct block_shard *s = shard_of(c, hash);
	struct cached_block *b = block_uncached(data, len), *other,
			    *dead = NULL;
	struct block_place place = { .file = file, .off = off };

	place.charge = (uint32_t)(malloc_usable_size(b) +
	    block_table_entry_bytes());
	if (place.charge > capacity / 4)
		return b;
	mutex_lock(&s->mu);
	other = block_shard_insert_locked(s, b, &place, capacity, priority);
	block_shard_evict_locked(s, capacity, &dead);
	mutex_unlock(&s->mu);
	block_free_all(dead);
	if (other == NULL)
		return b;
	cached_block_release(b);
	return other;
}

bool
block_cache_has(struct block_cache *c, uint64_t file, uint64_t off)
{
	uint64_t hash = block_hash(file, off);
	struct block_shard *s = shard_of(c, hash);
	bool has;

	mutex_lock(&s->mu);
	has = block_shard_has_locked(s, hash, file, off);
	mutex_unlock(&s->mu);
	return has;
}

int
block_cache_list_hot(struct block_cache *c, struct block_place **placesp,
    size_t *countp)
{
	struct block_place *places = NULL;
	size_t count = 0;

	*placesp = NULL;
	*countp = 0;
	for (unsigned i = 0; i < SHARDS; i++) {
		struct block_shard *s = &c->shard[i];
		struct block_place *more;

		mutex_lock(&s->mu);
		more = realloc(places,
		    (count + s->table.count + 1) * sizeof(*more));
		if (more != NULL) {
			places = more;
			count += block_shard_list_hot_locked(s, places + count);
		}
		mutex_unlock(&s->mu);
		if (more == NULL) {
			free(places);
			return -ENOMEM;
		}
	}
	*placesp = places;
	*countp = count;
	return 0;
}

/* ---- The bound ---- */

void
block_cache_reserve(struct block_cache *c, uint64_t bytes)
{
	atomic_fetch_add_explicit(&c->reserved, bytes, memory_order_relaxed);
}

void
block_cache_unreserve(struct block_cache *c, uint64_t bytes)
{
	atomic_fetch_sub_explicit(&c->reserved, bytes, memory_order_relaxed);
}

static void
add_stats(struct block_cache_stats *statsp, struct block_shard *s,
    uint64_t capacity)
{
	mutex_lock(&s->mu);
	block_shard_harvest_locked(s);
	for (int i = 0; i < BLOCK_PARTS; i++) {
		const struct block_part_state *p = &s->part[i];

		statsp->part[i].hits += p->stats.hits;
		statsp->part[i].returns += p->stats.returns;
		statsp->part[i].bytes += p->bytes;
		statsp->hits += p->stats.hits;
	}
	statsp->inserts += s->inserts;
	statsp->evictions += s->evictions;
	statsp->promotions += s->promotions;
	statsp->bytes += s->bytes;
	statsp->warm_target_bytes += block_shard_warm_target(s, capacity);
	mutex_unlock(&s->mu);
}

void
block_cache_get_progress(struct block_cache *c, uint64_t *missesp,
    uint64_t *aheadp)
{
	*missesp = *aheadp = 0;
	for (unsigned i = 0; i < SHARDS; i++) {
		*missesp += atomic_load_explicit(&c->shard[i].misses,
		    memory_order_relaxed);
		*aheadp += atomic_load_explicit(&c->shard[i].ahead,
		    memory_order_relaxed);
	}
}

void
block_cache_get_stats(struct block_cache *c, struct block_cache_stats *statsp)
{
	*statsp = (struct block_cache_stats){
		.bytes = atomic_load_explicit(&c->reserved,
		    memory_order_relaxed),
		.capacity_bytes = atomic_load_explicit(&c->capacity,
		    memory_order_relaxed),
	};
	block_cache_get_progress(c, &statsp->misses, &statsp->ahead);
	for (unsigned i = 0; i < SHARDS; i++)
		add_stats(statsp, &c->shard[i], shard_capacity(c));
}

void
block_cache_resize(struct block_cache *c, uint64_t capacity_bytes)
{
	atomic_store_explicit(&c->capacity, capacity_bytes,
	    memory_order_relaxed);
	block_cache_trim(c);
}

void
block_cache_trim(struct block_cache *c)
{
	for (unsigned i = 0; i < SHARDS; i++) {
		struct block_shard *s = &c->shard[i];
		struct cached_block *dead = NULL;

		mutex_lock(&s->mu);
		block_shard_evict_locked(s, shard_capacity(c), &dead);
		mutex_unlock(&s->mu);
		block_free_all(dead);
	}
}
