/* SPDX-License-Identifier: ISC */
/*
 * Keys as inodes of a file system that runs in this process. Results are
 * negative errno; -ELOOP: a symbolic link on the way.
 */
#ifndef KVFS_TOOLS_KEY_LOOKUP_H
#define KVFS_TOOLS_KEY_LOOKUP_H

#include "fs/fs.h"

/* The inode of the first len bytes of key; the caller forgets it. */
int key_lookup(struct fs *fs, const char *key, size_t len,
    struct fs_attr *attr);
/* The directory that holds key, which the caller forgets, and the last
 * component of key, in key. -EBUSY: key is the root itself. */
int key_lookup_parent(struct fs *fs, const char *key, uint64_t *parentp,
    struct slice *namep);
void key_forget(struct fs *fs, uint64_t ino);

#endif
