/* SPDX-License-Identifier: ISC */
/*
 * The hash table of one shard of the block cache. A hit takes no lock and costs
 * one atomic addition (after RocksDB's HyperClockCache). Only block_shard.c and
 * block_cache.c use it.
 *
 * Each cached block has an entry. Its meta word holds all that readers change:
 * references, and hits since they were last collected. The memory of an entry
 * is reused but never freed while the table lives, so a reader may add to a
 * meta word before it knows what the entry is. The old value tells whether
 * there was a block; the reference, once taken, keeps the entry as it is, so
 * that its key can be compared. Additions to an entry without a block do no
 * harm: they are overwritten when it is used again, and they are few, since no
 * slot leads to it any more.
 *
 * Measured: kv_get() of hot keys by 4 threads on 2 cores takes 520 ns of
 * processor time, and with a lock for each hit 598 (medians of 9 rounds in
 * turn). A lookup and release alone take 59 ns among 8,000 blocks and 190 among
 * 40,000, and with the lock 85 and 269 (the least of 5).
 *
 * The slots, which lead to entries, are hints in the same sense: a reader that
 * searches while they change may miss a block that is there.
 *
 * Changes are made under the shard's lock. An entry loses its block by one
 * atomic step from "visible, no references" to 0.
 */
#ifndef KVFS_ENGINE_CACHE_BLOCK_TABLE_H
#define KVFS_ENGINE_CACHE_BLOCK_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "util/mutex.h"

struct block_entry;

struct cached_block {
	struct block_entry *entry; /* NULL: outside of the cache */
	struct cached_block *next; /* in the list of evicted blocks */
	_Atomic uint32_t refs; /* of a block outside of the cache */
	uint32_t len;
	/* Behind the header: one cache miss, not two. */
	_Alignas(16) uint8_t data[];
};

/* The meta word: low half references, then hits, top bit visible. */
#define META_REF 1ull
#define META_REFS(m) ((uint32_t)(m))
#define META_HIT (1ull << 32)
#define META_HITS(m) ((uint32_t)((m) >> 32) & 0x7fffffffu)
#define META_HITS_MANY(m) (((m) >> 62 & 1) != 0) /* time to collect them */
#define META_VISIBLE (1ull << 63)

struct block_entry {
	_Alignas(64) _Atomic uint64_t meta;
	/* constant while it is visible */
	uint64_t file, off;
	struct cached_block *block;
	uint32_t charge;
	/* guarded by the shard's lock */
	uint8_t heat; /* 0 to BLOCK_HEAT_MAX, from collected hits */
	uint8_t part;
	TAILQ_ENTRY(block_entry) link; /* in its part, or of the free ones */
};
TAILQ_HEAD(block_list, block_entry);

struct block_slots;
struct block_chunk;

struct block_table {
	_Atomic(struct block_slots *) slots; /* release */
	const struct mutex *mu; /* the shard's, which guards the rest */
	size_t count;
	struct block_chunk *chunks;
	struct block_list unused;
};

/* Memory for an entry in addition to its block, on average. */
size_t block_table_entry_bytes(void);

/* mu: the shard's. After -ENOMEM, fini has to be called too. */
int block_table_init(struct block_table *t, const struct mutex *mu);
/* Does not free blocks. */
void block_table_fini(struct block_table *t);

/* Any thread, without a lock: the entry, with a reference for the caller and a
 * hit counted; or NULL. */
struct block_entry *block_table_lookup(struct block_table *t, uint64_t hash,
    uint64_t file, uint64_t off);

/* The functions below need the shard's lock. */

struct block_entry *block_table_find_locked(struct block_table *t,
    uint64_t hash, uint64_t file, uint64_t off);
/* Add a block that is not in the table, with one reference for the caller, who
 * sets its part. NULL without memory. */
struct block_entry *block_table_add_locked(struct block_table *t, uint64_t hash,
    uint64_t file, uint64_t off, struct cached_block *b, uint32_t charge);
/* Hide the entry from readers. False: somebody has a reference, or has hit it
 * since the hits were last collected. */
bool block_table_hide_locked(struct block_table *t, struct block_entry *e);
/* Free a hidden entry that is in no list. Returns its block, owned by the
 * caller. */
struct cached_block *block_table_remove_locked(struct block_table *t,
    uint64_t hash, struct block_entry *e);

static inline void
block_entry_ref(struct block_entry *e)
{
	/* Relaxed: the caller has a reference or the shard's lock. */
	atomic_fetch_add_explicit(&e->meta, META_REF, memory_order_relaxed);
}

static inline void
block_entry_unref(struct block_entry *e)
{
	/* Release: our reads of the block come before its end. */
	atomic_fetch_sub_explicit(&e->meta, META_REF, memory_order_release);
}

#endif
