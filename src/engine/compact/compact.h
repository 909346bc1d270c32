/* SPDX-License-Identifier: ISC */
/*
 * Compaction: jobs that merge tables of one level into another. The jobs that
 * run and what they have marked are guarded by the state lock.
 */
#ifndef KVFS_ENGINE_COMPACT_COMPACT_H
#define KVFS_ENGINE_COMPACT_COMPACT_H

#include "engine/state/db_state.h"

/* Tables that a level has before they get as large as can be. */
#define LEVEL_TABLES 256
#define LEVEL_FANOUT 10
#define L0_COMPACT_FILES 4

/* The keys of a job in [from, to); without a length: from the first, up to
 * the last. */
struct compact_part {
	uint8_t from[KEY_PREFIX_LEN], to[KEY_PREFIX_LEN];
	size_t from_len, to_len;
	/* Of the thread that runs it, then of the job's. */
	struct version_edit edit;
	uint64_t bytes_written;
	int rc;
};

/* How far a job is; see compact_pace.c. */
struct compact_pace {
	/* constant */
	bool is_off; /* at full speed */
	uint64_t start_ns;
	uint64_t total; /* uncompressed bytes of its inputs */
	/* own synchronisation */
	_Atomic uint64_t done; /* of them; relaxed */
};

struct compact_job {
	int level, output_level;
	struct table_file **inputs[2]; /* of level, of output_level */
	size_t input_count[2];
	bool in_place; /* rewrite one table where it is */
	bool move; /* hand the table down unread */
	uint64_t relocate[8]; /* segments whose values move */
	size_t relocate_count;
	struct version *version; /* held */
	uint64_t *snapshots; /* in use when it began */
	size_t snapshot_count;
	struct compact_part *parts;
	size_t part_count;
	size_t parts_taken, parts_done; /* guarded by mu */
	uint64_t input_bytes, input_entries;
	uint64_t reclaim_bytes; /* that its inputs say they free */
	uint64_t moving_bytes; /* the most that it moves out of segments */
	struct compact_pace pace;
};

/* The most urgent job, its inputs marked, or NULL. */
struct compact_job *compact_pick_locked(struct db *db) REQUIRES(&db->mu);
void compact_job_finish_locked(struct db *db, struct compact_job *job)
    REQUIRES(&db->mu);
/* Size goals of the levels and the first one below level 0 in use. */
int compact_targets(const struct db *db, const struct version *v,
    uint64_t targets[LEVELS]);
/* Bytes that wait to be compacted. */
uint64_t compact_debt(const struct db *db, const struct version *v);

/* ---- compact_split.c ---- */

/* Give a job its parts: one, or up to one for each thread when it is large. */
int compact_split(struct db *db, struct compact_job *job);

/* ---- compact_pace.c ---- */

/* A flush has been installed. */
void compact_pace_flushed_locked(struct db *db) REQUIRES(&db->mu);
/* The job begins. */
void compact_pace_begin_locked(struct db *db, struct compact_job *job)
    REQUIRES(&db->mu);
/* So many more bytes have been merged: sleep until it is time for the next.
 * Any of the job's threads. */
void compact_pace(struct db *db, struct compact_pace *p, uint64_t bytes);

/* ---- compact_run.c ---- */

/* Of the threads; arg is the db. Until db.stop. */
void *db_compact_thread(void *arg);

#endif
