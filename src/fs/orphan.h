/* SPDX-License-Identifier: ISC */
/*
 * Inodes without a name. When such an inode has no lookups and no opens any
 * more, its rows are deleted in the background; see orphan.c. Any thread.
 */
#ifndef KVFS_FS_ORPHAN_H
#define KVFS_FS_ORPHAN_H

#include "fs/live_inode.h"
#include "fs/txn.h"
#include "util/mutex.h"

struct fs;

/* An inode whose rows are to be deleted. */
struct orphan {
	uint64_t ino, alloc;
	uint32_t flags, nxattrs;
};

struct orphan_list {
	struct mutex reap_mu; /* held while rows are deleted */
	struct mutex mu;
	struct orphan *all GUARDED_BY(mu);
	size_t count GUARDED_BY(mu), cap GUARDED_BY(mu);
	uint64_t due_ns GUARDED_BY(mu); /* UINT64_MAX: none is due */
};

/* Finish the deletions that a crash interrupted. */
int orphan_sweep(struct fs *fs);
/* A lookup or an open of in has ended. If it has no name and that was the last
 * one, the inode is deleted. Call without locks. */
void orphan_forgotten(struct fs *fs, struct inode *in);
/* An inode with an orphan row, which is not in memory, is not wanted any more:
 * its rows are deleted soon. */
void orphan_enqueue(struct fs *fs, uint64_t ino, const struct attr_rec *rec);
/* Delete all of them, used or not: the file system is closing. */
int orphan_end_all(struct fs *fs);
/* Delete the rows of all inodes that were queued. Call without locks, and
 * txn_settle() after it. */
void orphan_reap(struct fs *fs);
/* When that is due, on the clock of clock_now_ns(); UINT64_MAX: never. */
uint64_t orphan_due_ns(struct fs *fs);
/* Add the deletion of contents and extended attributes, if any, to t. */
void orphan_stage_groups(struct txn *t, uint64_t ino,
    const struct attr_rec *rec);

#endif
