/* SPDX-License-Identifier: ISC */
/* The invariants of a skip list; see skiplist.h. */
#include "engine/memtable/skiplist_internal.h"
#include "util/invariant.h"

/* Whether a, which may be the head, comes before b. */
static bool
is_ordered(const struct skiplist *s, const struct skip_node *a,
    const struct skip_node *b)
{
	struct slice key = skip_node_key(b);
	struct target t = target_make(key_user(key), key_trailer(key));

	return a == s->head || is_before(a, &t);
}

/* Each node of the level is on the level below. Returns how many. */
static size_t
check_level(const struct skiplist *s, int level)
{
	const struct skip_node *below = s->head, *last = s->head, *n;
	size_t count = 0;

	while ((n = next_of(last, level)) != NULL) {
		invariant(is_ordered(s, last, n),
		    "skip list: level %d is not sorted at entry %zu", level,
		    count);
		while (level > 0 && below != NULL && below != n)
			below = next_of(below, level - 1);
		invariant(below != NULL,
		    "skip list: entry %zu of level %d is not on the next lower",
		    count, level);
		last = n;
		count++;
	}
	return count;
}

size_t
skiplist_check(const struct skiplist *s)
{
	int height = atomic_load_explicit(&s->height, memory_order_acquire);
	size_t count = 0;

	invariant(height >= 1 && height <= SKIPLIST_MAX_HEIGHT,
	    "skip list: a height of %d", height);
	for (int level = SKIPLIST_MAX_HEIGHT - 1; level >= 0; level--) {
		count = check_level(s, level);
		invariant(count == 0 || level < height,
		    "skip list: level %d has entries above the height %d",
		    level, height);
	}
	return count;
}
