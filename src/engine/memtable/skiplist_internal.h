/* SPDX-License-Identifier: ISC */
/*
 * The inside of the skip list, shared by skiplist.c (reading) and
 * skiplist_insert.c: the layout of a node, and the search.
 */
#ifndef KVFS_ENGINE_MEMTABLE_SKIPLIST_INTERNAL_H
#define KVFS_ENGINE_MEMTABLE_SKIPLIST_INTERNAL_H

#include <assert.h>
#include <stdbool.h>

#include "engine/key/key.h"
#include "engine/memtable/skiplist.h"
#include "util/coding.h"

/*
 * A node of height h lies behind its h links; the lowest link is the last one.
 * So the key is at the same place for every height, and next to the link that
 * searches follow most (RocksDB's InlineSkipList).
 */
struct skip_node {
	uint32_t key_len; /* includes the trailer */
	uint32_t value_len;
	uint8_t key[]; /* the value follows */
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
 * A key to search for. Two numbers from its first bytes distinguish it from
 * most keys.
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

/* Whether n, which is not the head, sorts before the target. */
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

/* A node without key and value; all links are NULL. Returns NULL without
 * memory. */
struct skip_node *skip_node_create(struct skiplist *s, int height,
    size_t key_len, size_t value_len);

static inline int
skiplist_height(const struct skiplist *s)
{
	return atomic_load_explicit(&s->height, memory_order_relaxed);
}

/*
 * Search from the head for the first node that is not before the target;
 * returns it or NULL. prev, if not NULL, gets the last node before it on each
 * level. The link on the next lower level is prefetched during a comparison:
 * the search continues on one of the two.
 */
static inline struct skip_node *
skiplist_descend(const struct skiplist *s, const struct target *t,
    struct skip_node **prev)
{
	struct skip_node *n = s->head, *next = NULL;
	const struct skip_node *known_after = NULL;
	int level = skiplist_height(s);

	while (level-- > 0) {
		for (;;) {
			next = next_of(n, level);
			/* A node that was compared on a higher level need not
			 * be compared again. */
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

#endif
