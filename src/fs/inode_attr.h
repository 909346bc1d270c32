/* SPDX-License-Identifier: ISC */
/* The current attributes of an inode, with dirty contents included, and the
 * rules for its access time. */
#ifndef KVFS_FS_INODE_ATTR_H
#define KVFS_FS_INODE_ATTR_H

#include "fs/fs.h"
#include "fs/live_inode.h"

/* The current attributes, with dirty contents included. */
void inode_attr(const struct inode *in, struct fs_attr *attrp)
    REQUIRES(&in->mu);
uint64_t inode_size(const struct inode *in) REQUIRES(&in->mu);
/* May a hole hold data that a program has in a writable map, unknown here? */
bool inode_hides_data(const struct inode *in) REQUIRES(&in->mu);
/* The same, and no block is counted: st_blocks must still not be 0. */
bool inode_hides_all(const struct inode *in) REQUIRES(&in->mu);
/* Does a read at the time now change atime? */
bool inode_atime_is_due(const struct fs *fs, const struct inode *in,
    const struct timespec *now) REQUIRES(&in->mu);
/* It was read: set atime if that is due. */
void inode_accessed(struct fs *fs, struct inode *in) REQUIRES(&in->mu);

#endif
