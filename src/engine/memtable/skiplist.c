/* SPDX-License-Identifier: ISC */
/* Skip list in an arena; see skiplist.h for the threading. */
#include "engine/memtable/skiplist.h"

#include <assert.h>
#include <errno.h>

#include "engine/key/key.h"
#include "util/coding.h"

/* One node in four goes a level up: fewer pointers than one in two, and as
 * few comparisons (Pugh's choice of p). */
#define BRANCH_BITS 2

/*
 * A node of height h lies behind its h links, the lowest last, so that what
 * a search compares is at one place whatever the height, and beside the
 * link that it follows most (RocksDB's InlineSkipList).
 */
struct skip_node {
	uint32_t key_len; /* with the trailer */
	uint32_t value_len;
	uint8_t key[]; /* and the value behind it */
};

typedef _Atomic(struct skip_node *) skip_link;

static inline skip_link *
link_of(const struct skip_node *n, int level)
{
	return (skip_link *)(uintptr_t)n - 1 - level;
}

static inline struct skip_node *
next_of(const struct skip_node *n, int level)
{
	return atomic_load_explicit(link_of(n, level), memory_order_acquire);
}

/*
 * A key that is looked for. Two numbers made of its first bytes tell it from
 * most nodes' keys.
 */
struct target {
	struct slice user;
	uint64_t trailer;
	uint64_t head, head2;
	bool has_head2;
};

#define HEAD_LEN sizeof(uint64_t)
static_assert(KEY_PREFIX_LEN >= HEAD_LEN, "each key has a head");

static inline struct target
target_make(struct slice user, uint64_t trailer)
{
	const uint8_t *p = user.data;
	struct target t = { .user = user, .trailer = trailer };

	t.head = get_be64(p);
	t.has_head2 = user.len >= 2 * HEAD_LEN;
	if (t.has_head2)
		t.head2 = get_be64(p + HEAD_LEN);
	return t;
}

/* Whether n, which is not the head, comes before. */
static inline bool
is_before(const struct skip_node *n, const struct target *t)
{
	size_t len = n->key_len - KEY_TRAILER_LEN;
	uint64_t head = get_be64(n->key);
	int c;

	if (head != t->head)
		return head < t->head;
	if (t->has_head2 && len >= 2 * HEAD_LEN) {
		head = get_be64(n->key + HEAD_LEN);
		if (head != t->head2)
			return head < t->head2;
	}
	c = slice_cmp(slice_make(n->key, len), t->user);
	/* Newer entries of a key come first. */
	return c != 0 ? c < 0 : get_le64(n->key + len) > t->trailer;
}

static struct skip_node *
node_create(struct skiplist *s, int height, size_t key_len, size_t value_len)
{
	skip_link *links = arena_alloc(s->arena,
	    (size_t)height * sizeof(*links) + sizeof(struct skip_node) +
		key_len + value_len);
	struct skip_node *n;

	if (links == NULL)
		return NULL;
	for (int i = 0; i < height; i++)
		atomic_init(&links[i], NULL);
	n = (struct skip_node *)(links + height);
	n->key_len = (uint32_t)key_len;
	n->value_len = (uint32_t)value_len;
	return n;
}

int
skiplist_init(struct skiplist *s, struct arena *arena)
{
	*s = (struct skiplist){ .arena = arena, .random = 0x9e3779b97f4a7c15 };
	atomic_init(&s->height, 1);
	s->head = node_create(s, SKIPLIST_MAX_HEIGHT, 0, 0);
	return s->head != NULL ? 0 : -ENOMEM;
}

/* xorshift64 (Marsaglia); heights need no better. */
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

static int
list_height(const struct skiplist *s)
{
	return atomic_load_explicit(&s->height, memory_order_relaxed);
}

/*
 * Go down from the head to the first node that is not before the target,
 * which is returned, or NULL; prev, if not NULL, gets the last node before
 * it on each level. The link below is fetched while a comparison waits for
 * its own: one of the two is what comes next.
 */
