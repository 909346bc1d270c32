/* SPDX-License-Identifier: ISC */
/*
 * The inline bytes of inodes that have no row: of those that lost their last
 * name while all of them was in memory. They are the inode's, guarded as its
 * other fields are, and counted for the whole process.
 */
#ifndef KVFS_FS_ROWLESS_H
#define KVFS_FS_ROWLESS_H

#include "fs/live_inode.h"
#include "kvfs/kv.h"

/* Its rows are gone, and data is what its inline bytes were: it lives on in
 * memory alone, until a row of it is put again. */
int rowless_keep(struct inode *in, struct slice data)
    REQUIRES(&in->change_mu, &in->mu);
/* Its row is put again, or the inode ends: nothing is kept. */
void rowless_drop(struct inode *in);
/* What a rowless inode keeps, as a value that outlives it. */
int rowless_copy(const struct inode *in, struct kv_value *pin)
    REQUIRES(&in->mu);
/* What the process keeps in this way. */
size_t rowless_bytes(void);

#endif
