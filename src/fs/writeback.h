/* SPDX-License-Identifier: ISC */
/*
 * Commits dirty inodes (dirty_list.h): the write-back thread those that are
 * old enough, writers the oldest ones when there is too much dirty memory, and
 * a sync all of them.
 */
#ifndef KVFS_FS_WRITEBACK_H
#define KVFS_FS_WRITEBACK_H

#include "fs/live_inode.h"
#include "fs/patch_list.h"

struct fs;
struct fs_options;

struct writeback {
	pthread_t thread;
	bool has_thread;
	/* Commits fail, which was logged. Relaxed: who logs it. */
	_Atomic bool is_failing;
	_Atomic uint32_t age_ms; /* the longest time that contents stay dirty */
	uint64_t limit_bytes; /* of dirty memory; constant */
	struct patch_list patches; /* what the thread merges */
};

int writeback_start(struct fs *fs, const struct fs_options *opts);
void writeback_stop(struct fs *fs);
/* Contents that could not be committed are lost here. */
void writeback_fini(struct fs *fs);
void writeback_set_age(struct fs *fs, uint32_t age_ms);

/* Commit the oldest inodes while there is too much dirty memory. Call this and
 * the next one without locks, and txn_settle() after it. */
int writeback_throttle(struct fs *fs);
/* Commit all inodes that were dirty at the call. Returns the first error. */
int writeback_all(struct fs *fs);

/* ---- For the sources of writeback only ---- */

/* Log once that commits fail, and once that they work again. */
void writeback_report(struct fs *fs, int rc);
/* Commit the dirty contents of in, or its atime alone. */
int writeback_commit(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);

#endif
