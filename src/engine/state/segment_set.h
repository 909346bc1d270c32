/* SPDX-License-Identifier: ISC */
/*
 * The segments that there are: which one takes appends, who names which, and
 * when one can go. Any thread; takes mu for a short time, and none
 * over a call of the disk.
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

/* No segment is larger; small disks have smaller ones (struct room_sizes). */
#define SEGMENT_FILE_MAX (256u << 20)

/* One segment file, held by tables, memtables and writers that name it. */
struct segment_ref {
	RB_ENTRY(segment_ref) entry; /* of the set */
	uint64_t number;
	unsigned refs; /* guarded by segment_set.mu */
	unsigned users; /* appends and syncs under way: writer stays */
	struct segment_writer *writer; /* until it is sealed and durable */
	uint64_t size; /* when sealed */
	uint64_t live_bytes; /* named by the current version's tables */
	bool sealed;
	bool recovered; /* found by recovery, and synced by it */
	bool damaged; /* a value could not be moved: it stays as it is */
};

RB_HEAD(segment_tree, segment_ref);
RB_PROTOTYPE(segment_tree, segment_ref, entry, segment_ref_cmp)

struct segment_set {
	struct mutex mu;
	struct segment_tree tree;
	struct segment_ref *active; /* held; takes appends */
	unsigned writers_max; /* open at once; constant */
};

struct segment_ref *segment_get(struct db *db, uint64_t number);
void segment_put(struct db *db, struct segment_ref *s);
/* Append values to the active segment, which changes when it is full; the
 * caller gets a reference to the one used. */
int db_segment_append(struct db *db, const struct segment_value *v,
    size_t count, struct segment_pointer *pointers, struct segment_ref **sp);
/* Values of a segment cannot be read: do not try to move them again. */
void segment_set_damaged(struct db *db, uint64_t number);
/* Take no more appends to the active segment. */
void segment_seal_active(struct db *db);
/* Hold the segments that f names; count its bytes live (or not). */
int segment_hold_uses(struct db *db, struct table_file *f);
void segment_count_uses(struct db *db, const struct table_file *f, bool live);
void segment_drop_uses(struct db *db, struct table_file *f);
/* Make m hold s, so that s outlives its pointers. */
int memtable_hold_segment(struct db *db, struct memtable *m,
    struct segment_ref *s);
/* Sync the active segment. */
int db_segment_sync(struct db *db);

#endif
