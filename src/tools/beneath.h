/* SPDX-License-Identifier: ISC */
/*
 * Keys of a mounted store as files below the mount's root, resolved by
 * openat2(2), so that neither ".." nor a symbolic link leads out of it.
 * One thread at a time. Results are descriptors to close, or -errno.
 */
#ifndef KVFS_TOOLS_BENEATH_H
#define KVFS_TOOLS_BENEATH_H

#include <limits.h>

struct beneath {
	int root; /* owned, O_PATH; -1: given back */
	/* Of a directory that was listed, from which the way to what lies in
	 * it is short: trees may be deep. */
	int near; /* owned, or -1 */
	char *near_path; /* owned; ends in "/" */
};

/* Takes root over. */
void beneath_init(struct beneath *b, int root);
void beneath_fini(struct beneath *b);

/* Longer paths than the kernel takes at once are walked in pieces. */
int beneath_open(struct beneath *b, const char *path, int flags);
/* The directory that holds key, as O_PATH, and the last component of key in
 * name. -EBUSY: key is the root itself. */
int beneath_open_parent(struct beneath *b, const char *key,
    char name[NAME_MAX + 1]);
/* As beneath_open() for the readers of a tree, who come again for what lies
 * in a directory: one that is moved meanwhile is read where it was found. */
int beneath_open_dir(struct beneath *b, const char *path);
int beneath_open_file(struct beneath *b, const char *path, int flags);

#endif
