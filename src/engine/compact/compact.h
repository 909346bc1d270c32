/* SPDX-License-Identifier: ISC */
/*
 * Compaction: jobs that merge tables of one level into another. The state lock
 * guards the running jobs and the marks that they set in tables.
 */
#ifndef KVFS_ENGINE_COMPACT_COMPACT_H
#define KVFS_ENGINE_COMPACT_COMPACT_H

#include "engine/compact/compact_pace.h"
#include "engine/key/key.h"
#include "engine/tree/version.h"

struct compact_state;

/* The number of tables that a level should have before they get their full
 * size. */
#define LEVEL_TABLES 256
#define LEVEL_FANOUT 10
#define L0_COMPACT_FILES 4

/* The part of a job with the keys [from, to). Without from it begins at the
 * first key, without to it ends with the last. */
struct compact_part {
	uint8_t from[KEY_PREFIX_LEN], to[KEY_PREFIX_LEN];
	size_t from_len, to_len;
	/* Of the thread that runs the part; afterwards of the job's thread. */
	struct version_edit edit;
	uint64_t bytes_written;
	int rc;
};

struct compact_job {
	int level, output_level;
	struct table_file **inputs[2]; /* of level, of output_level */
	size_t input_count[2];
	bool in_place; /* rewrite one table in its own level */
	bool move; /* move the table to the next level without reading it */
	uint64_t relocate[8]; /* segments whose values are moved to another
			         one */
	size_t relocate_count;
	struct version *version; /* referenced */
	uint64_t *snapshots; /* open when the job began */
	size_t snapshot_count;
	struct compact_part *parts;
	size_t part_count;
	size_t parts_taken, parts_done; /* guarded by mu */
	uint64_t input_bytes, input_entries;
	uint64_t reclaim_bytes; /* bytes that its inputs' group deletions
				   will free */
	uint64_t moving_bytes; /* upper bound of the bytes that it moves out
			          of segments */
	struct compact_pace pace;
};

/* The job has ended: its inputs are free again. The state lock is held. */
void compact_job_finish(struct compact_state *state, struct compact_job *job);
/* Write the size goals of the levels to targets. Returns the base level: the
 * first level below 0 that is in use. */
int compact_targets(uint64_t memtable_bytes, const struct version *v,
    uint64_t targets[LEVELS]);
/* Bytes that wait for compaction. */
uint64_t compact_debt(uint64_t memtable_bytes, const struct version *v);

/* ---- compact_split.c ---- */

/* Divide a job into parts: one, or up to max_parts if the job is large. */
int compact_split(struct compact_job *job, uint64_t memtable_bytes,
    size_t max_parts);

/* ---- compact_run.c ---- */

/* A compaction thread; arg is the db. Returns when db.work.stop is set. */
void *db_compact_thread(void *arg);

#endif
