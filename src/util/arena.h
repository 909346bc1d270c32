/* SPDX-License-Identifier: ISC */
/*
 * Allocate many, free at once. One thread allocates; others may read what
 * was allocated and arena_bytes() at any time.
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
	size_t expected;
	struct page_pool *pool;
	_Atomic size_t bytes; /* handed out; relaxed, a statistic */
};

void arena_init(struct arena *a);
/* So many bytes in all are likely: take large pages for them, where the pool
 * has some, which are given back in the end. */
void arena_expect(struct arena *a, size_t bytes, struct page_pool *pool);
void arena_fini(struct arena *a);
/* 8-byte aligned; NULL without memory. */
void *arena_alloc(struct arena *a, size_t n);
/* Bytes handed out; what malloc gave is at most a block more. */
size_t arena_bytes(const struct arena *a);

#endif
