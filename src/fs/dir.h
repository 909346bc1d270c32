/* SPDX-License-Identifier: ISC */
/*
 * Directories: changes of a directory's own row in a batch, and the checks of
 * inode numbers and names that operations are called with.
 */
#ifndef KVFS_FS_DIR_H
#define KVFS_FS_DIR_H

#include "fs/live_inode.h"
#include "fs/txn.h"

struct fs;

/* A change of a directory's counts and times, in a batch. */
struct dir_change {
	struct inode *dir;
	struct attr_rec rec;
	uint32_t tombstones;
	struct slice gone; /* the deleted entry; borrowed */
};
/* Begin a change of dir at the time now. */
void dir_begin(struct dir_change *c, struct inode *dir,
    const struct timespec *now) REQUIRES(&dir->mu);
/* Add to the number of entries, +1 or -1, and of subdirectories. -EMLINK when
 * there are too many of these. */
int dir_count(struct dir_change *c, int entries, int subdirs);
/* Delete the row of an entry; if it was the last one after many deletions, the
 * whole group, which leaves fewer tombstones. Call it after dir_count(). */
void dir_delete_entry(struct dir_change *c, struct txn *t, struct slice name);
/* Add the directory's row to t; after the commit, set its fields in memory.
 * The directory stays locked from dir_begin() on. */
int dir_stage(struct fs *fs, struct txn *t, struct dir_change *c);
void dir_commit(struct fs *fs, struct dir_change *c, uint64_t seq);

/* A directory by number, with a reference, or -ESTALE, -ENOTDIR. */
int dir_get(struct fs *fs, uint64_t ino, struct inode **dirp);
/* The same for any inode: -ESTALE. */
int file_get(struct fs *fs, uint64_t ino, struct inode **inp);
/* The same for a regular file: -ESTALE, -EISDIR, -EINVAL. */
int regular_get(struct fs *fs, uint64_t ino, struct inode **inp);
/* 0 if it can be a new name; else -EINVAL, -ENAMETOOLONG. */
int name_check(struct slice name);
/* 0 if dir does not have name; else -EEXIST. */
int dir_has_no(struct fs *fs, struct inode *dir, struct slice name)
    REQUIRES(&dir->change_mu);
/* Does name in dir still refer to in, or to nothing if that is NULL? 0,
 * -EAGAIN, or another negative errno. */
int dir_check_name(struct fs *fs, struct inode *dir, struct slice name,
    const struct inode *in);

#endif
