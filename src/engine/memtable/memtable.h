/* SPDX-License-Identifier: ISC */
/*
 * The changes since the last flush, sorted, in memory. Reference-counted: the
 * store, its views and pinned values have references.
 * Threading: one writer at a time; readers without locks.
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
	uint64_t first_log; /* the oldest log that has a part of it */

	/* own synchronisation */
	_Atomic unsigned refs; /* relaxed up, by a holder; acq_rel down */
	/* Relaxed, as the next four: raised before the commit is published by
	 * the store's last_seq. */
	_Atomic uint64_t group_deletes;
	_Atomic uint64_t deletes;
	_Atomic uint64_t entries;
	_Atomic uint64_t reclaim_bytes; /* estimates of group deletions */
	_Atomic uint64_t segment_bytes; /* stored bytes that its pointers
	                                   point to */

	/* used by the writer */
	struct arena arena;
	struct skiplist list;
	struct mem_filter filter;
	uint64_t last_commit; /* for the owner: number of its last commit */
	uint64_t min_seq, max_seq;
	uint64_t counted_bytes; /* for the owner: counted by
	                           db_memory_count() */

	/* Segments that it points to, with references; used by the writer. */
	struct segment_ref **segments;
	size_t segment_count, segment_cap;
	/* Called before it is freed, to drop those references; may be NULL. */
	void (*on_free)(void *arg, struct memtable *m);
	void *on_free_arg;
};

/* One reference for the caller. expected_bytes (0: none) is an estimate of its
 * final size and decides the size of its filter. NULL without memory. */
struct memtable *memtable_create(uint64_t first_log, size_t expected);
void memtable_ref(struct memtable *m);
void memtable_unref(struct memtable *m);

/* Add one change. One caller at a time. -ENOMEM. */
int memtable_add(struct memtable *m, uint64_t seq, enum key_type type,
    struct slice user, struct slice value);

/*
 * Add the n changes of one batch, in the given order; the one of index i gets
 * the sequence number first + i. An order in which neighbours come together
 * (key_changes_order()) is faster: their searches share their path through the
 * list. One caller at a time. -ENOMEM: some may be added.
 */
int memtable_add_all(struct memtable *m, uint64_t first,
    const struct key_change *changes, const struct change_place *order,
    size_t n);

/* Collects changes, to insert several at a time (skiplist_insert()). */
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
/* As memtable_add(), but user and value are borrowed until
 * memtable_adder_finish(). */
int memtable_adder_add(struct memtable_adder *a, uint64_t seq,
    enum key_type type, struct slice user, struct slice value);
/* Insert all collected changes. -ENOMEM. */
int memtable_adder_finish(struct memtable_adder *a);

/* False: there is no entry of a user key with this key_hash(). */
static inline bool
memtable_may_contain(const struct memtable *m, uint64_t hash)
{
	return mem_filter_may_contain(&m->filter, hash);
}

/* Find the newest entry of user that is not newer than seq: true and its parts.
 * The value is valid while the caller has a reference to the memtable. */
bool memtable_get(const struct memtable *m, struct slice user, uint64_t seq,
    uint64_t *found_seqp, enum key_type *typep, struct slice *valuep);

/* An iterator; it has a reference to the memtable. NULL without memory. */
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
