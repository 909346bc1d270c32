/* SPDX-License-Identifier: ISC */
/* The state of a merge, shared by output.c and output_table.c. Threading: one
 * thread. */
#ifndef KVFS_ENGINE_COMPACT_OUTPUT_INTERNAL_H
#define KVFS_ENGINE_COMPACT_OUTPUT_INTERNAL_H

#include "engine/compact/output.h"
#include "engine/key/key.h"
#include "engine/segment/segment.h"
#include "engine/table/table_builder.h"
#include "engine/tree/gc_filter.h"

/* The table that is being written. */
struct open_table {
	struct table_builder *builder; /* NULL: none is open */
	struct env_file *file;
	uint64_t number;
	uint8_t first[KEY_USER_MAX];
	size_t first_len;
	uint8_t last[KEY_USER_MAX + 1];
	size_t last_len;
	/* End of the group whose deletion it holds; the table must not end
	 * before. */
	uint8_t group_end[KEY_PREFIX_LEN];
	bool has_group_end;
	uint64_t delete_run; /* length of the run of deletions at its end */
	struct segment_use *uses;
	size_t use_count, use_cap;
	uint64_t reclaim_bytes;
};

struct merge_state {
	struct output *out;
	struct open_table t;
	struct gc_filter filter;
	struct segment_value value; /* reused */
	/* Deletions that a newer group deletion replaces. What they delete
	 * below still takes space, which counts for the table. */
	uint64_t superfluous_deletes;
	uint64_t inherited_bytes; /* out->reclaim_bytes, until a table gets
				     it */
	uint64_t entry_bytes;
	uint64_t table_bytes; /* full size of a table */
	uint64_t piece_bytes; /* merged since the last pause */
};

/* Create the file of a table whose first key is user. */
int output_table_begin(struct merge_state *m, struct slice user);
/* Finish and sync the open table, if there is one, and add it to the edit. On
 * failure its file is removed. */
int output_table_end(struct merge_state *m);
/* Close the open table. With unlink, remove its file. */
void output_table_drop(struct merge_state *m, bool unlink);
/* Count the bytes of a pointer for its segment, and take a reference to the
 * segment. */
int output_table_note_use(struct merge_state *m,
    const struct segment_pointer *p);
/* Note that the table holds the deletion of user's group. value: the bytes that
 * it frees, as an estimate. */
void output_table_note_group(struct open_table *t, struct slice user,
    struct slice value);

#endif
