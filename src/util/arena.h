/* SPDX-License-Identifier: ISC */
/*
 * Allocates many pieces of memory, which are freed all at once. One thread
 * allocates; others may read the pieces, and arena_bytes(), at any time.
 */
#ifndef KVFS_UTIL_ARENA_H
#define KVFS_UTIL_ARENA_H

#include <stdatomic.h>
#include <stddef.h>

struct arena_block;
struct page_pool;

struct arena {
	struct arena_block *blocks;
	char *next;
	size_t left;
	size_t expected; /* see arena_expect() */
	struct page_pool *pool;
	_Atomic size_t bytes; /* handed out; relaxed, a statistic */
};

void arena_init(struct arena *a);
/* About this many bytes will be allocated in all: use large pages of the pool,
 * as far as it has some; arena_fini() gives them back. */
void arena_expect(struct arena *a, size_t bytes, struct page_pool *pool);
void arena_fini(struct arena *a);
/* 8-byte aligned; NULL without memory. */
void *arena_alloc(struct arena *a, size_t n);
/* Bytes allocated from it; the arena's own memory is at most a block more. */
size_t arena_bytes(const struct arena *a);

#endif
