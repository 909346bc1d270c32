/* SPDX-License-Identifier: ISC */
/*
 * Every file operation of the engine, as a table of functions, so that
 * tests can stand behind it: the real one (env_posix.c), one in memory
 * that forgets what was not synced (tests/support/env_mem.c), one that
 * fails on demand (tests/support/env_fault.c). After LevelDB's Env and
 * SQLite's VFS.
 *
 * Paths are what open(2) takes. Errors are negative errno. Callers log;
 * an env never does. Files may be used by several threads at once;
 * concurrent writes to the same bytes are the caller's error.
 */
#ifndef KVFS_ENGINE_ENV_H
#define KVFS_ENGINE_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct env;
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

struct env_space {
	uint64_t total_bytes, free_bytes; /* free: for a normal user */
};

struct env_ops {
	int (*open)(struct env *env, const char *path, unsigned flags,
	    struct env_file **filep);
	int (*rename)(struct env *env, const char *from, const char *to);
	int (*unlink)(struct env *env, const char *path);
	int (*link)(struct env *env, const char *from, const char *to);
	int (*mkdir)(struct env *env, const char *path);
	int (*sync_dir)(struct env *env, const char *path);
	int (*list)(struct env *env, const char *path,
	    int (*fn)(void *arg, const char *name), void *arg);
	int (*space)(struct env *env, const char *path,
	    struct env_space *spacep);
	int (*lock)(struct env *env, const char *path, const char *text,
	    struct env_file **lockp);

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
	void (*file_writeback)(struct env_file *f, uint64_t off, uint64_t len);
	void (*file_advise)(struct env_file *file, uint64_t off, uint64_t len,
	    enum env_advice advice);
};

/* Implementations embed these as their first member. */
struct env {
	const struct env_ops *ops;
};
struct env_file {
	const struct env_ops *ops;
};

/* The real file system; never freed. */
struct env *env_posix(void);

/* Open a file; the caller closes it with env_close(). */
static inline int
env_open(struct env *env, const char *path, unsigned flags,
    struct env_file **filep)
{
	*filep = NULL;
	return env->ops->open(env, path, flags, filep);
}
/* Replaces an existing file of that name. Durable after env_sync_dir(). */
static inline int
env_rename(struct env *env, const char *from, const char *to)
{
	return env->ops->rename(env, from, to);
}
static inline int
env_unlink(struct env *env, const char *path)
{
	return env->ops->unlink(env, path);
}
static inline int
env_link(struct env *env, const char *from, const char *to)
{
	return env->ops->link(env, from, to);
}
/* One level, mode 0700; -EEXIST. */
static inline int
env_mkdir(struct env *env, const char *path)
{
	return env->ops->mkdir(env, path);
}
/* Make creations, renames and unlinks in a directory durable. */
static inline int
env_sync_dir(struct env *env, const char *path)
{
	return env->ops->sync_dir(env, path);
}
/* fn for every name but "." and ".."; a value <0 from it ends the call and
 * is returned. fn must not change the directory. */
static inline int
env_list(struct env *env, const char *path,
    int (*fn)(void *arg, const char *name), void *arg)
{
	return env->ops->list(env, path, fn, arg);
}
static inline int
env_space(struct env *env, const char *path, struct env_space *spacep)
{
	return env->ops->space(env, path, spacep);
}
/* Take the exclusive lock on path (made when missing), released by
 * env_close() and by the death of the process, and store text in it (NULL:
 * leave what is there; on a full disk the lock is taken with no text).
 * -EBUSY when another open holds it, in this process too. */
static inline int
env_lock(struct env *env, const char *path, const char *text,
    struct env_file **lockp)
{
	*lockp = NULL;
	return env->ops->lock(env, path, text, lockp);
}

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
