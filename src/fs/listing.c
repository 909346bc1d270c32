/* SPDX-License-Identifier: ISC */
/* See listing.h. */
#include "fs/listing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/fs.h"
#include "fs/live_inode.h"
#include "util/hash.h"

/* Each directory may keep so many removed names, whatever the total is. */
#define GONE_MIN 64u

int64_t
listing_offset(struct slice name)
{
	int64_t offset = (int64_t)(hash_bytes(name.data, name.len, 0) >> 2);

	return offset > LISTING_DOTS ? offset : offset + LISTING_DOTS + 1;
}

static void
listing_account(struct listing_pool *pool, ssize_t bytes)
{
	/* Relaxed: a sum; a negative difference wraps around. */
	atomic_fetch_add_explicit(&pool->bytes, (size_t)bytes,
	    memory_order_relaxed);
}

static bool
is_over(struct listing_pool *pool)
{
	return atomic_load_explicit(&pool->bytes, memory_order_relaxed) >
	    pool->max_bytes;
}

static ssize_t
gone_bytes(size_t len)
{
	return (ssize_t)(sizeof(struct listing_gone) + len + ALLOC_OVERHEAD);
}

static void
drop_oldest(struct listing *l)
{
	struct listing_gone *g = TAILQ_FIRST(&l->gone);

	TAILQ_REMOVE(&l->gone, g, link);
	l->ngone--;
	listing_account(l->pool, -gone_bytes(g->len));
	free(g);
}

int
listing_open(struct listing_pool *pool, struct inode *dir)
{
	struct listing *l = dir->opens.listing;

	if (l == NULL) {
		l = calloc(1, sizeof(*l));
		if (l == NULL)
			return -ENOMEM;
		TAILQ_INIT(&l->gone);
		l->pool = pool;
		l->is_whole = true;
		listing_account(pool, sizeof(*l) + ALLOC_OVERHEAD);
		dir->opens.listing = l;
	}
	l->nopen++;
	return 0;
}

void
listing_close(struct inode *dir)
{
	struct listing *l = dir->opens.listing;

	if (--l->nopen != 0)
		return;
	while (l->ngone != 0)
		drop_oldest(l);
}

void
listing_free(struct inode *dir)
{
	struct listing *l = dir->opens.listing;

	if (l == NULL)
		return;
	while (l->ngone != 0)
		drop_oldest(l);
	listing_account(l->pool, -(ssize_t)(sizeof(*l) + ALLOC_OVERHEAD));
	free(l);
	dir->opens.listing = NULL;
}

void
listing_note_removal(struct inode *dir, struct slice name)
{
	struct listing *l = dir->opens.listing;
	struct listing_gone *g;

	if (l == NULL || l->nopen == 0)
		return;
	while (l->ngone >= GONE_MIN && is_over(l->pool))
		drop_oldest(l);
	g = malloc(sizeof(*g) + name.len);
	if (g == NULL)
		return;
	g->offset = listing_offset(name);
	g->len = (uint8_t)name.len;
	memcpy(g->name, name.data, name.len);
	TAILQ_INSERT_TAIL(&l->gone, g, link);
	l->ngone++;
	listing_account(l->pool, gone_bytes(name.len));
}

bool
listing_find_gone(const struct inode *dir, int64_t offset, struct slice *namep)
{
	const struct listing_gone *g;

	TAILQ_FOREACH_REVERSE(g, &dir->opens.listing->gone, listing_gone_list,
	    link)
	{
		if (g->offset == offset) {
			*namep = slice_make(g->name, g->len);
			return true;
		}
	}
	return false;
}

/* The end of a cached copy after one more name: an entry has a header of 24
 * bytes, is padded to a multiple of 8, and does not cross a page. */
static size_t
next_tail(size_t tail, size_t name_len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t len = (24 + name_len + 7) & ~(size_t)7;

	return tail + len <= page ? tail + len : len;
}

void
listing_begin(struct inode *dir, struct listing_scan *scan)
{
	struct listing *l = dir->opens.listing;
	uint64_t change = atomic_load_explicit(&dir->commits.change,
	    memory_order_seq_cst);

	/* The kernel continues the copy that it began for another reader. */
	if (!l->is_whole && l->begun_change != change)
		l->is_mixed = true;
	l->begun_change = change;
	l->is_whole = false;
	*scan = (struct listing_scan){
		.is_sequential = true,
		.change = change,
		.tail = next_tail(next_tail(0, strlen(".")), strlen("..")),
	};
}

void
listing_advance(struct listing_scan *scan, struct slice name)
{
	scan->tail = next_tail(scan->tail, name.len);
}

bool
listing_is_safe(struct inode *dir, const struct listing_scan *scan)
{
	struct listing *l = dir->opens.listing;
	bool is_safe = scan->is_sequential && !l->is_mixed &&
	    scan->change ==
		atomic_load_explicit(&dir->commits.change,
		    memory_order_seq_cst) &&
	    scan->tail != (size_t)sysconf(_SC_PAGESIZE);

	/* The copy's pages are dropped, so the next one starts afresh. */
	l->is_whole = true;
	l->is_mixed = false;
	return is_safe;
}
