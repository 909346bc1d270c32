/* SPDX-License-Identifier: ISC */
/*
 * One search for something to compact: what compact_pick.c and its helpers
 * share. The state lock is held.
 */
#ifndef KVFS_ENGINE_COMPACT_COMPACT_INTERNAL_H
#define KVFS_ENGINE_COMPACT_COMPACT_INTERNAL_H

#include "engine/compact/compact.h"

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
struct pick {
	struct db *db;
	const struct version *v;
	uint64_t targets[LEVELS];
	int base; /* the base level: the first one below 0 in use */
	uint64_t entry_bytes; /* average size of an entry */
	bool idle; /* merge more than is due: the store is idle, or short of
		      space, or a user asked for it */
	unsigned relocate_percent; /* db.room's; a writer waits for space */
};

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
struct compact_job *compact_job_complete(struct db *db,
    struct compact_job *job);
/* A job that merges one table into the next level. */
struct compact_job *compact_job_of_table(struct db *db, struct version *v,
    int level, struct table_file *f);

/* ---- compact_segments.c ---- */

/* A job that moves live values out of the segment with the fewest of them, or
 * merges small segments; or NULL. */
struct compact_job *compact_pick_relocation(const struct pick *p,
    struct version *v);

#endif
