/* SPDX-License-Identifier: ISC */
/*
 * The store that a command works on, whether it is mounted or not: the
 * engine and file system opened in this process, or ordinary file calls
 * through the mount. Commands see one set of functions.
 *
 * A key is a path inside the mount, "users/42"; "" is the root directory.
 * Symbolic links in it are not followed (-ELOOP), so that a key never
 * leads out of the store. Functions return negative errno and report
 * nothing. One thread.
 */
#ifndef KVFS_TOOLS_TARGET_H
#define KVFS_TOOLS_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

enum target_use {
	TARGET_READ, /* opens an unmounted store without changing it */
	TARGET_WRITE,
};

/* A file held open. Closed by target_close_file(). */
struct target_file {
	int fd;
	uint64_t ino;
};

/* No key is as long. Longer than PATH_MAX, for trees that were made step by
 * step; the time to walk over one grows with the square of its depth. */
#define KEY_MAX (32 << 10)

struct target_entry {
	const char *name; /* without "/"; valid for the call */
	mode_t type; /* the S_IFMT bits */
};
/* A value <0 ends the listing and is returned. */
typedef int (*target_entry_fn)(void *arg, const struct target_entry *e);

struct target;

struct target_ops {
	int (*stat)(struct target *t, const char *key, struct stat *stp);
	int (*list)(struct target *t, const char *key, target_entry_fn fn,
	    void *arg);
	int (*readlink)(struct target *t, const char *key, char *buf,
	    size_t len);
	int (*open)(struct target *t, const char *key, bool create, mode_t mode,
	    struct target_file *f);
	ssize_t (*read)(struct target *t, struct target_file *f, void *buf,
	    size_t len, uint64_t off);
	ssize_t (*write)(struct target *t, struct target_file *f,
	    const void *buf, size_t len, uint64_t off);
	int (*copy_attributes)(struct target *t, struct target_file *f,
	    const char *key, const struct stat *like);
	int (*close_file)(struct target *t, struct target_file *f);
	int (*mkdir)(struct target *t, const char *key);
	int (*remove)(struct target *t, const char *key, bool directory);
	int (*rename)(struct target *t, const char *from, const char *to);
	int (*control)(struct target *t, const char *command, FILE *out);
	int (*backup_begin)(struct target *t);
	ssize_t (*backup_read)(struct target *t, void *buf, size_t len,
	    uint64_t off);
	void (*backup_end)(struct target *t);
	int (*store_dir)(struct target *t, char dir[PATH_MAX]);
	int (*close)(struct target *t);
};

/* The two kinds embed it as their first member. */
struct target {
	const struct target_ops *ops;
	bool is_mounted;
};

/*
 * Open what name says: a mountpoint of kvfs, or the directory of a store,
 * mounted or not. Reports failures itself; the caller closes the target.
 */
int target_open(const char *name, enum target_use use, struct target **tp);
/* The two kinds (target_direct.c, target_mount.c). */
int target_open_direct(const char *store, enum target_use use,
    struct target **tp);
int target_open_mount(const char *mountpoint, struct target **tp);

/* NULL is accepted. On a store that was not mounted the first error of
 * making everything durable. */
static inline int
target_close(struct target *t)
{
	return t != NULL ? t->ops->close(t) : 0;
}

/* As lstat(2). */
static inline int
target_stat(struct target *t, const char *key, struct stat *stp)
{
	return t->ops->stat(t, key, stp);
}
/* Every name in a directory but "." and "..", in no order. fn may change
 * the store only after the listing. */
static inline int
target_list(struct target *t, const char *key, target_entry_fn fn, void *arg)
{
	return t->ops->list(t, key, fn, arg);
}
/* The target of a symbolic link, terminated. */
static inline int
target_readlink(struct target *t, const char *key, char *buf, size_t len)
{
	return t->ops->readlink(t, key, buf, len);
}
/* Open a regular file for reading, or create it: -EEXIST. */
static inline int
target_open_file(struct target *t, const char *key, struct target_file *f)
{
	return t->ops->open(t, key, false, 0, f);
}
static inline int
target_create_file(struct target *t, const char *key, mode_t mode,
    struct target_file *f)
{
	return t->ops->open(t, key, true, mode, f);
}
/* Bytes read; 0 at the end of the file. */
static inline ssize_t
target_read(struct target *t, struct target_file *f, void *buf, size_t len,
    uint64_t off)
{
	return t->ops->read(t, f, buf, len, off);
}
static inline ssize_t
target_write(struct target *t, struct target_file *f, const void *buf,
    size_t len, uint64_t off)
{
	return t->ops->write(t, f, buf, len, off);
}
/* Give a file that was created here the mode, the extended attributes and,
 * where that is allowed, the owner of key, of which like is the state. */
static inline int
target_copy_attributes(struct target *t, struct target_file *f, const char *key,
    const struct stat *like)
{
	return t->ops->copy_attributes(t, f, key, like);
}
/* Errors of writing may come only now. */
static inline int
target_close_file(struct target *t, struct target_file *f)
{
	return t->ops->close_file(t, f);
}
/* With the caller's umask. */
static inline int
target_mkdir(struct target *t, const char *key)
{
	return t->ops->mkdir(t, key);
}
static inline int
target_remove(struct target *t, const char *key, bool directory)
{
	return t->ops->remove(t, key, directory);
}
/* Replaces to in one step. */
static inline int
target_rename(struct target *t, const char *from, const char *to)
{
	return t->ops->rename(t, from, to);
}
/*
 * Maintenance, the answer on out: "stats", "check" (problems, one a line,
 * counted in the return value), "sync", "flush", "compact", and of a
 * mounted store "set NAME=VALUE" and "end backups" (-ENOTSUP: not mounted).
 */
static inline int
target_control(struct target *t, const char *command, FILE *out)
{
	return t->ops->control(t, command, out);
}

/*
 * The store as it is now, as a tar archive (kv_backup_open() of kv.h), one
 * at a time, and the last thing that is asked of t. -EBUSY: another one is
 * being begun; try again. Reading is -ECANCELED when the mount is ended.
 */
static inline int
target_backup_begin(struct target *t)
{
	return t->ops->backup_begin(t);
}
/* Less than len only at the end of the archive. */
static inline ssize_t
target_backup_read(struct target *t, void *buf, size_t len, uint64_t off)
{
	return t->ops->backup_read(t, buf, len, off);
}
static inline void
target_backup_end(struct target *t)
{
	t->ops->backup_end(t);
}
/* The directory where its files lie, if they can be seen there. */
static inline int
target_store_dir(struct target *t, char dir[PATH_MAX])
{
	return t->ops->store_dir(t, dir);
}

/*
 * The next component of a key: skips "/", returns its length (0 at the
 * end) and moves *pathp behind it; *namep is where it begins.
 */
size_t key_component(const char **pathp, const char **namep);
/* Whether a key names what a key can name: not "..", none too long. */
int key_check(const char *key);

#endif
