/* SPDX-License-Identifier: ISC */
/*
 * Lines about rows, told by the path of the file that a row belongs to
 * where there is one, and by the row where there is none. They are gathered
 * while a walk goes on, and told together: the paths then take one more
 * pass over the names, or a few. One thread.
 */
#ifndef KVFS_FS_FINDING_H
#define KVFS_FS_FINDING_H

#include <stdio.h>
#include <sys/tree.h>

#include "kvfs/kv.h"

struct verify_map;
struct finding;
struct finding_name;
RB_HEAD(finding_names, finding_name);

/* Zeroed, it is empty. */
struct finding_list {
	struct finding *v;
	size_t count, cap;
	uint64_t left_out; /* beyond what is kept */
	struct finding_names names;
};

/* Add one; copies both. Without memory it only counts. Of a key that is zero
 * the text says all. */
void finding_add(struct finding_list *l, const struct kv_key *key,
    const char *text);
/* Put the inodes whose contents are in the list in SET_CHUNKS of map, those
 * whose extended attributes are in SET_XATTRS. 0 or -ENOMEM. */
int finding_add_inodes(const struct finding_list *l, struct verify_map *map);
/* A name in quotes; control characters, quotes and backslashes as \xHH. */
void finding_print_quoted(FILE *out, struct slice s);
/*
 * Print "PREFIX: PATH: text" for each, looking for paths in snap. map knows
 * the directories above each other, or is NULL. The list is empty then.
 */
void finding_print(struct finding_list *l, struct kv *kv,
    struct kv_snapshot *snap, struct verify_map *map, const char *prefix,
    FILE *out);
/* Forget all. */
void finding_clear(struct finding_list *l);

#endif
