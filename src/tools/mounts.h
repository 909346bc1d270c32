/* SPDX-License-Identifier: ISC */
/* Mounts of kvfs, as /proc/self/mountinfo lists them. */
#ifndef KVFS_TOOLS_MOUNTS_H
#define KVFS_TOOLS_MOUNTS_H

#include <limits.h>

struct mount {
	char path[PATH_MAX];
	char source[PATH_MAX]; /* the store, unless -o fsname= was given */
};

/* The topmost mount of kvfs at path, which is canonical: 1, or 0 when
 * something else or nothing is mounted there. m may be NULL. */
int mount_at(const char *path, struct mount *m);
/* The last mount of kvfs whose source is store. */
int mount_of_source(const char *store, struct mount *m);

/*
 * The canonical form of a path whose last component may be a mountpoint
 * that does not answer: only its parent is looked at.
 */
int mount_realpath(const char *path, char *out);

#endif
