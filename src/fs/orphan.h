/* SPDX-License-Identifier: ISC */
/*
 * Inodes without a name: each ends when nobody knows it any more, and its
 * rows are then deleted in the background; see orphan.c.
 */
#ifndef KVFS_FS_ORPHAN_H
#define KVFS_FS_ORPHAN_H

#include "fs/live_inode.h"
#include "fs/txn.h"
#include "util/mutex.h"

struct fs;

/* An inode without a name that nobody knows any more, and its rows. */
struct orphan {
	uint64_t ino, alloc;
	uint32_t flags, nxattrs;
};

struct orphan_list {
	struct mutex reap_mu; /* held while rows are deleted */
	struct mutex mu;
	struct orphan *all GUARDED_BY(mu);
	size_t count GUARDED_BY(mu), cap GUARDED_BY(mu);
	uint64_t due_ns GUARDED_BY(mu); /* UINT64_MAX: there are none */
};

/* Finish the deletions that a crash interrupted. */
int orphan_sweep(struct fs *fs);
/* A lookup or an open of in was given back: without a name it ends with the
 * last of them. Call without locks. */
void orphan_forgotten(struct fs *fs, struct inode *in);
/* All of them end, whoever knows them: the file system is closing. */
int orphan_end_all(struct fs *fs);
/* Delete the rows of all that have ended. Call without locks, and
 * txn_settle() after it. */
void orphan_reap(struct fs *fs);
/* When that is due; UINT64_MAX: not. */
uint64_t orphan_due_ns(struct fs *fs);
/* Delete contents and extended attributes, as far as there are any. */
void orphan_stage_groups(struct txn *t, uint64_t ino,
    const struct attr_rec *rec);

#endif
