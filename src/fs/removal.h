/* SPDX-License-Identifier: ISC */
/* A link of an inode goes away: what becomes of its rows; see removal.c. */
#ifndef KVFS_FS_REMOVAL_H
#define KVFS_FS_REMOVAL_H

#include "fs/live_inode.h"
#include "fs/txn.h"

struct fs;

/* One link of an inode is going away in a batch. */
struct removal {
	struct inode *in;
	struct attr_rec rec;
	enum {
		REMOVAL_LINK, /* others are left */
		REMOVAL_ORPHAN, /* rows stay until nobody knows it */
		REMOVAL_ROWLESS, /* the same, but all of it is in memory */
		REMOVAL_DELETE, /* nobody knows it */
	} how;
	struct slice data; /* inline bytes, in the txn */
};
/* Add it to t; the dentry itself is the caller's. */
int removal_stage(struct fs *fs, struct txn *t, struct inode *in,
    const struct timespec *now, struct removal *r)
    REQUIRES(&in->change_mu, &in->mu);
/* It was committed at seq, with the inode locked still. Returns an inode
 * to put once unlocked. */
struct inode *removal_commit(struct fs *fs, struct removal *r, uint64_t seq);

#endif
