/* SPDX-License-Identifier: ISC */
/*
 * Where a flush or a compaction puts what it merged: a series of tables,
 * without the entries that nobody can see. One thread.
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
	struct version_edit *edit; /* gets the tables */
	struct slice from, to; /* user keys to take; empty: no bound */
	int level; /* of the tables */
	const uint64_t *snapshots; /* in use, oldest first */
	size_t snapshot_count;
	const struct version *below; /* what may hold older entries ... */
	int below_level; /* ... from this level on; LEVELS: nothing does */
	const uint64_t *relocate; /* segments whose values are moved */
	size_t relocate_count;
	uint64_t reclaim_bytes; /* what its sources say that they free below */
	bool separate; /* move large values to a segment (a flush) */
	bool one_table; /* never cut */
	const _Atomic bool
	    *abandon; /* -ECANCELED once it is set; NULL: never */
	/* Called between two pieces, of so many bytes; NULL: without a rest. */
	void (*between)(void *arg, uint64_t bytes);
	void *between_arg;

	/* results */
	uint64_t bytes_written; /* tables and segments */
	uint64_t entries_in, entries_out;
};

/*
 * Merge it (closed in any case) into tables, synced, added to out->edit. On
 * failure the edit may hold tables already: db_edit_abandon() it.
 */
int output_merge(struct output *out, struct iter *it);

#endif
