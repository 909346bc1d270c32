/* SPDX-License-Identifier: ISC */
/*
 * A change of one inode: locks it, commits the change, and then updates the
 * inode in memory, its contents and the dirty list.
 */
#ifndef KVFS_FS_INODE_COMMIT_H
#define KVFS_FS_INODE_COMMIT_H

#include "fs/live_inode.h"
#include "fs/txn.h"

struct fs;

/* Take both locks, for a change; release both. */
void inode_begin_change(struct inode *in) ACQUIRE(&in->change_mu, &in->mu);
void inode_end_change(struct inode *in) RELEASE(&in->change_mu, &in->mu);
/* txn_commit() of a batch that changes in. Releases in->mu meanwhile, so that
 * others can read its fields. */
int inode_commit(struct fs *fs, struct inode *in, struct txn *t, uint64_t *seqp)
    REQUIRES(&in->change_mu, &in->mu);

/* The inode's row was committed at seq with the attributes rec. */
void inode_row_committed(struct fs *fs, struct inode *in,
    const struct attr_rec *rec, uint64_t seq) REQUIRES(&in->change_mu, &in->mu);

/* All its rows were deleted: drop dirty contents too. */
void inode_set_deleted(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);

#endif
