/* SPDX-License-Identifier: ISC */
/*
 * Versions (as in LevelDB): immutable, reference-counted sets of tables by
 * level. Level 0 holds tables of whole memtables, newest first, which may
 * overlap. The tables of another level are sorted and do not overlap.
 *
 * A table covers the user keys from smallest up to limit, without limit. A
 * table with a group deletion covers the whole group, so that the deletion and
 * what it deletes stay in order: of two entries of a key, the newer one is
 * always in the level that is searched first.
 */
#ifndef KVFS_ENGINE_TREE_VERSION_H
#define KVFS_ENGINE_TREE_VERSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/key/key.h"
#include "engine/table/table_builder.h"
#include "kvfs/slice.h"

#define LEVELS 7
#define LEVEL_LAST (LEVELS - 1)

struct segment_ref;

/* How many stored bytes of a segment a table's pointers refer to. */
struct segment_use {
	uint64_t segment;
	uint64_t bytes;
	struct segment_ref *ref; /* held once the table is installed */
};

struct table_file {
	/* constant */
	uint64_t number;
	struct table_props props;
	struct slice smallest, limit; /* user keys; into keys */
	uint8_t *keys;
	struct segment_use *uses; /* by segment number */
	size_t use_count;
	uint64_t reclaim_bytes; /* bytes that its group deletions will free */

	/* own synchronisation */
	_Atomic unsigned refs; /* relaxed up, by a holder; acq_rel down */
	/* The manifest does not name it any more. Set by a holder, read by the
	 * last one: the references order the two. */
	atomic_bool obsolete;
	atomic_bool damaged; /* compaction leaves it alone; relaxed: a hint */

	/* guarded by the store's state lock */
	bool compacting;
};

/* Copies keys and uses. NULL without memory. */
struct table_file *table_file_create(uint64_t number,
    const struct table_props *props, struct slice smallest, struct slice limit,
    const struct segment_use *uses, size_t use_count, uint64_t reclaim_bytes);

static inline bool
table_file_is_damaged(const struct table_file *f)
{
	return atomic_load_explicit(&f->damaged, memory_order_relaxed);
}

/* From now on compaction leaves it alone. */
void table_file_set_damaged(struct table_file *f);

struct level {
	struct table_file **files;
	size_t count;
	uint64_t bytes;
	uint64_t group_deletes;
};

struct version;
/* Called when the last reference to a table is dropped; frees it. */
typedef void (*table_file_drop_fn)(void *arg, struct table_file *f);

struct version {
	_Atomic unsigned refs; /* as a table's */
	struct level levels[LEVELS];
	table_file_drop_fn drop;
	void *drop_arg;
};

void table_file_free(struct table_file *f);

/* An empty version with one reference. NULL without memory. */
struct version *version_create(table_file_drop_fn drop, void *drop_arg);
/*
 * Ends the process when an invariant does not hold (util/invariant.h): level
 * 0 has the newest tables first, those of other levels are sorted and do not
 * overlap; each is there once, referenced, and covers keys; the sums of a
 * level are those of its tables.
 */
void version_check(const struct version *v);
void version_ref(struct version *v);
void version_unref(struct version *v);
void table_file_ref(struct table_file *f);
void table_file_unref(struct version *v, struct table_file *f);

/* A change of the set of tables, and of the numbers that the manifest keeps. */
struct version_edit {
	uint64_t log_number; /* oldest log to replay; 0: unchanged */
	uint64_t next_file; /* 0: unchanged */
	uint64_t last_seq; /* 0: unchanged */
	struct {
		int level;
		struct table_file *file;
	} * adds;
	size_t add_count, add_cap;
	struct {
		int level;
		uint64_t number;
	} * removes;
	size_t remove_count, remove_cap;
};

/* An edit of zeros is empty. version_edit_add() takes the file's one
 * reference. */
int version_edit_add(struct version_edit *e, int level, struct table_file *f);
int version_edit_remove(struct version_edit *e, int level, uint64_t number);
/* Free the edit, and the files that no version has taken. */
void version_edit_fini(struct version_edit *e);

/*
 * Make a new version of base and e, with one reference; it takes the files out
 * of e. -KVFS_ECORRUPT if e does not fit base: a table to remove is not there,
 * one to add is there already, or tables of a level overlap.
 */
int version_apply(const struct version *base, struct version_edit *e,
    struct version **newp);

/* The one table of a sorted level that covers user, or NULL. */
struct table_file *level_find(const struct level *l, struct slice user);
/* The index of the first table of a sorted level whose limit is above user. */
size_t level_lower_bound(const struct level *l, struct slice user);
/* The table with this number, or NULL. */
struct table_file *level_find_number(const struct level *l, uint64_t number);
/* Whether a table of the level overlaps [smallest, limit). */
bool level_overlaps(const struct level *l, int level, struct slice smallest,
    struct slice limit);

/* Average size of an entry, over all tables. */
uint64_t version_entry_bytes(const struct version *v);

#endif
