/* SPDX-License-Identifier: ISC */
/*
 * Insertion into a skip list. Several entries are searched together, so that
 * their waits for memory overlap.
 * Threading: one writer at a time.
 */
#include <errno.h>
#include <string.h>

#include "engine/memtable/skiplist_internal.h"

/* One node in four is one level higher: fewer pointers than with one in two,
 * and as few comparisons (Pugh's choice of p). */
#define BRANCH_BITS 2

/* xorshift64 (Marsaglia); good enough for heights. */
static int
random_height(struct skiplist *s)
{
	uint64_t x = s->random;
	int height = 1;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	s->random = x;
	while (height < SKIPLIST_MAX_HEIGHT &&
	    (x & ((1u << BRANCH_BITS) - 1)) == 0) {
		height++;
		x >>= BRANCH_BITS;
	}
	return height;
}

/* The search for one entry's place. */
struct lane {
	struct skip_node *node;
	struct target target;
	int height;
	/* The search is at node at; next is the node behind it on this
	 * level. */
	int level;
	struct skip_node *at, *next;
	const struct skip_node *known_after;
	/* The last nodes before the place, on the lowest levels. If other nodes
	 * were inserted since the search, they are out of date; the nodes after
	 * the place are known, too. */
	int levels;
	bool is_late;
	struct skip_node *prev[SKIPLIST_MAX_HEIGHT];
	struct skip_node *after[SKIPLIST_MAX_HEIGHT];
};

static int
lane_init(struct skiplist *s, struct lane *l, const struct skip_entry *e)
{
	struct skip_node *n;

	l->target = target_make(e->user, e->trailer);
	l->height = random_height(s);
	l->is_late = false;
	n = skip_node_create(s, l->height, e->user.len + KEY_TRAILER_LEN,
	    e->value.len);
	l->node = n;
	if (n == NULL)
		return -ENOMEM;
	memcpy(n->key, e->user.data, e->user.len);
	put_le64(n->key + e->user.len, e->trailer);
	if (e->value.len != 0)
		memcpy(n->key + n->key_len, e->value.data, e->value.len);
	return 0;
}

/* Go down until there is a node to compare, and prefetch it. False: the search
 * has ended, prev and after are complete. */
static inline bool
lane_go_down(struct lane *l)
{
	/* A node that was compared on a higher level need not be compared
	 * again. */
	while (l->next == NULL || l->next == l->known_after) {
		l->prev[l->level] = l->at;
		l->after[l->level] = l->next;
		if (l->level-- == 0)
			return false;
		l->next = next_of(l->at, l->level);
	}
	__builtin_prefetch(l->next);
	return true;
}

static bool
lane_start(const struct skiplist *s, struct lane *l)
{
	l->levels = skiplist_height(s);
	l->level = l->levels - 1;
	l->at = s->head;
	l->next = next_of(l->at, l->level);
	l->known_after = NULL;
	return lane_go_down(l);
}

static inline bool
lane_step(struct lane *l)
{
	if (is_before(l->next, &l->target)) {
		l->at = l->next;
		l->next = next_of(l->at, l->level);
	} else {
		l->known_after = l->next;
	}
	return lane_go_down(l);
}

/* Search one place. */
static void
search_one(const struct skiplist *s, struct lane *l)
{
	l->levels = skiplist_height(s);
	(void)skiplist_descend(s, &l->target, l->prev);
}

/* Search several places. Each step of a search waits for memory; the steps of
 * all searches wait at the same time (AMAC, Kocberber et al. 2015). */
static void
search_all(const struct skiplist *s, struct lane *lanes, size_t n)
{
	struct lane *busy[SKIPLIST_LANES];
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (lane_start(s, &lanes[i]))
			busy[count++] = &lanes[i];
	while (count != 0) {
		size_t left = 0;

		for (size_t i = 0; i < count; i++)
			if (lane_step(busy[i]))
				busy[left++] = busy[i];
		count = left;
	}
}

/* The list has grown higher since the search. */
static void
lane_grow(const struct skiplist *s, struct lane *l, int levels)
{
	for (; l->levels < levels; l->levels++) {
		l->prev[l->levels] = s->head;
		l->after[l->levels] = NULL;
	}
}

/* The last node before the place on a level. If nodes were inserted since the
 * search, it may be behind the one that was found. */
static struct skip_node *
lane_prev(const struct lane *l, int level)
{
	/* All entries below l->levels are set. */
	struct skip_node *n = l->prev[level]; /* NOLINT(*.Assign) */
	struct skip_node *next;

	if (!l->is_late)
		return n;
	while ((next = next_of(n, level)) != l->after[level] &&
	    is_before(next, &l->target))
		n = next;
	return n;
}

static void
lane_link(struct skiplist *s, struct lane *l)
{
	lane_grow(s, l, l->height);
	if (l->height > skiplist_height(s))
		atomic_store_explicit(&s->height, l->height,
		    memory_order_relaxed);
	for (int i = 0; i < l->height; i++) {
		struct skip_node *prev = lane_prev(l, i);

		/* Release: whoever sees the link sees the complete node. */
		atomic_store_explicit(link_of(l->node, i), next_of(prev, i),
		    memory_order_relaxed);
		atomic_store_explicit(link_of(prev, i), l->node,
		    memory_order_release);
	}
}

/* Remember the insertion: the next key may belong right behind it. */
static void
remember_last(struct skiplist *s, struct lane *l)
{
	int height = skiplist_height(s);

	lane_grow(s, l, height);
	s->last = l->node;
	for (int i = 0; i < l->height; i++)
		s->last_prev[i] = l->node;
	for (int i = l->height; i < height; i++)
		s->last_prev[i] = lane_prev(l, i);
}

static bool
follows_last(const struct skiplist *s, const struct target *t)
{
	struct skip_node *next;

	if (s->last == NULL || !is_before(s->last, t))
		return false;
	next = next_of(s->last, 0);
	return next == NULL || !is_before(next, t);
}

/* Use the place of the last insertion instead of a search. */
static void
lane_follow_last(const struct skiplist *s, struct lane *l)
{
	l->levels = skiplist_height(s);
	memcpy(l->prev, s->last_prev, (size_t)l->levels * sizeof(l->prev[0]));
}

int
skiplist_insert(struct skiplist *s, const struct skip_entry *entries, size_t n)
{
	struct lane lanes[SKIPLIST_LANES];
	size_t done = 0;

	for (size_t i = 0; i < n; i++)
		if (lane_init(s, &lanes[i], &entries[i]) < 0)
			return -ENOMEM;
	for (; done < n && follows_last(s, &lanes[done].target); done++) {
		lane_follow_last(s, &lanes[done]);
		lane_link(s, &lanes[done]);
		remember_last(s, &lanes[done]);
	}
	if (n - done == 1)
		search_one(s, &lanes[done]);
	else
		search_all(s, lanes + done, n - done);
	for (size_t i = done; i < n; i++) {
		lanes[i].is_late = i > done;
		lane_link(s, &lanes[i]);
	}
	if (done < n)
		remember_last(s, &lanes[n - 1]);
	return 0;
}
