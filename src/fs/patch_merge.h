/* SPDX-License-Identifier: ISC */
/* Merges patches into their chunks in the background, once an inode rests or
 * there are many; see patch_list.h. */
#ifndef KVFS_FS_PATCH_MERGE_H
#define KVFS_FS_PATCH_MERGE_H

struct fs;

/* Merge a batch of the inode that is due. For the write-back thread, without
 * locks; txn_settle() after it. */
void patch_merge_some(struct fs *fs);

#endif
