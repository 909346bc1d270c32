/* SPDX-License-Identifier: ISC */
/* Removes links of an inode, and its rows or some of them; see
 * removal.c. */
#ifndef KVFS_FS_REMOVAL_H
#define KVFS_FS_REMOVAL_H

#include "fs/live_inode.h"
#include "fs/txn.h"

struct fs;

/* The removal of links of an inode, in a batch. */
struct removal {
	struct inode *in;
	struct attr_rec rec;
	enum {
		REMOVAL_LINK, /* it has other names */
		REMOVAL_ORPHAN, /* in use: its rows stay for now */
		REMOVAL_ROWLESS, /* in use, but all of it is in memory */
		REMOVAL_DELETE, /* not in use: its rows are deleted */
	} how;
	struct slice data; /* inline bytes, in the txn */
};
/* Add it to t; the caller deletes, or replaces, the rows of so many names. */
int removal_stage(struct fs *fs, struct txn *t, struct inode *in,
    const struct timespec *now, uint32_t names, struct removal *r)
    REQUIRES(&in->change_mu, &in->mu);
/* It was committed at seq; the inode is still locked. Returns an inode for
 * inode_put() once no lock is held. */
struct inode *removal_commit(struct fs *fs, struct removal *r, uint64_t seq);

#endif
