/* SPDX-License-Identifier: ISC */
/*
 * A Bloom filter that is filled while it is read: which keys a memtable may
 * have. All bits of a key are in one word (Putze, Sanders, Singler 2007), so
 * that adding and testing cost one memory access. About 3 % false positives
 * with 10 bits a key.
 * Threading: one thread adds, any thread may test meanwhile; it finds what was
 * added before something that it has seen (acquire).
 */
#ifndef KVFS_ENGINE_MEMTABLE_MEM_FILTER_H
#define KVFS_ENGINE_MEMTABLE_MEM_FILTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/key/key.h"

#define MEM_FILTER_PROBES 5

/* If all zero, it lets every key pass. */
struct mem_filter {
	_Atomic uint64_t *words;
	uint32_t count;
};

/* An empty filter. -ENOMEM. */
int mem_filter_init(struct mem_filter *f, size_t bytes);
void mem_filter_fini(struct mem_filter *f);

static inline _Atomic uint64_t *
mem_filter_word(const struct mem_filter *f, uint64_t hash)
{
	return &f->words[(hash >> 32) * f->count >> 32];
}

static inline uint64_t
mem_filter_bits(uint64_t hash)
{
	uint64_t bits = 0;

	for (int i = 0; i < MEM_FILTER_PROBES; i++)
		bits |= 1ull << (hash >> 6 * i & 63);
	return bits;
}

/* hash is the key_hash() of a user key. */
static inline void
mem_filter_add(struct mem_filter *f, uint64_t hash)
{
	_Atomic uint64_t *word;

	if (f->count == 0)
		return;
	/* Relaxed: no other thread writes, and readers find the key only after
	 * its node is published. */
	word = mem_filter_word(f, hash);
	atomic_store_explicit(word,
	    atomic_load_explicit(word, memory_order_relaxed) |
		mem_filter_bits(hash),
	    memory_order_relaxed);
}

/* False: no key with this hash was added. */
static inline bool
mem_filter_may_contain(const struct mem_filter *f, uint64_t hash)
{
	uint64_t bits = mem_filter_bits(hash);

	return f->count == 0 ||
	    (atomic_load_explicit(mem_filter_word(f, hash),
		 memory_order_relaxed) &
		bits) == bits;
}

static inline size_t
mem_filter_bytes(const struct mem_filter *f)
{
	return f->count * sizeof(*f->words);
}

#endif
