/* SPDX-License-Identifier: ISC */
/* What an inode looks like from outside: attributes as of now, with contents
 * that wait, and the access time. */
#ifndef KVFS_FS_INODE_ATTR_H
#define KVFS_FS_INODE_ATTR_H

#include "fs/fs.h"
#include "fs/live_inode.h"

/* Attributes as of now, contents that wait included. */
void inode_attr(const struct inode *in, struct fs_attr *attrp)
    REQUIRES(&in->mu);
uint64_t inode_size(const struct inode *in) REQUIRES(&in->mu);
/* What we have for a hole may be data that somebody keeps from us. */
bool inode_hides_data(const struct inode *in) REQUIRES(&in->mu);
/* The same, and no block of it is counted: st_blocks must not be 0. */
bool inode_hides_all(const struct inode *in) REQUIRES(&in->mu);
/* Would relatime move atime at now? */
bool inode_atime_is_due(const struct inode *in, const struct timespec *now)
    REQUIRES(&in->mu);
/* Its times are wanted as relatime wants them: maybe move atime. */
void inode_accessed(struct fs *fs, struct inode *in) REQUIRES(&in->mu);

#endif
