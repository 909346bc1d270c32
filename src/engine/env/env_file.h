/* SPDX-License-Identifier: ISC */
/*
 * An open file of an env (engine/env/env.h), as a table of functions.
 * Threading: any thread; callers must not write the same bytes at the same
 * time.
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
	ENV_LOCK_SHARED, /* may be held by several handles */
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

/* An implementation embeds it as its first member. */
struct env_file {
	const struct env_file_ops *ops;
};

/* Accepts NULL. Does not sync. */
static inline void
env_close(struct env_file *file)
{
	if (file != NULL)
		file->ops->close(file);
}
/* Returns the bytes read; fewer than len only at the end of the file. */
static inline ssize_t
env_read(struct env_file *file, void *buf, size_t len, uint64_t off)
{
	return file->ops->read(file, buf, len, off);
}
/* Write all, or fail. After a failure any part may be written. */
static inline int
env_write(struct env_file *file, const struct iovec *iov, int iovcnt,
    uint64_t off)
{
	return file->ops->write(file, iov, iovcnt, off);
}
/* As fdatasync(2): what was written before the call is durable. */
static inline int
env_sync(struct env_file *file)
{
	return file->ops->sync(file);
}
/*
 * Grow the file to size and allocate its blocks, so that writing to them cannot
 * fail with -ENOSPC (see env_dir_keeps_blocks()). With zero, zeros are written
 * and synced, so that later syncs need not write to the journal
 * (facebook/rocksdb#746). Keeps the contents. With zero, a file that is large
 * enough is left as it is. After a failure the file has its old size.
 */
static inline int
env_allocate(struct env_file *file, uint64_t size, bool zero)
{
	return file->ops->allocate(file, size, zero);
}
/*
 * Let env_write() use a shared mapping for the first size bytes, which have to
 * be allocated: a write then needs no system call, and survives the end of the
 * process like a write(2). This is an optimisation: callers see no other
 * difference, errors included, and an env may ignore it. Call it before several
 * threads use the file; a second call has no effect.
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
/* Change this handle's lock on the file; as env_dir_lock(), but an exclusive
 * lock needs a file that is open for writing. */
static inline int
env_lock(struct env_file *file, enum env_lock_mode mode)
{
	return file->ops->lock(file, mode);
}
/* Start writing a range back, as sync_file_range(2) does. It only spreads the
 * work; nothing becomes durable by it. */
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
