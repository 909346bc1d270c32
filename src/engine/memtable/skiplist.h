/* SPDX-License-Identifier: ISC */
/*
 * Ordered set of (internal key, value) in an arena: a skip list (Pugh 1990) as
 * in LevelDB, with one writer at a time and readers that take no lock.
 *
 * Invariant: a node is complete before it is linked (release). It does not
 * change while the arena lives.
 */
#ifndef KVFS_ENGINE_MEMTABLE_SKIPLIST_H
#define KVFS_ENGINE_MEMTABLE_SKIPLIST_H

#include <stdatomic.h>
#include <stdint.h>

#include "kvfs/slice.h"
#include "util/arena.h"

#define SKIPLIST_MAX_HEIGHT 12
#define SKIPLIST_LANES 8

struct skip_node;

struct skiplist {
	struct arena *arena;
	struct skip_node *head;
	/* Relaxed: by a stale height a search takes longer, and finds the
	 * same; links are released and acquired. */
	_Atomic int height;
	/* For the writer: the last insertion, where the search for the next one
	 * begins, since neighbouring keys often follow each other; and on each
	 * level the last node up to it. */
	struct skip_node *last;
	struct skip_node *last_prev[SKIPLIST_MAX_HEIGHT];
	uint64_t random;
};

/* Borrows the arena, which has to outlive the list. -ENOMEM. */
int skiplist_init(struct skiplist *s, struct arena *arena);

struct skip_entry {
	struct slice user;
	uint64_t trailer;
	struct slice value;
};

/*
 * Insert up to SKIPLIST_LANES new entries, in any order; copies them. One
 * caller at a time. After -ENOMEM some may be inserted.
 */
int skiplist_insert(struct skiplist *s, const struct skip_entry *entries,
    size_t n);

/* The first node at or after (user, trailer), or NULL. */
const struct skip_node *skiplist_seek(const struct skiplist *s,
    struct slice user, uint64_t trailer);
const struct skip_node *skiplist_first(const struct skiplist *s);
const struct skip_node *skip_node_next(const struct skip_node *n);
struct slice skip_node_key(const struct skip_node *n); /* internal key */
struct slice skip_node_value(const struct skip_node *n);

/*
 * Ends the process when an invariant does not hold (util/invariant.h): each
 * level is sorted without equal keys, and its nodes are on the level below
 * too; none is above the height. Returns how many entries there are. No
 * thread inserts meanwhile.
 */
size_t skiplist_check(const struct skiplist *s);

#endif
