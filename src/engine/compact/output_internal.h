/* SPDX-License-Identifier: ISC */
/* A merge under way: what output.c and output_table.c share. One thread. */
#ifndef KVFS_ENGINE_COMPACT_OUTPUT_INTERNAL_H
#define KVFS_ENGINE_COMPACT_OUTPUT_INTERNAL_H

#include "engine/compact/output.h"
#include "engine/key/key.h"
#include "engine/segment/segment.h"
#include "engine/table/table_builder.h"
#include "engine/tree/gc_filter.h"

/* The table being written. */
struct open_table {
	struct table_builder *builder; /* NULL: none is open */
	struct env_file *file;
	uint64_t number;
	uint8_t first[KEY_USER_MAX];
	size_t first_len;
	uint8_t last[KEY_USER_MAX + 1];
	size_t last_len;
	/* A group whose deletion it holds must stay in it. */
	uint8_t group_end[KEY_PREFIX_LEN];
	bool has_group_end;
	uint64_t stretch; /* the last so many are deletions */
	struct segment_use *uses;
	size_t use_count, use_cap;
	uint64_t reclaim_bytes;
};

struct merge_state {
	struct output *out;
	struct open_table t;
	struct gc_filter filter;
	struct segment_value value; /* reused */
	/* Deletions that a group's deletion made superfluous: what they
	 * hide below is still there, and worth so much. */
	uint64_t superfluous_deletes;
	uint64_t inherited_bytes; /* out->reclaim_bytes, until a table has it */
	uint64_t entry_bytes;
	uint64_t table_bytes; /* to write in one table */
	uint64_t piece_bytes; /* merged since the last pause */
};

/* Make the file of a table whose first key is user's. */
int output_table_begin(struct merge_state *m, struct slice user);
/* Finish and sync the open table, if there is one, and add it to the edit.
 * On failure its file is gone. */
int output_table_end(struct merge_state *m);
/* Close what is open; remove the file unless it became part of an edit. */
void output_table_drop(struct merge_state *m, bool unlink);
/* Count a pointer of the table, holding the segment for it. */
int output_table_note_use(struct merge_state *m,
    const struct segment_pointer *p);
/* The table holds the deletion of user's group; value: its hint. */
void output_table_note_group(struct open_table *t, struct slice user,
    struct slice value);

#endif
