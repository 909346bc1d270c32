/* SPDX-License-Identifier: ISC */
/*
 * The hash table of one shard of the block cache, in which a hit takes no
 * lock and costs one atomic addition (after RocksDB's HyperClockCache). Used
 * by block_shard.c and block_cache.c alone.
 *
 * Each cached block has an entry, whose meta word holds all that readers
 * change: references, and hits since somebody looked. Entries are never
 * freed while the table lives, only used again, so a reader may add to a
 * meta word on the chance: what the word was before tells whether there was
 * a block, and with the reference taken the entry stays as it is, so that
 * its name can be compared. Additions to an entry without a block have no
 * meaning and are forgotten when it is used again; they are few, since its
 * slot is gone.
 *
 * With a lock for each hit, kv_get() of hot keys by 4 threads on 2 cores took
 * 598 ns of processor time, so 520 (medians of 9 rounds in turn); a lookup
 * and release alone, 85 ns among 8,000 blocks and 269 among 40,000, so 59 and
 * 190 (the least of 5).
 *
 * The slots, by which entries are found, are hints in this sense. A reader
 * that searches while they change may miss a block that is there.
 *
 * Changes are made under the shard's lock, by one thread at a time. An entry
 * loses its block by the step from "visible, no references" to nothing.
 */
#ifndef KVFS_ENGINE_CACHE_BLOCK_TABLE_H
#define KVFS_ENGINE_CACHE_BLOCK_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct block_entry;

struct cached_block {
	struct block_entry *entry; /* NULL: outside of the cache */
	struct cached_block *next; /* of those taken out */
	_Atomic uint32_t refs; /* of one outside */
	uint32_t len;
	_Alignas(16) uint8_t data[]; /* right behind: one miss, not two */
};

/* The meta word: references in the low half, hits above, and the top bit. */
#define META_REF 1ull
#define META_REFS(m) ((uint32_t)(m))
#define META_HIT (1ull << 32)
#define META_HITS(m) ((uint32_t)((m) >> 32) & 0x7fffffffu)
#define META_HITS_MANY(m) (((m) >> 62 & 1) != 0) /* they need harvesting */
#define META_VISIBLE (1ull << 63)

struct block_entry {
	_Alignas(64) _Atomic uint64_t meta;
	/* constant while it is visible */
	uint64_t file, off;
	struct cached_block *block;
	uint32_t charge;
	/* guarded by the shard's lock */
	uint8_t heat; /* 0 to BLOCK_HEAT_MAX: of hits that were harvested */
	uint8_t part;
	TAILQ_ENTRY(block_entry) link; /* of its part, or of the free ones */
};
TAILQ_HEAD(block_list, block_entry);

struct block_slots;
struct block_chunk;

struct block_table {
	_Atomic(struct block_slots *) slots; /* release */
	/* guarded by the shard's lock */
	size_t count;
	struct block_chunk *chunks;
	struct block_list unused;
};

/* What an entry takes beside its block, on average. */
size_t block_table_entry_bytes(void);

/* -ENOMEM; fini is to be called all the same. */
int block_table_init(struct block_table *t);
/* Frees no block. */
void block_table_fini(struct block_table *t);

/* Any thread, without a lock: the entry, with a reference for the caller and
 * a hit counted; or NULL. */
struct block_entry *block_table_lookup(struct block_table *t, uint64_t hash,
    uint64_t file, uint64_t off);

/* The rest under the shard's lock. */

struct block_entry *block_table_find_locked(struct block_table *t,
    uint64_t hash, uint64_t file, uint64_t off);
/* Add a block that is not there, with one reference, the caller's; its part
 * is the caller's to set. NULL without memory. */
struct block_entry *block_table_add_locked(struct block_table *t, uint64_t hash,
    uint64_t file, uint64_t off, struct cached_block *b, uint32_t charge);
/* From now on readers do not find it. False: somebody uses it, or has hit it
 * since the last harvest. */
bool block_table_hide_locked(struct block_entry *e);
/* Forget one that is hidden and in no list; its block is the caller's. */
struct cached_block *block_table_remove_locked(struct block_table *t,
    uint64_t hash, struct block_entry *e);

static inline void
block_entry_ref(struct block_entry *e)
{
	/* Relaxed: the caller has a reference, or the shard's lock. */
	atomic_fetch_add_explicit(&e->meta, META_REF, memory_order_relaxed);
}

static inline void
block_entry_unref(struct block_entry *e)
{
	/* Release: our reads of the block come before its end. */
	atomic_fetch_sub_explicit(&e->meta, META_REF, memory_order_release);
}

#endif
