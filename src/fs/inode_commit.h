/* SPDX-License-Identifier: ISC */
/*
 * A change of one inode: begun, committed, and then true of the inode in
 * memory, of its contents and of the list of what is dirty.
 */
#ifndef KVFS_FS_INODE_COMMIT_H
#define KVFS_FS_INODE_COMMIT_H

#include "fs/live_inode.h"
#include "fs/txn.h"

struct fs;

/* Take both locks, to change it; give both up. */
void inode_begin_change(struct inode *in) ACQUIRE(&in->change_mu, &in->mu);
void inode_end_change(struct inode *in) RELEASE(&in->change_mu, &in->mu);
/* txn_commit() of a batch that changes in: others look at it meanwhile. */
int inode_commit(struct fs *fs, struct inode *in, struct txn *t, uint64_t *seqp)
    REQUIRES(&in->change_mu, &in->mu);

/* The row that inode_put_row() or another put of it added was committed at
 * seq: rec is what it says now. */
void inode_row_committed(struct fs *fs, struct inode *in,
    const struct attr_rec *rec, uint64_t seq) REQUIRES(&in->change_mu, &in->mu);

/* Rows are gone: contents that wait are dropped. */
void inode_set_deleted(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);

#endif
