/* SPDX-License-Identifier: ISC */
/* Listings that are remembered; see listing.h. */
#include "fs/listing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/fs_internal.h"
#include "util/hash.h"

/* A directory keeps so many, or so many bytes of them if that is less, while
 * it is open, but KEEP_MIN in any case: of what the kernel has kept, and of
 * those that read from it and were overtaken. */
#define KEEP_OPEN 64u
#define KEEP_BYTES (1u << 20)
#define KEEP_MIN 2u

struct listing_set {
	TAILQ_HEAD(listing_list, listing) all; /* newest first */
	unsigned count;
	uint32_t last; /* number */
	struct listing_pool *pool;
};

static uint32_t
hash_of(struct slice name)
{
	return (uint32_t)hash64(name.data, name.len, 0);
}

static void
account(struct listing_pool *pool, ssize_t bytes)
{
	/* Relaxed: a sum of differences; wraps back. */
	atomic_fetch_add_explicit(&pool->bytes, (size_t)bytes,
	    memory_order_relaxed);
}

static bool
is_over(struct listing_pool *pool)
{
	return atomic_load_explicit(&pool->bytes, memory_order_relaxed) >
	    pool->max_bytes;
}

/* Nobody has it any more. */
static void
destroy(struct listing *l) NO_THREAD_SAFETY
{
	account(l->pool,
	    -(ssize_t)(sizeof(*l) + l->marks_cap * sizeof(*l->marks) +
		l->cap * sizeof(*l->hashes)));
	for (size_t i = 0; i < l->nmarks; i++)
		iname_fini(&l->marks[i]);
	free(l->marks);
	free(l->hashes);
	mutex_fini(&l->mu);
	free(l);
}

static void
drop(struct listing_set *set, struct listing *l)
{
	TAILQ_REMOVE(&set->all, l, link);
	set->count--;
	l->is_kept = false;
	if (l->nusers == 0)
		destroy(l);
}

/* Forget the oldest ones. */
static void
trim(struct inode *dir) REQUIRES(&dir->mu)
{
	struct listing_set *set = dir->listings;
	size_t each = dir->rec.entries * sizeof(uint32_t) + sizeof(*set);
	unsigned keep = KEEP_MIN;

	if (dir->nlisting != 0 && each < KEEP_BYTES / KEEP_MIN)
		keep = (unsigned)(KEEP_BYTES / each);
	if (keep > KEEP_OPEN)
		keep = KEEP_OPEN;
	if (dir->nlisting == 0 && is_over(set->pool))
		keep = 0;
	while (set->count > keep)
		drop(set, TAILQ_LAST(&set->all, listing_list));
}

/* Where a copy ends that ended at tail, with one more name: an entry has a
 * head of 24 bytes, is filled up to a multiple of 8, and crosses no page. */
static size_t
next_tail(size_t tail, size_t name_len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t len = (24 + name_len + 7) & ~(size_t)7;

	return tail + len <= page ? tail + len : len;
}

struct listing *
listing_get(struct listing_pool *pool, struct inode *dir)
{
	uint64_t change = atomic_load(&dir->change);
	struct listing_set *set = dir->listings;
	struct listing *l;

	if (set == NULL) {
		set = calloc(1, sizeof(*set));
		if (set == NULL)
			return NULL;
		TAILQ_INIT(&set->all);
		set->pool = pool;
		dir->listings = set;
	}
	l = TAILQ_FIRST(&set->all);
	if (l != NULL && l->change == change) {
		l->nusers++;
		return l;
	}
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	mutex_init(&l->mu);
	l->pool = pool;
	account(pool, sizeof(*l));
	l->nusers = 1;
	l->is_kept = true;
	l->number = set->last = set->last % LISTING_NUMBER_MAX + 1;
	l->change = change;
	l->tail = next_tail(next_tail(0, strlen(".")), strlen(".."));
	TAILQ_INSERT_HEAD(&set->all, l, link);
	set->count++;
	trim(dir);
	return l;
}

struct listing *
listing_find(struct inode *dir, uint32_t number, struct listing *own)
{
	struct listing *l;

	if (own != NULL && own->number == number) {
		own->nusers++;
		return own;
	}
	if (dir->listings == NULL)
		return NULL;
	TAILQ_FOREACH (l, &dir->listings->all, link) {
		if (l->number == number) {
			l->nusers++;
			return l;
		}
	}
	return NULL;
}

void
listing_put(struct inode *dir, struct listing *l)
{
	if (l != NULL && --l->nusers == 0 && !l->is_kept)
		destroy(l);
	if (dir->listings != NULL && dir->nlisting == 0)
		trim(dir);
}

void
listing_free_all(struct inode *dir)
{
	struct listing_set *set = dir->listings;
	struct listing *l, *next;

	if (set == NULL)
		return;
	for (l = TAILQ_FIRST(&set->all); l != NULL; l = next) {
		next = TAILQ_NEXT(l, link);
		destroy(l);
	}
	free(set);
	dir->listings = NULL;
}

