/* SPDX-License-Identifier: ISC */
/*
 * What was committed since the last flush, sorted, in memory: one writer at
 * a time, readers without locks. Refcounted: the store, its views and
 * pinned values hold it.
 */
#ifndef KVFS_ENGINE_MEMTABLE_MEMTABLE_H
#define KVFS_ENGINE_MEMTABLE_MEMTABLE_H

#include "engine/key/change.h"
#include "engine/key/iter.h"
#include "engine/key/key.h"
#include "engine/memtable/mem_filter.h"
#include "engine/memtable/skiplist.h"
#include "util/arena.h"

struct segment_ref;

struct memtable {
	/* constant */
	uint64_t first_log; /* the oldest log that holds part of it */

	/* own synchronisation */
	_Atomic unsigned refs;
	_Atomic uint64_t group_deletes; /* relaxed: raised before publishing */
	_Atomic uint64_t deletes;
	_Atomic uint64_t entries;
	_Atomic uint64_t reclaim_bytes; /* hints of group deletions */
	_Atomic uint64_t segment_bytes; /* in segments, by its pointers */

	/* the writer's */
	struct arena arena;
	struct skiplist list;
	struct mem_filter filter;
	uint64_t last_commit; /* the owner's: number of its last commit */
	uint64_t min_seq, max_seq;
	uint64_t counted_bytes; /* the owner's: by db_memory_take() */

	/* Segments that it names and holds; the writer's. */
	struct segment_ref **segments;
	size_t segment_count, segment_cap;
	/* Lets go of them when the last holder is gone; may be NULL. */
	void (*on_free)(void *arg, struct memtable *m);
	void *on_free_arg;
};

/* One reference for the caller. It may well take the expected bytes in the
 * end, which decides the size of its filter; 0: none. NULL without memory. */
struct memtable *memtable_create(uint64_t first_log, size_t expected);
void memtable_ref(struct memtable *m);
void memtable_unref(struct memtable *m);

/* Add one change; one caller at a time. -ENOMEM. */
int memtable_add(struct memtable *m, uint64_t seq, enum key_type type,
    struct slice user, struct slice value);

/* Add the changes of one batch, in any order; the one of index i has the
 * sequence number first + i. One caller at a time. Sorted changes
 * (key_changes_sort()) go in faster: searches close to each other share their
 * way through the list. -ENOMEM: some may be in. */
int memtable_add_all(struct memtable *m, uint64_t first,
    const struct key_change *changes, size_t n);

/* Many changes: some wait here, to go in together (skiplist_insert()). */
struct memtable_adder {
	struct memtable *m;
	unsigned count;
	struct skip_entry waiting[SKIPLIST_LANES];
};

static inline void
memtable_adder_init(struct memtable_adder *a, struct memtable *m)
{
	a->m = m;
	a->count = 0;
}
/* As memtable_add(), but user and value are borrowed until the end. */
int memtable_adder_add(struct memtable_adder *a, uint64_t seq,
    enum key_type type, struct slice user, struct slice value);
/* From here on all are in. -ENOMEM. */
int memtable_adder_finish(struct memtable_adder *a);

/* False: it has no entry of a user key with that key_hash(). */
static inline bool
memtable_may_contain(const struct memtable *m, uint64_t hash)
{
	return mem_filter_may_contain(&m->filter, hash);
}

/* Newest entry of user not newer than seq: true and its parts (value valid
 * while the memtable is held). */
bool memtable_get(const struct memtable *m, struct slice user, uint64_t seq,
    uint64_t *found_seqp, enum key_type *typep, struct slice *valuep);

/* A walk that holds a reference. NULL without memory. */
struct iter *memtable_iter(struct memtable *m);

static inline size_t
memtable_bytes(const struct memtable *m)
{
	return arena_bytes(&m->arena);
}
static inline bool
memtable_is_empty(const struct memtable *m)
{
	return atomic_load_explicit(&m->entries, memory_order_relaxed) == 0;
}

/*
 * Ends the process when an invariant does not hold (util/invariant.h): the
 * list's, and that all entries are counted, within the sequence numbers and
 * known to the filter. No thread adds meanwhile.
 */
void memtable_check(const struct memtable *m);

#endif
