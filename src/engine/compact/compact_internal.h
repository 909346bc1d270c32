/* SPDX-License-Identifier: ISC */
/*
 * One look for something to compact: what compact_pick.c and its helpers
 * share. The state lock is held.
 */
#ifndef KVFS_ENGINE_COMPACT_COMPACT_INTERNAL_H
#define KVFS_ENGINE_COMPACT_COMPACT_INTERNAL_H

#include "engine/compact/compact.h"

/* Merge what costs at most so many times what its deletions free. */
#define PROFIT_COST 2
/* Idle: merge down what would cost at most so many times what it brings. */
#define IDLE_COST 8
/* A tree of so much is merged down within a second or two: a writer who waits
 * for room has it done for a smaller part. */
#define CHEAP_BYTES (64u << 20)
#define CHEAP_COST 64
/* A table that overlaps more than this is not handed down unread. */
#define MOVE_MAX_OVERLAP (10ULL * TABLE_FILE_BYTES)
struct pick {
	struct db *db;
	const struct version *v;
	uint64_t targets[LEVELS];
	int base; /* level below 0 in use */
	uint64_t entry_bytes; /* average of the tree */
	bool idle; /* or asked for, or short of room, or scans suffer */
	unsigned desperate; /* a writer waits for room: db.room.desperate */
};

/* ---- compact_level.c ---- */

/* What the deletions of a table free, if they all hide something. */
uint64_t compact_gain(const struct pick *p, const struct table_file *f);
/* What a table weighs, with that. */
uint64_t compact_weight(const struct pick *p, const struct table_file *f);
/* Bytes of the tables of a level that touch [smallest, limit). */
uint64_t compact_overlap(const struct version *v, int level,
    struct slice smallest, struct slice limit);
/* What count tables, one at least, cover. */
void compact_range(struct table_file *const *files, size_t count,
    struct slice *smallestp, struct slice *limitp);

/* ---- compact_job.c ---- */

/* Neither in a job nor damaged. */
bool compact_is_free(const struct table_file *f);
/* A job without inputs; NULL, or without arrays for them, for want of
 * memory, which compact_job_complete() bears. */
struct compact_job *compact_job_create(struct version *v, int level,
    int output_level);
/* Add what overlaps in the output level and mark all; takes the job, which
 * is freed (NULL) when an input is busy. */
struct compact_job *compact_job_complete(struct db *db,
    struct compact_job *job);
/* To merge one table into the next level. */
struct compact_job *compact_job_of_table(struct db *db, struct version *v,
    int level, struct table_file *f);

/* ---- compact_segments.c ---- */

/* Empty the segment that gives most, or merge small ones. */
struct compact_job *compact_pick_relocation(const struct pick *p,
    struct version *v);

#endif
