/* SPDX-License-Identifier: ISC */
/*
 * The mounts of this namespace, from /proc/self/mountinfo. To read it sends no
 * request to a file system, so it works while one of them hangs. One thread.
 */
#ifndef KVFS_UTIL_MOUNT_TABLE_H
#define KVFS_UTIL_MOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Strings are unescaped, as they were given to mount(2). */
struct mount_entry {
	int id; /* unique while it is mounted */
	int parent; /* id of the mount on which it lies */
	dev_t dev; /* of the file system: the same for all its bind mounts */
	char *root; /* the mounted part of the file system; "/": all of it */
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

/* The topmost mount at path, which is canonical; NULL when there is none.
 * Valid until mount_table_fini(). */
const struct mount_entry *mount_table_top(const struct mount_table *t,
    const char *path);
/* A mount that lies on mount id, over its root or below it; NULL if none. */
const struct mount_entry *mount_table_child(const struct mount_table *t,
    int id);

/* Is it a FUSE mount, of any subtype? */
bool mount_is_fuse(const struct mount_entry *e);
/* Is it a FUSE mount with the subtype kvfs, which is the default? */
bool mount_is_kvfs(const struct mount_entry *e);

/* Parse a line of mountinfo, which is modified; the strings of *e point into
 * it. False: it is not such a line. */
bool mount_entry_parse(char *line, struct mount_entry *e);

#endif
