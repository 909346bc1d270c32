/* SPDX-License-Identifier: ISC */
/* Skip list in an arena; see skiplist.h for the threading. */
#include "engine/skiplist.h"

#include <errno.h>

#include "engine/key.h"

/* One node in four goes a level up: fewer pointers than one in two, and as
 * few comparisons (Pugh's choice of p). */
#define BRANCH_BITS 2

struct skip_node {
	uint32_t key_len; /* with the trailer */
	uint32_t value_len;
	uint32_t height;
	_Atomic(struct skip_node *) next[];
	/* key and value follow */
};

static inline struct skip_node *
next_of(const struct skip_node *n, int level)
{
	return atomic_load_explicit(&n->next[level], memory_order_acquire);
}

static inline const uint8_t *
key_of(const struct skip_node *n)
{
	return (const uint8_t *)&n->next[n->height];
}

/* Order of n against (user, trailer); n is not the head. */
static inline int
cmp_node(const struct skip_node *n, struct slice user, uint64_t trailer)
{
	const uint8_t *k = key_of(n);
	size_t klen = n->key_len - KEY_TRAILER_LEN;
	size_t min = klen < user.len ? klen : user.len;
	int c = memcmp(k, user.data, min);
	uint64_t t;

	if (c != 0)
		return c;
	if (klen != user.len)
		return klen < user.len ? -1 : 1;
	t = get_le64(k + klen);
	return t > trailer ? -1 : t < trailer;
}

static struct skip_node *
node_create(struct skiplist *s, int height, size_t key_len, size_t value_len)
{
	struct skip_node *n = arena_alloc(s->arena,
	    sizeof(*n) + (size_t)height * sizeof(n->next[0]) + key_len +
		value_len);

	if (n == NULL)
		return NULL;
	n->key_len = (uint32_t)key_len;
	n->value_len = (uint32_t)value_len;
	n->height = (uint32_t)height;
	for (int i = 0; i < height; i++)
		atomic_init(&n->next[i], NULL);
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

/* Fill prev with the last node before (user, trailer) on each level. */
static void
find_prev(const struct skiplist *s, struct slice user, uint64_t trailer,
    struct skip_node **prev)
{
	struct skip_node *n = s->head, *next;
	const struct skip_node *known_after = NULL;
	int level = atomic_load_explicit(&s->height, memory_order_relaxed);

	for (int i = SKIPLIST_MAX_HEIGHT - 1; i >= level; i--)
		prev[i] = s->head;
	while (level-- > 0) {
		for (;;) {
			next = next_of(n, level);
			/* A node that was compared above need not be again. */
			if (next == NULL || next == known_after)
				break;
			if (cmp_node(next, user, trailer) >= 0) {
				known_after = next;
				break;
			}
			n = next;
		}
		prev[level] = n;
	}
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
	uint8_t *k;

	if (n == NULL)
		return -ENOMEM;
	k = (uint8_t *)&n->next[height];
	memcpy(k, user.data, user.len);
	put_le64(k + user.len, trailer);
	if (value.len != 0)
		memcpy(k + n->key_len, value.data, value.len);

	if (follows_last(s, user, trailer)) {
		for (uint32_t i = 0; i < s->last->height; i++)
			s->last_prev[i] = s->last;
	} else {
		find_prev(s, user, trailer, s->last_prev);
	}
	if (height > atomic_load_explicit(&s->height, memory_order_relaxed))
		atomic_store_explicit(&s->height, height, memory_order_relaxed);
	for (int i = 0; i < height; i++) {
		/* Release: whoever sees the link sees the node. */
		atomic_store_explicit(&n->next[i], next_of(s->last_prev[i], i),
		    memory_order_relaxed);
		atomic_store_explicit(&s->last_prev[i]->next[i], n,
		    memory_order_release);
	}
	s->last = n;
	return 0;
}

const struct skip_node *
skiplist_seek(const struct skiplist *s, struct slice user, uint64_t trailer)
{
	const struct skip_node *n = s->head, *next = NULL;
	const struct skip_node *known_after = NULL;
	int level = atomic_load_explicit(&s->height, memory_order_relaxed);

	while (level-- > 0) {
		for (;;) {
			next = next_of(n, level);
			if (next == NULL || next == known_after)
				break;
			if (cmp_node(next, user, trailer) >= 0) {
				known_after = next;
				break;
			}
			n = next;
		}
	}
	return next;
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
	return slice_make(key_of(n), n->key_len);
}

struct slice
skip_node_value(const struct skip_node *n)
{
	return slice_make(key_of(n) + n->key_len, n->value_len);
}
