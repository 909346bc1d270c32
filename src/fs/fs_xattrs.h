/* SPDX-License-Identifier: ISC */
/* Extended attributes. A part of fs.h, which has the rules. */
#ifndef KVFS_FS_FS_XATTRS_H
#define KVFS_FS_FS_XATTRS_H

#include <stdbool.h>
#include <stdint.h>

#include "kvfs/slice.h"
#include "util/buf.h"

struct fs;

/*
 * A name begins with user., trusted. or security., or is that of an access
 * list: -EOPNOTSUPP for others, -EINVAL if nothing follows the prefix. The
 * kernel checks the privileges that each prefix needs.
 */
/* Appends the value; -ENODATA. */
int fs_getxattr(struct fs *fs, uint64_t ino, struct slice name,
    struct buf *value);
/* flags: XATTR_CREATE or XATTR_REPLACE, or 0; FS_XATTR_KILL_SGID clears the
 * set-gid bit when an access list is set. */
#define FS_XATTR_KILL_SGID (1 << 16)
int fs_setxattr(struct fs *fs, uint64_t ino, struct slice name,
    struct slice value, int flags);
/* Appends the names, each with its NUL; trusted ones if is_trusted. */
int fs_listxattr(struct fs *fs, uint64_t ino, bool is_trusted,
    struct buf *names);
int fs_removexattr(struct fs *fs, uint64_t ino, struct slice name);

#endif
