/* SPDX-License-Identifier: ISC */
/* Reading directories. A part of fs.h, which has the rules. */
#ifndef KVFS_FS_FS_DIRS_H
#define KVFS_FS_FS_DIRS_H

#include <stdbool.h>

#include "fs/fs_attrs.h"
#include "kvfs/slice.h"

struct fs_dir;

/* Open a directory stream. Entries that exist throughout are listed exactly
 * once while others are created and deleted. Offsets are the same for all
 * streams of a directory, and stay valid as long as one is open. */
int fs_opendir(struct fs *fs, uint64_t ino, struct fs_dir **dirp);
void fs_closedir(struct fs *fs, struct fs_dir *dir);

struct fs_dirent {
	uint64_t ino;
	uint32_t type; /* the S_IFMT bits */
	struct slice name;
	int64_t next; /* offset of the entry after this one */
	const struct fs_attr *attr; /* with_attr: current attributes; NULL if
	                               the entry must not be cached ("." and
	                               "..", or removed meanwhile) */
};

/*
 * Called for each entry from offset on, "." and ".." first; returns false
 * when the entry did not fit, which ends the call and leaves that entry
 * for the next one. With with_attr, an entry that was taken and has attr
 * counts one lookup of its inode.
 */
typedef bool (*fs_dirent_fn)(void *arg, const struct fs_dirent *entry);
int fs_readdir(struct fs *fs, struct fs_dir *dir, int64_t offset,
    bool with_attr, fs_dirent_fn fn, void *arg);
/* After a call that reached the end: false when the kernel must not cache
 * this listing, since other readers could then miss names; see listing.h. */
bool fs_dir_is_safe(struct fs_dir *dir);

#endif