static int
add_mark_locked(struct listing *l, struct slice name) REQUIRES(&l->mu)
{
	size_t cap = l->marks_cap != 0 ? l->marks_cap * 2 : 1;
	struct iname *marks;
	int rc;

	if (l->nmarks == l->marks_cap) {
		marks = realloc(l->marks, cap * sizeof(*marks));
		if (marks == NULL)
			return -ENOMEM;
		account(l->pool,
		    (ssize_t)((cap - l->marks_cap) * sizeof(*marks)));
		l->marks = marks;
		l->marks_cap = cap;
	}
	rc = iname_set(&l->marks[l->nmarks], name);
	if (rc == 0)
		l->nmarks++;
	return rc;
}

static int
add_locked(struct listing *l, struct slice name) REQUIRES(&l->mu)
{
	size_t cap = l->cap != 0 ? l->cap * 2 : 16;
	uint32_t *hashes;
	int rc = 0;

	if (l->count == l->cap) {
		hashes = realloc(l->hashes, cap * sizeof(*hashes));
		if (hashes == NULL)
			return -ENOMEM;
		account(l->pool, (ssize_t)((cap - l->cap) * sizeof(*hashes)));
		l->hashes = hashes;
		l->cap = cap;
	}
	if (l->count % LISTING_MARK_EVERY == 0)
		rc = add_mark_locked(l, name);
	if (rc != 0)
		return rc;
	l->hashes[l->count++] = hash_of(name);
	l->tail = next_tail(l->tail, name.len);
	return 0;
}

int
listing_add(struct listing *l, uint64_t index, struct slice name)
{
	int rc = 0;

	mutex_lock(&l->mu);
	if (index == l->count)
		rc = add_locked(l, name);
	mutex_unlock(&l->mu);
	return rc;
}

void
listing_set_joined(struct listing *l)
{
	mutex_lock(&l->mu);
	l->is_joined = true;
	mutex_unlock(&l->mu);
}

bool
listing_is_safe(struct listing *l)
{
	bool is;

	mutex_lock(&l->mu);
	is = !l->is_joined && l->tail != (size_t)sysconf(_SC_PAGESIZE);
	mutex_unlock(&l->mu);
	return is;
}

int
listing_mark(struct listing *l, uint64_t index, struct iname *namep,
    uint64_t *ordinalp)
{
	uint64_t mark = index / LISTING_MARK_EVERY;
	int rc = 0;

	*namep = (struct iname){ 0 };
	*ordinalp = 0;
	mutex_lock(&l->mu);
	if (mark >= l->nmarks)
		mark = l->nmarks != 0 ? l->nmarks - 1 : 0;
	if (l->nmarks != 0)
		rc = iname_set(namep, iname_slice(&l->marks[mark]));
	mutex_unlock(&l->mu);
	*ordinalp = mark * LISTING_MARK_EVERY;
	return rc;
}

int
listing_get_place(struct listing *l, uint64_t index,
    struct listing_place *placep)
{
	uint64_t mark, first;
	int rc = 0;

	placep->has_first = placep->has_end = false;
	placep->count = placep->before = 0;
	mutex_lock(&l->mu);
	if (index > l->count)
		index = l->count;
	if (index == 0)
		goto out;
	/* The block of the entry before the place, which was seen. */
	mark = (index - 1) / LISTING_MARK_EVERY;
	first = mark * LISTING_MARK_EVERY;
	placep->count = l->count - first < LISTING_MARK_EVERY ?
	    l->count - first :
	    LISTING_MARK_EVERY;
	placep->before = index - first;
	memcpy(placep->hashes, l->hashes + first,
	    placep->count * sizeof(*placep->hashes));
	rc = iname_set(&placep->first, iname_slice(&l->marks[mark]));
	placep->has_first = rc == 0;
	if (rc == 0 && mark + 1 < l->nmarks) {
		rc = iname_set(&placep->end, iname_slice(&l->marks[mark + 1]));
		placep->has_end = rc == 0;
	}
out:
	mutex_unlock(&l->mu);
	return rc;
}

void
listing_place_fini(struct listing_place *place)
{
	if (place->has_first)
		iname_fini(&place->first);
	if (place->has_end)
		iname_fini(&place->end);
}

int
listing_compare(const struct listing_place *place, struct slice name)
{
	uint32_t hash = hash_of(name);

	if (!place->has_first)
		return 1;
	if (slice_cmp(name, iname_slice(&place->first)) < 0)
		return -1;
	if (place->has_end && slice_cmp(name, iname_slice(&place->end)) >= 0)
		return 1;
	for (size_t i = 0; i < place->count; i++)
		if (place->hashes[i] == hash)
			return i < place->before ? -1 : 1;
	return 0;
}
