/* SPDX-License-Identifier: ISC */
/*
 * The inline bytes of inodes without a row: those that lost their last name
 * while they were in use and all of their contents were inline. The bytes are
 * guarded as the inode's other fields are, and counted for the whole process.
 */
#ifndef KVFS_FS_ROWLESS_H
#define KVFS_FS_ROWLESS_H

#include "fs/live_inode.h"
#include "kvfs/kv.h"

/* Its rows were deleted; data: its inline bytes, which are copied. It is in
 * memory alone until a row of it is put again. -ENOMEM. */
int rowless_keep(struct inode *in, struct slice data)
    REQUIRES(&in->change_mu, &in->mu);
/* Its row is put again, or the inode ends: free the bytes. */
void rowless_drop(struct inode *in);
/* Copy the bytes of a rowless inode to a value. -ENOMEM. */
int rowless_copy(const struct inode *in, struct kv_value *pin)
    REQUIRES(&in->mu);
/* The bytes of all rowless inodes of the process. */
size_t rowless_bytes(void);

#endif
