/* SPDX-License-Identifier: ISC */
/*
 * Large pages for who walks through much memory: few entries of the TLB are
 * enough for them. To make one takes a millisecond or more, so they are made
 * ahead, in the background, and kept when they are given back; to take one
 * never waits for the kernel. Any thread.
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
	size_t made; /* pages, here and taken */
	/* written under mu */
	_Atomic size_t count; /* here */
};

void page_pool_init(struct page_pool *p);
/* Frees the pages that it has; those taken may no longer be given back. */
void page_pool_fini(struct page_pool *p);
/* A page of PAGE_POOL_PAGE bytes, with anything in it; NULL: none is there. */
void *page_pool_take(struct page_pool *p);
/* Give one back that was taken. */
void page_pool_give(struct page_pool *p, void *page);
/*
 * Free what is there beyond keep pages. If less than half of total are left,
 * with those that are taken, make new ones, up to total and to keep, as long
 * as the kernel has memory; that may take long.
 */
void page_pool_fill(struct page_pool *p, size_t keep, size_t total);
/* Bytes of the pages that are there; relaxed. */
size_t page_pool_bytes(const struct page_pool *p);

#endif
