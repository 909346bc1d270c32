/* SPDX-License-Identifier: ISC */
/*
 * An open directory of an env (engine/env/env.h) and the names in it, as a
 * table of functions. Any thread.
 */
#ifndef KVFS_ENGINE_ENV_ENV_DIR_H
#define KVFS_ENGINE_ENV_ENV_DIR_H

#include "engine/env/env_file.h"

struct env_dir;

enum env_open_flags {
	ENV_READ = 1 << 0,
	ENV_WRITE = 1 << 1, /* implies read */
	ENV_CREATE = 1 << 2, /* must not exist: -EEXIST */
};

struct env_space {
	uint64_t total_bytes, free_bytes; /* free: for a normal user */
};

struct env_dir_ops {
	int (*reopen)(struct env_dir *dir, struct env_dir **dirp);
	void (*close)(struct env_dir *dir);
	int (*lock)(struct env_dir *dir, enum env_lock_mode mode);
	void (*lockers)(struct env_dir *dir, char *text, size_t len);
	int (*sync)(struct env_dir *dir);
	int (*list)(struct env_dir *dir, int (*fn)(void *arg, const char *name),
	    void *arg);
	int (*space)(struct env_dir *dir, struct env_space *spacep);
	void (*settle)(struct env_dir *dir); /* may be NULL */
	bool (*keeps_blocks)(struct env_dir *dir); /* NULL: it does */

	int (*open)(struct env_dir *dir, const char *name, unsigned flags,
	    struct env_file **filep);
	int (*rename)(struct env_dir *dir, const char *from, const char *to);
	int (*unlink)(struct env_dir *dir, const char *name);
	int (*names)(struct env_dir *dir, const char *name,
	    struct env_file *file);
};

/* Implementations embed it as their first member. */
struct env_dir {
	const struct env_dir_ops *ops;
	char *path; /* by which it was opened; for messages only */
};

/* Another handle of the same directory, with a lock of its own. */
static inline int
env_dir_reopen(struct env_dir *dir, struct env_dir **dirp)
{
	*dirp = NULL;
	return dir->ops->reopen(dir, dirp);
}
/* NULL is accepted. Files that were opened in it stay open. */
static inline void
env_dir_close(struct env_dir *dir)
{
	if (dir != NULL)
		dir->ops->close(dir);
}
/*
 * Change the lock that this handle has on the directory itself; closing it
 * and the death of the process release it. It needs no file that could be
 * removed. -EBUSY, and the handle has none, when another handle's lock is in
 * its way, one of this process too; it does not wait.
 */
static inline int
env_dir_lock(struct env_dir *dir, enum env_lock_mode mode)
{
	return dir->ops->lock(dir, mode);
}
/* Who has it locked, for messages: "process 12 (kvfsctl check /srv/kv)", or
 * as much of it as fits; "" when it cannot be told. */
static inline void
env_dir_lockers(struct env_dir *dir, char *text, size_t len)
{
	dir->ops->lockers(dir, text, len);
}
/* Make creations, renames and unlinks in it durable. */
static inline int
env_dir_sync(struct env_dir *dir)
{
	return dir->ops->sync(dir);
}
/* fn for every name but "." and ".."; a value <0 from it ends the call and
 * is returned. fn must not change the directory. */
static inline int
env_dir_list(struct env_dir *dir, int (*fn)(void *arg, const char *name),
    void *arg)
{
	return dir->ops->list(dir, fn, arg);
}
/* Of the file system that holds it. */
static inline int
env_dir_space(struct env_dir *dir, struct env_space *spacep)
{
	return dir->ops->space(dir, spacep);
}
/* Have what was unlinked count as free: some file systems (btrfs) see to it
 * only when a transaction ends, up to half a minute later. */
static inline void
env_dir_settle(struct env_dir *dir)
{
	if (dir->ops->settle != NULL)
		dir->ops->settle(dir);
}
/* Whether the promise of env_allocate() holds there; else writing within it
 * may meet -ENOSPC all the same. */
static inline bool
env_dir_keeps_blocks(struct env_dir *dir)
{
	return dir->ops->keeps_blocks == NULL || dir->ops->keeps_blocks(dir);
}

/* ---- Names in a directory ---- */

/* Open a file; the caller closes it with env_close(). */
static inline int
env_open(struct env_dir *dir, const char *name, unsigned flags,
    struct env_file **filep)
{
	*filep = NULL;
	return dir->ops->open(dir, name, flags, filep);
}
/* Replaces an existing file of that name. Durable after env_dir_sync(). */
static inline int
env_rename(struct env_dir *dir, const char *from, const char *to)
{
	return dir->ops->rename(dir, from, to);
}
static inline int
env_unlink(struct env_dir *dir, const char *name)
{
	return dir->ops->unlink(dir, name);
}
/* 1 when that is a name of the open file, 0 when it is another's or none. */
static inline int
env_names(struct env_dir *dir, const char *name, struct env_file *file)
{
	return dir->ops->names(dir, name, file);
}

#endif
