/* SPDX-License-Identifier: ISC */
/*
 * Directories: the row with its counts in a batch, and the checks at the door
 * of each operation that names one.
 */
#ifndef KVFS_FS_DIR_H
#define KVFS_FS_DIR_H

#include "fs/live_inode.h"
#include "fs/txn.h"

struct fs;

/* A directory's row with other counts, in a batch. */
struct dir_change {
	struct inode *dir;
	struct attr_rec rec;
	uint32_t tombstones;
	struct slice gone; /* the entry that is deleted; borrowed */
};
/* Begin: times become now. */
void dir_begin(struct dir_change *c, struct inode *dir,
    const struct timespec *now) REQUIRES(&dir->mu);
/* An entry more (+1) or less (-1); subdirs in the same way. -EMLINK. */
int dir_count(struct dir_change *c, int entries, int subdirs);
/* Delete the entry's row: with its group when it was the last of many. Not
 * counted; call after dir_count(). */
void dir_delete_entry(struct dir_change *c, struct txn *t, struct slice name);
/* With the directory locked still. */
int dir_stage(struct fs *fs, struct txn *t, struct dir_change *c);
void dir_commit(struct fs *fs, struct dir_change *c, uint64_t seq);

/* A directory by number, with a reference, or -ESTALE, -ENOTDIR. */
int dir_get(struct fs *fs, uint64_t ino, struct inode **dirp);
/* Any inode by number: -ESTALE. */
int file_get(struct fs *fs, uint64_t ino, struct inode **inp);
/* A regular file: -EISDIR, -EINVAL. */
int regular_get(struct fs *fs, uint64_t ino, struct inode **inp);
/* -EINVAL, -ENAMETOOLONG for what cannot be a new name. */
int name_check(struct slice name);
/* -EEXIST when dir has name. */
int dir_has_no(struct fs *fs, struct inode *dir, struct slice name)
    REQUIRES(&dir->change_mu);

#endif
