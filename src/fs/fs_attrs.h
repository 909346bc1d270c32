/* SPDX-License-Identifier: ISC */
/* Attributes of inodes, and limits. A part of fs.h, which has the rules. */
#ifndef KVFS_FS_FS_ATTRS_H
#define KVFS_FS_FS_ATTRS_H

#include <stdint.h>
#include <time.h>

struct fs;

#define FS_ROOT_INO 1
#define FS_NAME_MAX 255
#define FS_SYMLINK_MAX 4095
#define FS_XATTR_SIZE_MAX 65536
#define FS_LINK_MAX 65000

struct fs_attr {
	uint64_t ino;
	uint32_t mode; /* type and permissions, as st_mode */
	uint32_t nlink;
	uint32_t uid, gid;
	uint64_t rdev;
	uint64_t size;
	uint64_t blocks; /* of 512 bytes; holes take none */
	struct timespec atime, mtime, ctime, btime;
};

/* Who creates: becomes the owner. umask counts with fs_options.acl only,
 * where the directory's default list may stand in its place; otherwise mode
 * arrives with it applied. */
struct fs_cred {
	uint32_t uid, gid, umask;
};

int fs_getattr(struct fs *fs, uint64_t ino, struct fs_attr *attrp);

enum {
	FS_SET_MODE = 1 << 0,
	FS_SET_UID = 1 << 1,
	FS_SET_GID = 1 << 2,
	FS_SET_SIZE = 1 << 3,
	FS_SET_ATIME = 1 << 4,
	FS_SET_MTIME = 1 << 5,
	FS_SET_CTIME = 1 << 6,
	FS_SET_ATIME_NOW = 1 << 7,
	FS_SET_MTIME_NOW = 1 << 8,
	FS_SET_KILL_SUID = 1 << 9, /* drop set-id bits as a write would */
	/* As a write by somebody who is not in the file's group: set-gid
	 * goes without the group's right to execute, too. */
	FS_SET_KILL_SGID = 1 << 10,
};

/* Change the fields of *attr that valid names; the result in *attrp. */
int fs_setattr(struct fs *fs, uint64_t ino, const struct fs_attr *attr,
    unsigned valid, struct fs_attr *attrp);

#endif