static inline struct skip_node *
descend(const struct skiplist *s, const struct target *t,
    struct skip_node **prev)
{
	struct skip_node *n = s->head, *next = NULL;
	const struct skip_node *known_after = NULL;
	int level = list_height(s);

	while (level-- > 0) {
		for (;;) {
			next = next_of(n, level);
			/* A node that was compared above need not be again. */
			if (next == NULL || next == known_after)
				break;
			if (level > 0)
				__builtin_prefetch(next_of(n, level - 1));
			if (!is_before(next, t)) {
				known_after = next;
				break;
			}
			n = next;
		}
		if (prev != NULL)
			prev[level] = n;
	}
	return next;
}

/* ---- Insertion ---- */

/* A node on the way to its place. */
struct lane {
	struct skip_node *node;
	struct target target;
	int height;
	/* The search stands on at, and next is what follows there. */
	int level;
	struct skip_node *at, *next;
	const struct skip_node *known_after;
	/* The nodes before on the lowest levels. If others have gone in since
	 * the search, it is late, and what came after is known, too. */
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
	n = node_create(s, l->height, e->user.len + KEY_TRAILER_LEN,
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

/* Go down until there is a node to be compared, and fetch it; false: there
 * is none, prev and after are complete. */
static inline bool
lane_go_down(struct lane *l)
{
	/* A node that was compared above need not be again. */
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
	l->levels = list_height(s);
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

/* One place. */
static void
search_one(const struct skiplist *s, struct lane *l)
{
	l->levels = list_height(s);
	(void)descend(s, &l->target, l->prev);
}

/* Several places. Each step of a search waits for memory; those of all wait
 * together (AMAC, Kocberber et al. 2015). */
static void
search(const struct skiplist *s, struct lane *lanes, size_t n)
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

/* The list was lower during the search. */
static void
lane_grow(const struct skiplist *s, struct lane *l, int levels)
{
	for (; l->levels < levels; l->levels++) {
		l->prev[l->levels] = s->head;
		l->after[l->levels] = NULL;
	}
}

/* The node before on a level; when nodes have gone in since the search, it
 * is that one or further on. */
static struct skip_node *
lane_prev(const struct lane *l, int level)
{
	/* Below l->levels all are set. */
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
	if (l->height > list_height(s))
		atomic_store_explicit(&s->height, l->height,
		    memory_order_relaxed);
	for (int i = 0; i < l->height; i++) {
		struct skip_node *prev = lane_prev(l, i);

		/* Release: whoever sees the link sees the node. */
		atomic_store_explicit(link_of(l->node, i), next_of(prev, i),
		    memory_order_relaxed);
		atomic_store_explicit(link_of(prev, i), l->node,
		    memory_order_release);
	}
}

/* What comes next may go right behind it. */
static void
remember_last(struct skiplist *s, struct lane *l)
{
	int height = list_height(s);

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

/* Instead of a search. */
static void
lane_follow_last(const struct skiplist *s, struct lane *l)
{
	l->levels = list_height(s);
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
		search(s, lanes + done, n - done);
	for (size_t i = done; i < n; i++) {
		lanes[i].is_late = i > done;
		lane_link(s, &lanes[i]);
	}
	if (done < n)
		remember_last(s, &lanes[n - 1]);
	return 0;
}

/* ---- Reading ---- */

const struct skip_node *
skiplist_seek(const struct skiplist *s, struct slice user, uint64_t trailer)
{
	struct target t = target_make(user, trailer);

	return descend(s, &t, NULL);
}

const struct skip_node *
skiplist_first(const struct skiplist *s)
{
	return next_of(s->head, 0);
}

const struct skip_node *
skip_node_next(const struct skip_node *n)
{
	return next_of(n, 0);
}

struct slice
skip_node_key(const struct skip_node *n)
{
	return slice_make(n->key, n->key_len);
}

struct slice
skip_node_value(const struct skip_node *n)
{
	return slice_make(n->key + n->key_len, n->value_len);
}
