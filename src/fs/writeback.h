/* SPDX-License-Identifier: ISC */
/*
 * Commits of what is dirty: by the thread that does so in time, by writers
 * when it takes too much memory, and all of it at a sync. What is dirty is
 * listed in dirty_list.h.
 */
#ifndef KVFS_FS_WRITEBACK_H
#define KVFS_FS_WRITEBACK_H

#include "fs/live_inode.h"

struct fs;
struct fs_options;

struct writeback {
	pthread_t thread;
	bool has_thread;
	_Atomic bool is_failing; /* said so in the log */
	_Atomic uint32_t age_ms; /* the longest time that contents wait */
	uint64_t limit_bytes; /* of memory; constant */
};

int writeback_start(struct fs *fs, const struct fs_options *opts);
void writeback_stop(struct fs *fs);
/* Contents that could not be committed are lost here. */
void writeback_fini(struct fs *fs);
void writeback_set_age(struct fs *fs, uint32_t age_ms);

/* Commit the oldest while there is too much; call without locks, as the next
 * one, and txn_settle() after it. */
int writeback_throttle(struct fs *fs);
/* Commit all that was dirty at the call; the first error. */
int writeback_all(struct fs *fs);

/* ---- For the sources of writeback only ---- */

/* Say once that commits fail, and once that they work again. */
void writeback_report(struct fs *fs, int rc);
/* Commit what in has: contents, or nothing but its atime. */
int writeback_commit(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);

#endif
