/* SPDX-License-Identifier: ISC */
/*
 * The mounts of this namespace, from /proc/self/mountinfo: looking at it
 * asks no file system, so it can be done while one of them hangs.
 */
#ifndef KVFS_UTIL_MOUNT_TABLE_H
#define KVFS_UTIL_MOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Strings are as they were given to mount(2): nothing is escaped. */
struct mount_entry {
	int id; /* unique while it is mounted */
	int parent; /* the mount that it lies on */
	dev_t dev; /* one for each file system, so for all its bind mounts */
	char *root; /* which part of it is mounted here: "/" is all */
	char *path;
	char *type;
	char *source;
};

struct mount_table {
	struct mount_entry *entries;
	size_t count;
};

/* 0 or a negative errno; the caller calls mount_table_fini() either way. */
int mount_table_read(struct mount_table *t);
void mount_table_fini(struct mount_table *t);

/* The uppermost mount at path, which is canonical; NULL when there is none.
 * Valid until mount_table_fini(). */
const struct mount_entry *mount_table_top(const struct mount_table *t,
    const char *path);
/* Some mount that lies on that one, over it or below its root, or NULL. */
const struct mount_entry *mount_table_child(const struct mount_table *t,
    int id);

/* Is it of FUSE, whatever its subtype. */
bool mount_is_fuse(const struct mount_entry *e);
/* Is it of kvfs for sure: of FUSE, with the subtype that is the default. */
bool mount_is_kvfs(const struct mount_entry *e);

/* One line of mountinfo, which is changed, into *e, whose strings are then
 * parts of it: false when it is none. */
bool mount_entry_parse(char *line, struct mount_entry *e);

#endif
