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

/* The owner of what is created. umask is used with fs_options.acl only, if
 * the directory has no default list; otherwise the caller has applied it to
 * mode. */
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
	FS_SET_KILL_SUID = 1 << 9, /* clear set-id bits as a write would */
	/* As a write by a user who is not in the file's group: set-gid is
	 * cleared also without group execute permission. */
	FS_SET_KILL_SGID = 1 << 10,
};

/* Set the attributes that valid (FS_SET_*) names, from attr; *attrp gets all
 * attributes after that. */
int fs_setattr(struct fs *fs, uint64_t ino, const struct fs_attr *attr,
    unsigned valid, struct fs_attr *attrp);

#endif
