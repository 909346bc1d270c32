/* SPDX-License-Identifier: ISC */
/*
 * Every file operation of the engine, as a table of functions, so that
 * tests can stand behind it: the real one (env_posix.c), one in memory
 * that forgets what was not synced (tests/support/env_mem.c), one that
 * fails on demand (tests/support/env_fault.c). After LevelDB's Env and
 * SQLite's VFS.
 *
 * A path is only ever used to open or make a directory. Files are reached
 * from the open directory by their names in it, so that they are found
 * wherever it is moved to, and whatever takes its place or lies over it.
 *
 * Errors are negative errno. Callers log; an env never does. Directories
 * and files may be used by several threads at once; concurrent writes to
 * the same bytes are the caller's error.
 */
#ifndef KVFS_ENGINE_ENV_ENV_H
#define KVFS_ENGINE_ENV_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct env;
struct env_dir;
struct env_file;

enum env_open_flags {
	ENV_READ = 1 << 0,
	ENV_WRITE = 1 << 1, /* implies read */
	ENV_CREATE = 1 << 2, /* must not exist: -EEXIST */
};

enum env_advice {
	ENV_ADVICE_SEQUENTIAL,
	ENV_ADVICE_RANDOM,
	ENV_ADVICE_DONTNEED,
	ENV_ADVICE_WILLNEED,
};

enum env_lock_mode {
	ENV_LOCK_NONE,
	ENV_LOCK_SHARED, /* beside others of its kind */
	ENV_LOCK_EXCLUSIVE,
};

struct env_space {
	uint64_t total_bytes, free_bytes; /* free: for a normal user */
};

struct env_ops {
	int (*dir_open)(struct env *env, const char *path,
	    struct env_dir **dirp);
	int (*dir_make)(struct env *env, const char *path,
	    struct env_dir **dirp);

	int (*dir_reopen)(struct env_dir *dir, struct env_dir **dirp);
	void (*dir_close)(struct env_dir *dir);
	int (*dir_lock)(struct env_dir *dir, enum env_lock_mode mode);
	void (*dir_lockers)(struct env_dir *dir, char *text, size_t len);
	int (*dir_sync)(struct env_dir *dir);
	int (*dir_list)(struct env_dir *dir,
	    int (*fn)(void *arg, const char *name), void *arg);
	int (*dir_space)(struct env_dir *dir, struct env_space *spacep);
	void (*dir_settle)(struct env_dir *dir); /* may be NULL */
	bool (*dir_keeps_blocks)(struct env_dir *dir); /* NULL: it does */

	int (*open)(struct env_dir *dir, const char *name, unsigned flags,
	    struct env_file **filep);
	int (*rename)(struct env_dir *dir, const char *from, const char *to);
	int (*unlink)(struct env_dir *dir, const char *name);
	int (*names)(struct env_dir *dir, const char *name,
	    struct env_file *file);

	void (*file_close)(struct env_file *file);
	ssize_t (*file_read)(struct env_file *file, void *buf, size_t len,
	    uint64_t off);
	int (*file_write)(struct env_file *file, const struct iovec *iov,
	    int iovcnt, uint64_t off);
	int (*file_sync)(struct env_file *file);
	int (*file_allocate)(struct env_file *file, uint64_t size, bool zero);
	int (*file_map)(struct env_file *file, uint64_t size);
	int (*file_truncate)(struct env_file *file, uint64_t size);
	int (*file_size)(struct env_file *file, uint64_t *sizep);
	int (*file_lock)(struct env_file *file, enum env_lock_mode mode);
	void (*file_writeback)(struct env_file *f, uint64_t off, uint64_t len);
	void (*file_advise)(struct env_file *file, uint64_t off, uint64_t len,
	    enum env_advice advice);
};

/* Implementations embed these as their first member. */
struct env {
	const struct env_ops *ops;
};
struct env_dir {
	const struct env_ops *ops;
	char *path; /* by which it was opened; for messages only */
};
struct env_file {
	const struct env_ops *ops;
};

/* The real file system; never freed. */
struct env *env_posix(void);

/* ---- Directories ---- */

/* The caller closes it with env_dir_close(). */
static inline int
env_dir_open(struct env *env, const char *path, struct env_dir **dirp)
{
	*dirp = NULL;
	return env->ops->dir_open(env, path, dirp);
}
/* Make a directory of mode 0700 in one that is there, durably, and open it;
 * -EEXIST. */
