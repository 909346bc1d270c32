/* SPDX-License-Identifier: ISC */
/*
 * Lookup: reads the row of a name in a directory, and gives the live inode
 * that it is of, which is loaded from the row if it is not in memory yet. Any
 * thread; -ENOENT: there is no such name.
 */
#ifndef KVFS_FS_INODE_LOOKUP_H
#define KVFS_FS_INODE_LOOKUP_H

#include "fs/live_inode.h"
#include "fs/schema.h"

struct fs;

/* Load the root inode, with a reference. */
int inode_load_root(struct fs *fs, struct inode **inp);

/*
 * The inode of a row of dir that was read while dir->commits.change was
 * change; referenced and locked. -EAGAIN: the row is out of date, read it
 * again.
 */
int inode_from_row(struct fs *fs, struct inode *dir, struct slice name,
    const struct dentry_row *row, uint64_t change, struct inode **inp);
/* The inode that name in dir refers to; referenced, and locked for _lock. */
int inode_lookup_lock(struct fs *fs, struct inode *dir, struct slice name,
    struct inode **inp);
int inode_lookup(struct fs *fs, struct inode *dir, struct slice name,
    struct inode **inp);

#endif
