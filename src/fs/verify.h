/* SPDX-License-Identifier: ISC */
/* What the sources of the consistency walk share; see verify.c. */
#ifndef KVFS_FS_VERIFY_H
#define KVFS_FS_VERIFY_H

#include "fs/fs_internal.h"
#include "fs/verify_map.h"

RB_HEAD(verify_names, verify_name);

struct verify {
	struct kv *kv;
	struct kv_snapshot *snap;
	FILE *out;
	struct verify_map map;
	uint64_t problems;
	uint64_t next_ino;
	uint64_t inodes; /* counted */
	bool has_count;
	struct count_row count;
	/* To be told at the end (verify_path.c). */
	struct verify_found *found;
	size_t found_count, found_cap;
	struct verify_names names;
};

/* Which row a problem is about. */
struct row_id {
	const char *space;
	uint64_t group;
	struct slice name;
};

/* One line about row id, told at the end. */
void verify_problem(struct verify *v, const struct row_id *id, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
/* Tell all problems, by the paths of files where there are. */
void verify_tell(struct verify *v);
/* A row that cannot be read is a problem; other errors end the walk. */
int verify_bad_row(struct verify *v, const struct row_id *id, int rc);
/* Attributes found in row id. */
int verify_inode(struct verify *v, const struct row_id *id, uint64_t ino,
    const struct attr_rec *rec);

#endif
