/* SPDX-License-Identifier: ISC */
/*
 * Finds the inodes of keys, in a file system that runs in this process. They
 * return 0 or a negative errno; -ELOOP: a component is a symbolic link.
 */
#ifndef KVFS_TOOLS_KEY_LOOKUP_H
#define KVFS_TOOLS_KEY_LOOKUP_H

#include "fs/fs.h"

/* The inode of the first len bytes of key, with a lookup, which the caller
 * gives back by key_forget(). */
int key_lookup(struct fs *fs, const char *key, size_t len,
    struct fs_attr *attr);
/* The directory that holds key, with a lookup for key_forget(), and the last
 * component of key, which points into key. -EBUSY: key is the root itself. */
int key_lookup_parent(struct fs *fs, const char *key, uint64_t *parentp,
    struct slice *namep);
void key_forget(struct fs *fs, uint64_t ino);

#endif
