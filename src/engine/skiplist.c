/* SPDX-License-Identifier: ISC */
/* Skip list in an arena; see skiplist.h for the threading. */
#include "engine/skiplist.h"

#include <errno.h>

#include "engine/key.h"
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

/* Order of n against (user, trailer); n is not the head. */
static inline int
cmp_node(const struct skip_node *n, struct slice user, uint64_t trailer)
{
	const uint8_t *k = n->key, *u = user.data;
	size_t klen = n->key_len - KEY_TRAILER_LEN;
	size_t min = klen < user.len ? klen : user.len;
	size_t same = common_prefix(k, u, min);
	uint64_t t;

	if (same < min)
		return k[same] < u[same] ? -1 : 1;
	if (klen != user.len)
		return klen < user.len ? -1 : 1;
	t = get_le64(k + klen);
	return t > trailer ? -1 : t < trailer;
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

/*
 * Go down from the head to the first node at or after (user, trailer), which
 * is returned, or NULL; prev, if not NULL, gets the last node before it on
 * each level. The link below is fetched while a comparison waits for its
 * own: one of the two is what comes next.
 */
static inline struct skip_node *
descend(const struct skiplist *s, struct slice user, uint64_t trailer,
    struct skip_node **prev)
{
	struct skip_node *n = s->head, *next = NULL;
	const struct skip_node *known_after = NULL;
	int level = atomic_load_explicit(&s->height, memory_order_relaxed);

	while (level-- > 0) {
		for (;;) {
			next = next_of(n, level);
			/* A node that was compared above need not be again. */
			if (next == NULL || next == known_after)
				break;
			if (level > 0)
				__builtin_prefetch(next_of(n, level - 1));
			if (cmp_node(next, user, trailer) >= 0) {
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

/* Fill prev with the last node before (user, trailer) on each level. */
static void
find_prev(const struct skiplist *s, struct slice user, uint64_t trailer,
    struct skip_node **prev)
{
	int level = atomic_load_explicit(&s->height, memory_order_relaxed);

	for (int i = SKIPLIST_MAX_HEIGHT - 1; i >= level; i--)
		prev[i] = s->head;
	(void)descend(s, user, trailer, prev);
}

/* Whether (user, trailer) goes right behind the last insertion, so that
 * last_prev needs only the last node itself put in. */
static bool
follows_last(const struct skiplist *s, struct slice user, uint64_t trailer)
{
	struct skip_node *next;

	if (s->last == NULL || cmp_node(s->last, user, trailer) >= 0)
		return false;
	next = next_of(s->last, 0);
	return next == NULL || cmp_node(next, user, trailer) > 0;
}

int
skiplist_insert(struct skiplist *s, struct slice user, uint64_t trailer,
    struct slice value)
{
	int height = random_height(s);
	struct skip_node *n = node_create(s, height, user.len + KEY_TRAILER_LEN,
	    value.len);

	if (n == NULL)
		return -ENOMEM;
	memcpy(n->key, user.data, user.len);
	put_le64(n->key + user.len, trailer);
	if (value.len != 0)
		memcpy(n->key + n->key_len, value.data, value.len);

	if (follows_last(s, user, trailer)) {
		for (int i = 0; i < s->last_height; i++)
			s->last_prev[i] = s->last;
	} else {
		find_prev(s, user, trailer, s->last_prev);
	}
	if (height > atomic_load_explicit(&s->height, memory_order_relaxed))
		atomic_store_explicit(&s->height, height, memory_order_relaxed);
	for (int i = 0; i < height; i++) {
		/* Release: whoever sees the link sees the node. */
		atomic_store_explicit(link_of(n, i),
		    next_of(s->last_prev[i], i), memory_order_relaxed);
		atomic_store_explicit(link_of(s->last_prev[i], i), n,
		    memory_order_release);
	}
	s->last = n;
	s->last_height = height;
	return 0;
}

const struct skip_node *
skiplist_seek(const struct skiplist *s, struct slice user, uint64_t trailer)
{
	return descend(s, user, trailer, NULL);
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
