/* SPDX-License-Identifier: ISC */
/*
 * An open directory of an env (engine/env/env.h) and the names in it, as a
 * table of functions.
 * Threading: any thread.
 */
#ifndef KVFS_ENGINE_ENV_ENV_DIR_H
#define KVFS_ENGINE_ENV_ENV_DIR_H

#include "engine/env/env_file.h"

struct env_dir;

enum env_open_flags {
	ENV_READ = 1 << 0,
	ENV_WRITE = 1 << 1, /* includes reading */
	ENV_CREATE = 1 << 2, /* -EEXIST if the file exists */
};

struct env_space {
	uint64_t total_bytes, free_bytes; /* free_bytes: for an ordinary user */
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
	bool (*keeps_blocks)(struct env_dir *dir); /* NULL: true */

	int (*open)(struct env_dir *dir, const char *name, unsigned flags,
	    struct env_file **filep);
	int (*rename)(struct env_dir *dir, const char *from, const char *to);
	int (*unlink)(struct env_dir *dir, const char *name);
	int (*names)(struct env_dir *dir, const char *name,
	    struct env_file *file);
};

/* An implementation embeds it as its first member. */
struct env_dir {
	const struct env_dir_ops *ops;
	char *path; /* path by which it was opened; for messages only */
};

/* Open another handle of the same directory, with its own lock. */
static inline int
env_dir_reopen(struct env_dir *dir, struct env_dir **dirp)
{
	*dirp = NULL;
	return dir->ops->reopen(dir, dirp);
}
/* Accepts NULL. Files that were opened in it stay open. */
static inline void
env_dir_close(struct env_dir *dir)
{
	if (dir != NULL)
		dir->ops->close(dir);
}
/*
 * Change this handle's lock on the directory itself. Closing the handle, or the
 * end of the process, releases it. The lock needs no file, which could be
 * removed. -EBUSY if another handle has a conflicting lock, also one of this
 * process; then this handle has no lock. Does not wait.
 */
static inline int
env_dir_lock(struct env_dir *dir, enum env_lock_mode mode)
{
	return dir->ops->lock(dir, mode);
}
/* Describe who has it locked, for messages: "process 12 (kvfsctl check
 * /srv/kv)", cut to len. "" if it is unknown. */
static inline void
env_dir_lockers(struct env_dir *dir, char *text, size_t len)
{
	dir->ops->lockers(dir, text, len);
}
/* Make the directory's new names, renames and unlinks durable. */
static inline int
env_dir_sync(struct env_dir *dir)
{
	return dir->ops->sync(dir);
}
/* Call fn for every name except "." and "..". A negative return of fn ends the
 * walk and is returned. fn must not change the directory. */
static inline int
env_dir_list(struct env_dir *dir, int (*fn)(void *arg, const char *name),
    void *arg)
{
	return dir->ops->list(dir, fn, arg);
}
/* Space of the file system with the directory. */
static inline int
env_dir_space(struct env_dir *dir, struct env_space *spacep)
{
	return dir->ops->space(dir, spacep);
}
/* Wait until unlinked files count as free space. Some file systems (btrfs) free
 * them only at the end of a transaction, up to half a minute later. */
static inline void
env_dir_settle(struct env_dir *dir)
{
	if (dir->ops->settle != NULL)
		dir->ops->settle(dir);
}
/* Whether env_allocate() guarantees space on this file system. If not, writing
 * to allocated bytes may still fail with -ENOSPC. */
static inline bool
env_dir_keeps_blocks(struct env_dir *dir)
{
	return dir->ops->keeps_blocks == NULL || dir->ops->keeps_blocks(dir);
}

/* ---- Names in a directory ---- */

/* Open a file. The caller closes it with env_close(). */
static inline int
env_open(struct env_dir *dir, const char *name, unsigned flags,
    struct env_file **filep)
{
	*filep = NULL;
	return dir->ops->open(dir, name, flags, filep);
}
/* Rename a file; replaces an existing one. Durable after env_dir_sync(). */
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
/* Returns 1 if name is a name of the open file, 0 if it is another file's, or
 * does not exist. */
static inline int
env_names(struct env_dir *dir, const char *name, struct env_file *file)
{
	return dir->ops->names(dir, name, file);
}

#endif
