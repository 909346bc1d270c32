/* SPDX-License-Identifier: ISC */
/*
 * One search for something to compact: what compact_pick.c and its helpers
 * share. The state lock is held.
 */
#ifndef KVFS_ENGINE_COMPACT_COMPACT_INTERNAL_H
#define KVFS_ENGINE_COMPACT_COMPACT_INTERNAL_H

#include "engine/compact/compact.h"
#include "engine/env/env_dir.h"
#include "engine/state/disk_space.h"
#include "engine/state/segment_set.h"
#include "engine/state/work_signal.h"

/* A merge may cost so many times the bytes that its deletions free. */
#define PROFIT_COST 2
/* In an idle store a merge may cost so many times the bytes that it frees. */
#define IDLE_COST 8
/* A tree of at most this size is merged within a second or two. If a writer
 * waits for space, such a merge may cost more times what it frees. */
#define CHEAP_BYTES (64u << 20)
#define CHEAP_COST 64
/* A table that overlaps more than this in the level below is merged, not
 * moved. */
#define MOVE_MAX_OVERLAP (10ULL * TABLE_FILE_BYTES)
/* Given by the caller, down to is_slowed; the rest is found by
 * compact_pick(). */
struct pick {
	struct compact_state *compact; /* the state lock is held */
	struct segment_set *segs;
	struct env_dir *dir; /* whose file system has the segments */
	uint64_t memtable_bytes, segment_bytes; /* of a full one */
	unsigned relocate_percent; /* struct room_state's; a writer waits for
	                              space */
	bool idle; /* merge more than is due: the store is idle, or short of
		      space, or a user asked for it */
	bool is_slowed; /* writers are, until what is due is done */
	bool has_sealed; /* the active segment, since it was asked for */

	const struct version *v;
	uint64_t targets[LEVELS];
	int base; /* the base level: the first one below 0 in use */
	uint64_t entry_bytes; /* average size of an entry */
	bool seal_first; /* no job: seal the active segment, and pick again */
};

/* The most urgent job in v, with its inputs marked as compacting; or NULL. */
struct compact_job *compact_pick(struct pick *p, struct version *v);

/* ---- compact_level.c ---- */

/* Bytes that the deletions of a table free, if each one deletes something. */
uint64_t compact_gain(const struct pick *p, const struct table_file *f);
/* Its size plus compact_gain() (RocksDB's compensated size). */
uint64_t compact_weight(const struct pick *p, const struct table_file *f);
/* Bytes of the tables of a level that overlap [smallest, limit). */
uint64_t compact_overlap(const struct version *v, int level,
    struct slice smallest, struct slice limit);
/* The key range of count tables; count is at least 1. */
void compact_range(struct table_file *const *files, size_t count,
    struct slice *smallestp, struct slice *limitp);

/* ---- compact_job.c ---- */

/* Whether the table is neither an input of a job nor damaged. */
bool compact_is_free(const struct table_file *f);
/* A job without inputs. Without memory it is NULL, or its arrays are NULL;
 * compact_job_complete() accepts both. */
struct compact_job *compact_job_create(struct version *v, int level,
    int output_level);
/* Add the overlapping tables of the output level, and mark all inputs. Takes
 * the job. Returns NULL, and frees it, if an input is in another job. */
struct compact_job *compact_job_complete(struct compact_state *state,
    struct compact_job *job);
/* A job that merges one table into the next level. */
struct compact_job *compact_job_of_table(struct compact_state *state,
    struct version *v, int level, struct table_file *f);

/* An input is damaged: mark it, so that compaction leaves it alone and others
 * go on. Reads of it report the damage. */
void compact_job_set_damaged(const struct compact_job *job);

/* ---- compact_segments.c ---- */

/* A job that moves live values out of the segment with the fewest of them, or
 * merges small segments; or NULL. */
struct compact_job *compact_pick_relocation(struct pick *p, struct version *v);

#endif
