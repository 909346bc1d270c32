/* SPDX-License-Identifier: ISC */
/*
 * The commit of what is staged (bulk.h): bulk_lock.c finds and locks what a
 * batch changes, bulk_stage.c makes its rows, bulk_commit.c commits them and
 * updates what is in memory. One thread for each struct fs_bulk.
 */
#ifndef KVFS_FS_BULK_BATCH_H
#define KVFS_FS_BULK_BATCH_H

#include "fs/bulk.h"
#include "fs/removal.h"

/* An inode that loses names in the commit. */
struct bulk_old {
	struct inode *in;
	uint32_t names;
	struct removal removal;
	struct inode *parent; /* for inode_put() once no lock is held */
};

/* Is it a part of the commit? Names that were there, dropped or have failed are
 * not. */
static inline bool
bulk_is_staged(const struct bulk_name *n)
{
	return !n->is_dropped && n->rc == 0 && n->kind != BULK_KNOWN;
}

/* ---- bulk_lock.c ---- */

struct bulk_locks {
	struct bulk_dir **dirs; /* those that exist, upper ones first */
	size_t ndirs;
	struct bulk_old *olds; /* in order of their locks */
	size_t nolds;
	bool has_topology; /* rename_mu is held */
};

/* Look up all names, and lock what the batch changes. On success the caller
 * calls bulk_unlock(); in both cases bulk_locks_fini(). */
int bulk_lock(struct fs_bulk *b, struct bulk_locks *l);
void bulk_unlock(struct fs_bulk *b, struct bulk_locks *l);
void bulk_locks_fini(struct fs_bulk *b, struct bulk_locks *l);
/* The order in which inodes that are replaced are locked: <0, 0 or >0. */
int bulk_inode_order(const struct inode *x, const struct inode *y);
/* The fields of the directories, during the commit. */
void bulk_lock_fields(const struct bulk_locks *l);
void bulk_unlock_fields(const struct bulk_locks *l);

/* ---- bulk_stage.c ---- */

/* Add all that does not fail to the batch; everything is locked. */
int bulk_stage(struct fs_bulk *b, struct bulk_locks *l);

#endif
