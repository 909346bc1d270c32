/* SPDX-License-Identifier: ISC */
/*
 * An open file of an env (engine/env/env.h), as a table of functions.
 * Any thread; concurrent writes to the same bytes are the caller's error.
 */
#ifndef KVFS_ENGINE_ENV_ENV_FILE_H
#define KVFS_ENGINE_ENV_ENV_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct env_file;

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

struct env_file_ops {
	void (*close)(struct env_file *file);
	ssize_t (
	    *read)(struct env_file *file, void *buf, size_t len, uint64_t off);
	int (*write)(struct env_file *file, const struct iovec *iov, int iovcnt,
	    uint64_t off);
	int (*sync)(struct env_file *file);
	int (*allocate)(struct env_file *file, uint64_t size, bool zero);
	int (*map)(struct env_file *file, uint64_t size);
	int (*truncate)(struct env_file *file, uint64_t size);
	int (*size)(struct env_file *file, uint64_t *sizep);
	int (*lock)(struct env_file *file, enum env_lock_mode mode);
	void (*writeback)(struct env_file *file, uint64_t off, uint64_t len);
	void (*advise)(struct env_file *file, uint64_t off, uint64_t len,
	    enum env_advice advice);
};

/* Implementations embed it as their first member. */
struct env_file {
	const struct env_file_ops *ops;
};

/* NULL is accepted. Does not sync. */
static inline void
env_close(struct env_file *file)
{
	if (file != NULL)
		file->ops->close(file);
}
/* Bytes read; less than len only at the end of the file. */
static inline ssize_t
env_read(struct env_file *file, void *buf, size_t len, uint64_t off)
{
	return file->ops->read(file, buf, len, off);
}
/* Writes everything or fails; after a failure any part may be written. */
static inline int
env_write(struct env_file *file, const struct iovec *iov, int iovcnt,
    uint64_t off)
{
	return file->ops->write(file, iov, iovcnt, off);
}
/* fdatasync(2): all that was written before the call is durable. */
static inline int
env_sync(struct env_file *file)
{
	return file->ops->sync(file);
}
/* Grow the file to size with blocks behind all of it, so that writing
 * within it cannot meet -ENOSPC; with zero, by writing zeros and syncing
 * them, so that a sync need not journal (facebook/rocksdb#746). Keeps what
 * is there; a file that is as large already is left alone with zero. After
 * a failure the file has its old size. */
static inline int
env_allocate(struct env_file *file, uint64_t size, bool zero)
{
	return file->ops->allocate(file, size, zero);
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
	return file->ops->map(file, size);
}
static inline int
env_truncate(struct env_file *file, uint64_t size)
{
	return file->ops->truncate(file, size);
}
static inline int
env_size(struct env_file *file, uint64_t *sizep)
{
	return file->ops->size(file, sizep);
}
/* Change the lock that this handle has on the file: as env_dir_lock(), but
 * an exclusive one needs a file that is open for writing. */
static inline int
env_lock(struct env_file *file, enum env_lock_mode mode)
{
	return file->ops->lock(file, mode);
}
/* Start writing a range back, as sync_file_range(2): paces, promises
 * nothing. */
static inline void
env_writeback(struct env_file *file, uint64_t off, uint64_t len)
{
	file->ops->writeback(file, off, len);
}
/* len 0: to the end of the file. */
static inline void
env_advise(struct env_file *file, uint64_t off, uint64_t len,
    enum env_advice advice)
{
	file->ops->advise(file, off, len, advice);
}

#endif
