/* SPDX-License-Identifier: ISC */
/*
 * The set of segment files: which one takes appends, who refers to each one,
 * and when it can be removed.
 * Threading: any thread; takes mu for a short time, never during a file call.
 */
#ifndef KVFS_ENGINE_STATE_SEGMENT_SET_H
#define KVFS_ENGINE_STATE_SEGMENT_SET_H

#include <sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/memtable/memtable.h"
#include "engine/segment/segment.h"
#include "engine/tree/version.h"
#include "util/mutex.h"

struct db;

/* Upper bound of a segment's size; small disks have smaller ones (struct
 * room_sizes). */
#define SEGMENT_FILE_MAX (256u << 20)

/* A segment file, with a reference for each table, memtable and writer that
 * uses it. */
struct segment_ref {
	RB_ENTRY(segment_ref) entry; /* in the set */
	uint64_t number;
	unsigned refs; /* guarded by segment_set.mu */
	unsigned users; /* running appends and syncs; they keep writer open */
	struct segment_writer *writer; /* NULL once the segment is sealed and
	                                  durable */
	uint64_t size; /* when sealed */
	uint64_t live_bytes; /* that tables of the current version point to */
	bool sealed;
	bool recovered; /* found by recovery, which has synced it */
	bool damaged; /* a value could not be moved: leave it as it is */
};

RB_HEAD(segment_tree, segment_ref);
RB_PROTOTYPE(segment_tree, segment_ref, entry, segment_ref_cmp)

struct segment_set {
	struct mutex mu;
	struct segment_tree tree;
	struct segment_ref *active; /* referenced; takes appends */
	unsigned writers_max; /* limit of open writers; constant */
};

struct segment_ref *segment_get(struct db *db, uint64_t number);
void segment_put(struct db *db, struct segment_ref *s);
/* Append values to the active segment; a full one is sealed and replaced. The
 * caller gets a reference to the segment used. */
int db_segment_append(struct db *db, const struct segment_value *v,
    size_t count, struct segment_pointer *pointers, struct segment_ref **sp);
/* A value of the segment cannot be read: do not try to move its values
 * again. */
void segment_set_damaged(struct segment_set *segs, uint64_t number);
/* Seal the active segment: it takes no more appends. */
void segment_seal_active(struct db *db);
/* segment_hold_uses() takes references to the segments that f points to,
 * segment_drop_uses() drops them. segment_count_uses() adds f's bytes to their
 * live bytes, or subtracts them. */
int segment_hold_uses(struct db *db, struct table_file *f);
void segment_count_uses(struct segment_set *segs, const struct table_file *f,
    bool live);
void segment_drop_uses(struct db *db, struct table_file *f);
/* Give m a reference to s, so that s lives as long as its pointers in m. */
int memtable_hold_segment(struct segment_set *segs, struct memtable *m,
    struct segment_ref *s);
/* Sync the active segment, and sealed ones that are not durable yet. */
int db_segment_sync(struct db *db);

#endif
