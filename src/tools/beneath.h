/* SPDX-License-Identifier: ISC */
/*
 * Opens keys of a mounted store as files below the mount's root. openat2(2)
 * with RESOLVE_BENEATH resolves them, so that neither ".." nor a symbolic link
 * leads out of the mount. One thread. Results are descriptors that the caller
 * closes, or negative errnos.
 */
#ifndef KVFS_TOOLS_BENEATH_H
#define KVFS_TOOLS_BENEATH_H

#include <limits.h>

struct beneath {
	int root; /* owned, O_PATH; -1 after beneath_fini() */
	/* The directory that was listed last: files in it are opened from
	 * there, since resolving a deep path takes long. */
	int near; /* owned, or -1 */
	char *near_path; /* owned; ends in "/" */
};

/* Takes root. */
void beneath_init(struct beneath *b, int root);
void beneath_fini(struct beneath *b);

/* Open path. A path longer than the kernel takes is resolved in pieces. */
int beneath_open(struct beneath *b, const char *path, int flags);
/* Open the directory that holds key, with O_PATH; name gets the last component
 * of key. -EBUSY: key is the root itself. */
int beneath_open_parent(struct beneath *b, const char *key,
    char name[NAME_MAX + 1]);
/* As beneath_open(), for walks over a tree: the directory is kept as near, and
 * files in it are opened from there, even if it was moved meanwhile. */
int beneath_open_dir(struct beneath *b, const char *path);
int beneath_open_file(struct beneath *b, const char *path, int flags);

#endif
