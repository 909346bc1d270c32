/* SPDX-License-Identifier: ISC */
/* See key_attributes.h. */
#include "tools/key_attributes.h"

#include <string.h>

#include "fs/fs.h"
#include "tools/key_lookup.h"

int
key_stat(struct fs *fs, const char *key, struct stat *stp)
{
	struct fs_attr attr;
	int rc = key_lookup(fs, key, strlen(key), &attr);

	if (rc < 0)
		return rc;
	key_forget(fs, attr.ino);
	*stp = (struct stat){
		.st_ino = attr.ino,
		.st_mode = attr.mode,
		.st_nlink = attr.nlink,
		.st_uid = attr.uid,
		.st_gid = attr.gid,
		.st_rdev = attr.rdev,
		.st_size = (off_t)attr.size,
		.st_blocks = (blkcnt_t)attr.blocks,
		.st_atim = attr.atime,
		.st_mtim = attr.mtime,
		.st_ctim = attr.ctime,
	};
	return 0;
}

/* Copy the extended attributes of an inode to another. */
static int
copy_xattrs(struct fs *fs, uint64_t from, uint64_t to)
{
	struct buf names = { 0 }, value = { 0 };
	int rc = fs_listxattr(fs, from, true, &names);
	size_t len;

	for (size_t at = 0; rc >= 0 && at < names.len; at += len + 1) {
		const char *name = (const char *)names.data + at;

		len = strlen(name);
		buf_clear(&value);
		rc = fs_getxattr(fs, from, slice_make(name, len), &value);
		if (rc >= 0)
			rc = fs_setxattr(fs, to, slice_make(name, len),
			    slice_make(value.data, value.len), 0);
	}
	buf_fini(&value);
	buf_fini(&names);
	return rc < 0 ? rc : 0;
}

int
key_copy_attributes(struct fs *fs, const char *key, uint64_t to,
    const struct stat *like, bool give_away)
{
	struct fs_attr attr = {
		.mode = like->st_mode & 07777,
		.uid = like->st_uid,
		.gid = like->st_gid,
	};
	struct fs_attr old, result;
	unsigned owner = give_away ? FS_SET_UID | FS_SET_GID : 0;
	int rc;

	rc = key_lookup(fs, key, strlen(key), &old);
	if (rc < 0)
		return rc;
	rc = copy_xattrs(fs, old.ino, to);
	key_forget(fs, old.ino);
	/* In two steps, since a change of the owner clears set-id bits. */
	if (rc == 0 && owner != 0)
		rc = fs_setattr(fs, to, &attr, owner, &result);
	if (rc < 0)
		return rc;
	return fs_setattr(fs, to, &attr, FS_SET_MODE, &result);
}
