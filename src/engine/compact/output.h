/* SPDX-License-Identifier: ISC */
/*
 * The output of a flush or a compaction: a series of tables, without the
 * entries that no reader can see.
 * Threading: one thread.
 */
#ifndef KVFS_ENGINE_COMPACT_OUTPUT_H
#define KVFS_ENGINE_COMPACT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/key/iter.h"
#include "engine/tree/version.h"

struct db;

struct output {
	/* set by the caller */
	struct db *db;
	struct version_edit *edit; /* the tables are added to it */
	struct slice from, to; /* bounds of the user keys; empty: no bound */
	int level; /* level of the tables */
	const uint64_t *snapshots; /* open ones, oldest first */
	size_t snapshot_count;
	const struct version *below; /* the version that may hold older
				        entries ... */
	int below_level; /* ... in this level and below; LEVELS: in none */
	const uint64_t *relocate; /* segments to empty */
	size_t relocate_count;
	uint64_t reclaim_bytes; /* bytes below that the deletions of its
				   sources will free */
	bool separate; /* move large values to a segment (in a flush) */
	bool one_table; /* do not cut */
	const _Atomic bool
	    *abandon; /* NULL, or: end with -ECANCELED once it is set */
	/* NULL, or called after each piece with its size. */
	void (*pause)(void *arg, uint64_t bytes);
	void *pause_arg;

	/* results */
	uint64_t bytes_written; /* of tables and segments */
	uint64_t entries_in, entries_out;
};

/*
 * Merge the entries of it into tables, which are synced and added to out->edit.
 * Closes it, also on failure. After a failure the edit may have tables: call
 * db_edit_abandon().
 */
int output_merge(struct output *out, struct iter *it);

#endif
