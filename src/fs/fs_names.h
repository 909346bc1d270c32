/* SPDX-License-Identifier: ISC */
/* Names: lookup, create, link, rename, remove. A part of fs.h, which has the
 * rules. */
#ifndef KVFS_FS_FS_NAMES_H
#define KVFS_FS_FS_NAMES_H

#include "fs/fs_attrs.h"
#include "kvfs/slice.h"
#include "util/buf.h"

/* -ENOENT, -ENOTDIR, -ENAMETOOLONG; counts a lookup on success. */
int fs_lookup(struct fs *fs, uint64_t parent, struct slice name,
    struct fs_attr *attrp);
/* Give back n lookups of ino. */
void fs_forget(struct fs *fs, uint64_t ino, uint64_t n);

/* Create a regular file, directory, FIFO, socket or device, by the type in
 * mode. Counts a lookup. rdev is for devices. -EEXIST, -ENOSPC ... */
int fs_create(struct fs *fs, uint64_t parent, struct slice name, uint32_t mode,
    uint64_t rdev, const struct fs_cred *cred, struct fs_attr *attrp);
int fs_symlink(struct fs *fs, uint64_t parent, struct slice name,
    struct slice target, const struct fs_cred *cred, struct fs_attr *attrp);
/* Create a file without a name (O_TMPFILE) and open it once. fs_link() can
 * name it until it is released. */
int fs_tmpfile(struct fs *fs, uint64_t parent, uint32_t mode,
    const struct fs_cred *cred, struct fs_attr *attrp);
/* Add a name for ino. Counts a lookup. -EMLINK, -EEXIST ... */
int fs_link(struct fs *fs, uint64_t ino, uint64_t parent, struct slice name,
    struct fs_attr *attrp);
int fs_unlink(struct fs *fs, uint64_t parent, struct slice name);
int fs_rmdir(struct fs *fs, uint64_t parent, struct slice name);
/* flags: RENAME_NOREPLACE or RENAME_EXCHANGE of renameat2(2), or 0. */
int fs_rename(struct fs *fs, uint64_t parent, struct slice name,
    uint64_t newparent, struct slice newname, unsigned flags);
/* RENAME_WHITEOUT, with RENAME_NOREPLACE or 0: atomically leaves a device 0:0,
 * owned by cred, at the old name. */
int fs_rename_whiteout(struct fs *fs, uint64_t parent, struct slice name,
    uint64_t newparent, struct slice newname, unsigned flags,
    const struct fs_cred *cred);
/* Appends the target to *target. */
int fs_readlink(struct fs *fs, uint64_t ino, struct buf *target);

#endif
