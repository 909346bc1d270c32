/* SPDX-License-Identifier: ISC */
/*
 * One rename(2), as op_rename.c, rename_lock.c and rename_batch.c share it.
 *
 * Locks: fs.rename_mu if there are two parents, or if two inodes are named of
 * which one is a directory, so that no other thread can hold two unrelated
 * directories; then change_mu of both parents, the upper one first; then that
 * of src and dst, directories before files, then by number. src may be above
 * a parent, so both are found before anything is locked, and checked against
 * the rows once the parents are locked.
 */
#ifndef KVFS_FS_RENAME_H
#define KVFS_FS_RENAME_H

#include "fs/live_inode.h"

struct fs;
struct fs_cred;

struct rename {
	struct inode *from, *to; /* directories; to may be from */
	struct slice name, newname;
	struct inode *src, *dst; /* dst may be NULL */
	bool is_exchange;
	const struct fs_cred *whiteout; /* leave one with this owner; or NULL */
	uint64_t from_change, to_change; /* loaded before src, dst were found */
	struct inode *old[2]; /* for inode_put() once no lock is held */
};

/* Is upper dir, or above it? Needs rename_mu, under which no directory
 * moves. */
bool rename_is_above(const struct inode *upper, const struct inode *dir);

/* Take and release change_mu of both parents, and of src and dst. */
void rename_lock_parents(const struct rename *r);
void rename_unlock_parents(const struct rename *r);
void rename_lock_named(const struct rename *r);
void rename_unlock_named(const struct rename *r);
/* The same for inode.mu, after change_mu. */
void rename_lock_parent_fields(const struct rename *r);
void rename_unlock_parent_fields(const struct rename *r);
void rename_lock_named_fields(const struct rename *r);
void rename_unlock_named_fields(const struct rename *r);
/* As mutex_assert_held(), of the right to change both parents, and of all
 * that is locked above. */
void rename_assert_parents(const struct rename *r)
    ASSERTS_HELD(&r->from->change_mu, &r->to->change_mu);
void rename_assert_all(const struct rename *r)
    ASSERTS_HELD(&r->from->change_mu, &r->to->change_mu, &r->src->change_mu,
	&r->dst->change_mu, &r->from->mu, &r->to->mu, &r->src->mu, &r->dst->mu);

/* Stage and commit the batch; everything is locked. */
int rename_batch(struct fs *fs, struct rename *r);

#endif
