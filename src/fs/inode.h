/* SPDX-License-Identifier: ISC */
/*
 * Live inodes and their rows: fills an inode from its row, adds its row to a
 * batch, and knows which row that is. inode_lookup.h finds them. Dirty contents
 * are not known here; see content.h and inode_commit.h, which use this.
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

/* The committed inline bytes; *datap is valid until *pin is released. */
int inode_get_inline(struct fs *fs, struct inode *in, struct kv_value *pin,
    struct slice *datap) REQUIRES(&in->mu);
/* The same, copied: *datap is valid as long as t. */
int inode_copy_inline(struct fs *fs, struct txn *t, struct inode *in,
    struct slice *datap) REQUIRES(&in->mu);
/*
 * Add the inode's row, with attributes rec, to t, at its present key. data: the
 * inline bytes; NULL keeps the committed ones.
 */
int inode_put_row(struct fs *fs, struct txn *t, struct inode *in,
    const struct attr_rec *rec, const struct slice *data)
    REQUIRES(&in->change_mu, &in->mu);
/* A row with its current atime was added to a batch. */
void inode_stage_atime(struct inode *in) REQUIRES(&in->mu);
/* Its attributes were moved to the row (parent, *name), or to the inode row if
 * parent is NULL. Takes the memory of name. Returns the old parent, for
 * inode_put() once no lock is held. */
struct inode *inode_move(struct inode *in, struct inode *parent,
    struct iname *name) REQUIRES(&in->change_mu, &in->mu);
/* A row of dir's group was changed: see inode_commits.change. */
void inode_touch(struct inode *dir);

/* Read the row of a name, but for its inline contents. -ENOENT: there is none.
 * Damage is logged. */
int inode_get_dentry(struct fs *fs, const struct inode *dir, struct slice name,
    struct dentry_row *rowp);
/* The row is damaged: log a line, and return rc. */
int inode_bad_row(uint64_t parent, struct slice name, int rc);

#endif
