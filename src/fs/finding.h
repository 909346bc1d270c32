/* SPDX-License-Identifier: ISC */
/*
 * Messages about rows, for a check or a repair. A message names the file that
 * the row belongs to by its path, or the row if no file has it. Messages are
 * gathered during a walk and printed together: finding the paths then takes
 * one more pass over all names, or a few. One thread.
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
	uint64_t left_out; /* messages that were not kept */
	struct finding_names names;
};

/* Add a message; copies key and text. Without memory it is only counted. A
 * key of zeros: the message is about no row. */
void finding_add(struct finding_list *l, const struct kv_key *key,
    const char *text);
/* Put the inodes whose contents are in the list in SET_CHUNKS of map, those
 * whose extended attributes are in SET_XATTRS. 0 or -ENOMEM. */
int finding_add_inodes(const struct finding_list *l, struct verify_map *map);
/* Print a name in quotes; control characters, quotes and backslashes as
 * \xHH. */
void finding_print_quoted(FILE *out, struct slice s);
/*
 * Print "PREFIX: PATH: text" for each message, and clear the list. Paths are
 * looked up in snap; map, if not NULL, has the parents of directories.
 */
void finding_print(struct finding_list *l, struct kv *kv,
    struct kv_snapshot *snap, struct verify_map *map, const char *prefix,
    FILE *out);
/* Free all messages. */
void finding_clear(struct finding_list *l);

#endif
