/* SPDX-License-Identifier: ISC */
/*
 * A pool of huge pages, for memory that is accessed at random: they need few
 * entries of the TLB. To get one from the kernel takes a millisecond or more, so
 * they are made ahead in the background, and kept when they are given back. To
 * take one from the pool does not wait for the kernel. Any thread.
 */
#ifndef KVFS_UTIL_PAGE_POOL_H
#define KVFS_UTIL_PAGE_POOL_H

#include <stdatomic.h>
#include <stddef.h>

#include "util/mutex.h"

#define PAGE_POOL_PAGE ((size_t)2 << 20)

struct page_pool_page;

struct page_pool {
	struct mutex mu;
	/* guarded by mu */
	struct page_pool_page *pages;
	size_t made; /* pages in the pool and taken */
	/* written under mu */
	_Atomic size_t count; /* pages in the pool */
};

void page_pool_init(struct page_pool *p);
/* Free the pages in the pool; pages that are taken may not be given back any
 * more. */
void page_pool_fini(struct page_pool *p);
/* A page of PAGE_POOL_PAGE bytes, of any contents; NULL: the pool is empty. */
void *page_pool_take(struct page_pool *p);
/* Give back a page that was taken. */
void page_pool_give(struct page_pool *p, void *page);
/*
 * Free pages in the pool beyond keep. Then, if fewer than half of total exist,
 * taken ones included, make new ones, until total exist or keep are in the
 * pool, as long as the kernel has memory. May take long.
 */
void page_pool_fill(struct page_pool *p, size_t keep, size_t total);
/* Bytes of the pages in the pool; relaxed. */
size_t page_pool_bytes(const struct page_pool *p);

#endif