static inline int
env_dir_make(struct env *env, const char *path, struct env_dir **dirp)
{
	*dirp = NULL;
	return env->ops->dir_make(env, path, dirp);
}
/* Another handle of the same directory, with a lock of its own. */
static inline int
env_dir_reopen(struct env_dir *dir, struct env_dir **dirp)
{
	*dirp = NULL;
	return dir->ops->dir_reopen(dir, dirp);
}
/* NULL is accepted. Files that were opened in it stay open. */
static inline void
env_dir_close(struct env_dir *dir)
{
	if (dir != NULL)
		dir->ops->dir_close(dir);
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
	return dir->ops->dir_lock(dir, mode);
}
/* Who has it locked, for messages: "process 12 (kvfsctl check /srv/kv)", or
 * as much of it as fits; "" when it cannot be told. */
static inline void
env_dir_lockers(struct env_dir *dir, char *text, size_t len)
{
	dir->ops->dir_lockers(dir, text, len);
}
/* Make creations, renames and unlinks in it durable. */
static inline int
env_dir_sync(struct env_dir *dir)
{
	return dir->ops->dir_sync(dir);
}
/* fn for every name but "." and ".."; a value <0 from it ends the call and
 * is returned. fn must not change the directory. */
static inline int
env_dir_list(struct env_dir *dir, int (*fn)(void *arg, const char *name),
    void *arg)
{
	return dir->ops->dir_list(dir, fn, arg);
}
/* Of the file system that holds it. */
static inline int
env_dir_space(struct env_dir *dir, struct env_space *spacep)
{
	return dir->ops->dir_space(dir, spacep);
}
/* Have what was unlinked count as free: some file systems (btrfs) see to it
 * only when a transaction ends, up to half a minute later. */
static inline void
env_dir_settle(struct env_dir *dir)
{
	if (dir->ops->dir_settle != NULL)
		dir->ops->dir_settle(dir);
}
/* Whether the promise of env_allocate() holds there; else writing within it
 * may meet -ENOSPC all the same. */
static inline bool
env_dir_keeps_blocks(struct env_dir *dir)
{
	return dir->ops->dir_keeps_blocks == NULL ||
	    dir->ops->dir_keeps_blocks(dir);
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

/* ---- Open files ---- */

/* NULL is accepted. Does not sync. */
static inline void
env_close(struct env_file *file)
{
	if (file != NULL)
		file->ops->file_close(file);
}
/* Bytes read; less than len only at the end of the file. */
static inline ssize_t
env_read(struct env_file *file, void *buf, size_t len, uint64_t off)
{
	return file->ops->file_read(file, buf, len, off);
}
/* Writes everything or fails; after a failure any part may be written. */
static inline int
env_write(struct env_file *file, const struct iovec *iov, int iovcnt,
    uint64_t off)
{
	return file->ops->file_write(file, iov, iovcnt, off);
}
/* fdatasync(2): all that was written before the call is durable. */
static inline int
env_sync(struct env_file *file)
{
	return file->ops->file_sync(file);
}
/* Grow the file to size with blocks behind all of it, so that writing
 * within it cannot meet -ENOSPC; with zero, by writing zeros and syncing
 * them, so that a sync need not journal (facebook/rocksdb#746). Keeps what
 * is there; a file that is as large already is left alone with zero. After
 * a failure the file has its old size. */
static inline int
env_allocate(struct env_file *file, uint64_t size, bool zero)
{
	return file->ops->file_allocate(file, size, zero);
}
/*
 * From now on env_write() within the first size bytes, which must have
 * been allocated, may go through a shared mapping: no system call, and as
 * safe from the death of the process as write(2). An optimisation: callers
 * see no other difference, errors included; an env may ignore it. Call it
 * before the file is shared between threads; a second call is harmless.
 */
static inline int
env_map(struct env_file *file, uint64_t size)
{
	return file->ops->file_map(file, size);
}
static inline int
env_truncate(struct env_file *file, uint64_t size)
{
	return file->ops->file_truncate(file, size);
}
static inline int
env_size(struct env_file *file, uint64_t *sizep)
{
	return file->ops->file_size(file, sizep);
}
/* Change the lock that this handle has on the file: as env_dir_lock(), but
 * an exclusive one needs a file that is open for writing. */
static inline int
env_lock(struct env_file *file, enum env_lock_mode mode)
{
	return file->ops->file_lock(file, mode);
}
/* Start writing a range back, as sync_file_range(2): paces, promises
 * nothing. */
static inline void
env_writeback(struct env_file *file, uint64_t off, uint64_t len)
{
	file->ops->file_writeback(file, off, len);
}
/* len 0: to the end of the file. */
static inline void
env_advise(struct env_file *file, uint64_t off, uint64_t len,
    enum env_advice advice)
{
	file->ops->file_advise(file, off, len, advice);
}

#endif
