/* SPDX-License-Identifier: ISC */
/*
 * One rename(2) under way: among op_rename.c, rename_lock.c and
 * rename_batch.c.
 *
 * Locks: fs.rename_mu when there are two parents, or when two inodes of
 * which one is a directory meet, so that no other thread can hold two
 * unrelated directories; then the right to change both parents, the upper
 * one first; then that to change what is named, directories before files,
 * then by number. What is named may be above a parent, so it is found before
 * anything is locked, and compared with the rows once the parents are.
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
	const struct fs_cred *whiteout; /* leave one, of this owner; or NULL */
	uint64_t from_change, to_change; /* before src and dst were found */
	struct inode *old[2]; /* to put once unlocked */
};

/* Whether upper is dir or above it. The shape of the tree stands still
 * under rename_mu. */
bool rename_is_above(const struct inode *upper, const struct inode *dir);

/* The right to change both parents, and what is named. */
void rename_lock_parents(const struct rename *r);
void rename_unlock_parents(const struct rename *r);
void rename_lock_named(const struct rename *r);
void rename_unlock_named(const struct rename *r);
/* The fields of both parents, and of what is named, after that right. */
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
