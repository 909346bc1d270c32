/* SPDX-License-Identifier: ISC */
/* See page_pool.h. */
#include "util/page_pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* At the beginning of a page in the pool. */
struct page_pool_page {
	struct page_pool_page *next;
};

static void
page_unmap(struct page_pool_page *page)
{
	(void)munmap(page, PAGE_POOL_PAGE);
}

/* Make a page; of small pages if the kernel has no huge one. NULL without
 * memory. */
static struct page_pool_page *
page_map(void)
{
	size_t before;
	char *p = mmap(NULL, 2 * PAGE_POOL_PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)p % PAGE_POOL_PAGE;
	if (before != 0)
		(void)munmap(p, before);
	(void)munmap(p + before + PAGE_POOL_PAGE, PAGE_POOL_PAGE - before);
	p += before;
	(void)madvise(p, PAGE_POOL_PAGE, MADV_HUGEPAGE);
	/* The kernel allocates the memory when it is written to. */
	memset(p, 0, PAGE_POOL_PAGE);
	return (struct page_pool_page *)p;
}

static struct page_pool_page *
pop_locked(struct page_pool *p)
{
	struct page_pool_page *page = p->pages;

	mutex_assert_held(&p->mu);
	if (page != NULL) {
		p->pages = page->next;
		atomic_fetch_sub_explicit(&p->count, 1, memory_order_relaxed);
	}
	return page;
}

static void
push_locked(struct page_pool *p, struct page_pool_page *page)
{
	mutex_assert_held(&p->mu);
	page->next = p->pages;
	p->pages = page;
	atomic_fetch_add_explicit(&p->count, 1, memory_order_relaxed);
}

void
page_pool_init(struct page_pool *p)
{
	mutex_init(&p->mu);
	p->pages = NULL;
	p->made = 0;
	atomic_init(&p->count, 0);
}

void
page_pool_fini(struct page_pool *p)
{
	page_pool_fill(p, 0, 0);
	mutex_fini(&p->mu);
}

void *
page_pool_take(struct page_pool *p)
{
	struct page_pool_page *page;

	mutex_lock(&p->mu);
	page = pop_locked(p);
	mutex_unlock(&p->mu);
	return page;
}

void
page_pool_give(struct page_pool *p, void *page)
{
	mutex_lock(&p->mu);
	push_locked(p, page);
	mutex_unlock(&p->mu);
}

static size_t
count_locked(const struct page_pool *p)
{
	mutex_assert_held(&p->mu);
	return atomic_load_explicit(&p->count, memory_order_relaxed);
}

void
page_pool_fill(struct page_pool *p, size_t keep, size_t total)
{
	struct page_pool_page *page;

	mutex_lock(&p->mu);
	while (count_locked(p) > keep) {
		page = pop_locked(p);
		p->made--;
		mutex_unlock(&p->mu);
		page_unmap(page);
		mutex_lock(&p->mu);
	}
	if (p->made >= (total + 1) / 2)
		total = 0;
	while (p->made < total && count_locked(p) < keep) {
		p->made++;
		mutex_unlock(&p->mu);
		page = page_map();
		mutex_lock(&p->mu);
		if (page == NULL) {
			p->made--;
			break;
		}
		push_locked(p, page);
	}
	mutex_unlock(&p->mu);
}

size_t
page_pool_bytes(const struct page_pool *p)
{
	return atomic_load_explicit(&p->count, memory_order_relaxed) *
	    PAGE_POOL_PAGE;
}
