/* SPDX-License-Identifier: ISC */
/*
 * Live inodes and their rows: from a row into memory, back into a batch, and
 * where that row is. Nothing here knows of contents that wait; who commits
 * them and what is dirty stand above (content.h, inode_commit.h).
 */
#ifndef KVFS_FS_INODE_H
#define KVFS_FS_INODE_H

#include "fs/live_inode.h"
#include "fs/schema.h"
#include "fs/txn.h"

struct fs;

/* Fill a new inode from its record at (parent, name), or from its inode
 * row when parent is NULL. */
int inode_fill(struct fs *fs, struct inode *in, struct inode *parent,
    struct slice name, const struct attr_rec *rec) REQUIRES(&in->mu);
/* The root: read and pinned. */
int inode_load_root(struct fs *fs, struct inode **inp);

/*
 * The inode of a row of dir that was read when dir->commits.change was change;
 * referenced and locked. -EAGAIN: the row is no longer true, read again.
 */
int inode_from_row(struct fs *fs, struct inode *dir, struct slice name,
    const struct dentry_row *row, uint64_t change, struct inode **inp);
/* The inode that name in dir is; referenced, and locked for _lock. */
int inode_find_lock(struct fs *fs, struct inode *dir, struct slice name,
    struct inode **inp);
int inode_find(struct fs *fs, struct inode *dir, struct slice name,
    struct inode **inp);

/* Its committed inline bytes; *pin holds them. */
int inode_get_inline(struct fs *fs, struct inode *in, struct kv_value *pin,
    struct slice *datap) REQUIRES(&in->mu);
/* The same, copied to live as long as t. */
int inode_copy_inline(struct fs *fs, struct txn *t, struct inode *in,
    struct slice *datap) REQUIRES(&in->mu);
/*
 * Add its row, with attributes rec, where it is. data: the inline bytes;
 * NULL keeps the committed ones.
 */
int inode_put_row(struct fs *fs, struct txn *t, struct inode *in,
    const struct attr_rec *rec, const struct slice *data)
    REQUIRES(&in->change_mu, &in->mu);
/* A row with its atime, as it is now, is in a batch. */
void inode_stage_atime(struct inode *in) REQUIRES(&in->mu);
/* Its attributes moved to (parent, *name), or to the inode row. Takes the
 * memory of name. Returns the old parent, to put once unlocked. */
struct inode *inode_move(struct inode *in, struct inode *parent,
    struct iname *name) REQUIRES(&in->change_mu, &in->mu);
/* A row of dir's group changed: see inode_commits.change. */
void inode_touch(struct inode *dir);

/* Row says what cannot be: one line to the log, returns rc. */
int inode_bad_row(uint64_t parent, struct slice name, int rc);

#endif
