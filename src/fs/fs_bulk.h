/* SPDX-License-Identifier: ISC */
/*
 * Many changes in few commits: files with contents and attributes, directories,
 * links and removals, by path. A part of fs.h, which has the rules.
 *
 * What is added is staged in memory, and committed when there is enough of it,
 * or by fs_bulk_commit(). A name appears with the whole file: a crash leaves
 * all of a file or nothing of it. A file with contents above some size is
 * written without a name first.
 *
 * What exists is replaced: a file by another file, in one step; a file or an
 * empty directory by what is given. A directory that exists stays, and gets
 * the attributes. Symbolic links are replaced, and not followed: -ELOOP.
 *
 * An entry that cannot be stored is reported by failed(), and the call returns
 * 0. A negative result of a call, and of the callbacks' effect on it none, ends
 * the work: only fs_bulk_close() may follow.
 *
 * Threads: one uses a struct fs_bulk. No lock is held while a callback runs.
 */
#ifndef KVFS_FS_FS_BULK_H
#define KVFS_FS_FS_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/fs_attrs.h"
#include "kvfs/slice.h"

struct fs;
struct fs_bulk;

enum {
	/* Make directories above an entry that are missing. */
	FS_BULK_PARENTS = 1 << 0,
	/* All or nothing: one fs_bulk_commit(), at the end, and none if an
	 * entry has failed. -E2BIG: too much for one. */
	FS_BULK_ATOMIC = 1 << 1,
	/* Names that are added to a directory leave the mtime that it got by
	 * an entry of its own. */
	FS_BULK_DIR_TIMES = 1 << 2,
};

struct fs_bulk_options {
	uint64_t base; /* the directory that paths begin in */
	unsigned flags; /* FS_BULK_* */
	struct fs_cred cred; /* of what gets no owner of its own */
	size_t batch_bytes; /* about the most that is staged; 0: default */
	void *arg;
	/* The entry at path was not stored: rc. */
	void (*failed)(void *arg, struct slice path, uint64_t tag, int rc);
	/* For those who cache what they have looked up: a name in dir means
	 * something else now; and, after these, attributes, and a listing if
	 * it is a directory, have changed. May be NULL. */
	void (*name_changed)(void *arg, uint64_t dir, struct slice name);
	void (*inode_changed)(void *arg, uint64_t ino, bool is_dir);
};

struct fs_bulk_xattr {
	struct slice name, value;
};

/* Everything is borrowed for the call. */
struct fs_bulk_entry {
	struct slice path; /* components and "/"; empty: the base itself */
	uint64_t tag; /* for failed() */
	uint32_t mode; /* type and permissions */
	/* FS_SET_UID, _GID, _ATIME, _MTIME: those given. Others: of cred, as
	 * when a file is created, and now. */
	unsigned valid;
	uint32_t uid, gid;
	uint64_t rdev;
	struct timespec atime, mtime;
	struct slice target; /* of a symbolic link */
	const struct fs_bulk_xattr *xattrs;
	size_t nxattrs;
	/* A new value for a key: replaces regular files only, and keeps mode,
	 * owner and extended attributes of the one that is replaced. */
	bool is_value;
};

int fs_bulk_open(struct fs *fs, const struct fs_bulk_options *opts,
    struct fs_bulk **bp);
/* Drop what is not committed, and free. NULL is accepted. */
void fs_bulk_close(struct fs_bulk *b);

/* Add a file, a directory or another kind. A regular file is then written to,
 * and ended by fs_bulk_end_file(), before anything else is called. */
int fs_bulk_add(struct fs_bulk *b, const struct fs_bulk_entry *e);
/* off: at or after the end of the last one. What is left out is a hole. */
int fs_bulk_write(struct fs_bulk *b, uint64_t off, struct slice data);
/* The file has this size; is_whole false: it is not wanted after all. */
int fs_bulk_end_file(struct fs_bulk *b, uint64_t size, bool is_whole);
/* One more name for the file at target, a path as well. */
int fs_bulk_link(struct fs_bulk *b, struct slice path, struct slice target,
    uint64_t tag);
/* Remove a name that is no directory. */
int fs_bulk_remove(struct fs_bulk *b, struct slice path, uint64_t tag);

/* The caller does not add the entry at path, since rc: it has failed. */
int fs_bulk_refuse(struct fs_bulk *b, struct slice path, uint64_t tag, int rc);

/* Commit what is staged, and wait until it is as durable as the sync mode
 * says. */
int fs_bulk_commit(struct fs_bulk *b);
/* How many entries were committed, and how many failed. */
uint64_t fs_bulk_stored(const struct fs_bulk *b);
uint64_t fs_bulk_failures(const struct fs_bulk *b);

#endif
