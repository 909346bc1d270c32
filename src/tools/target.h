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

#include "tools/key_path.h"

enum target_use {
	TARGET_READ, /* opens an unmounted store without changing it */
	TARGET_WRITE,
};

/* A file held open. Closed by target_close_file(). */
struct target_file {
	int fd;
	uint64_t ino;
};

struct target_entry {
	const char *name; /* without "/"; valid for the call */
	mode_t type; /* the S_IFMT bits */
};
/* A value <0 ends the listing and is returned. */
typedef int (*target_entry_fn)(void *arg, const struct target_entry *e);

struct target;

/*
 * Open what name says: a mountpoint of kvfs, or the directory of a store,
 * mounted or not. Reports failures itself; the caller closes the target.
 */
int target_open(const char *name, enum target_use use, struct target **tp);
/* The same for a mountpoint, which is known to be one; reports nothing. */
int target_open_mount(const char *mountpoint, struct target **tp);
bool target_is_mounted(const struct target *t);

/* NULL is accepted. On a store that was not mounted the first error of
 * making everything durable. */
int target_close(struct target *t);

/* As lstat(2). */
int target_stat(struct target *t, const char *key, struct stat *stp);
/* Every name in a directory but "." and "..", in no order. fn may change
 * the store only after the listing. */
int target_list(struct target *t, const char *key, target_entry_fn fn,
    void *arg);
/* The target of a symbolic link, terminated. */
int target_readlink(struct target *t, const char *key, char *buf, size_t len);
/* Open a regular file for reading, or create it: -EEXIST. */
int target_open_file(struct target *t, const char *key, struct target_file *f);
int target_create_file(struct target *t, const char *key, mode_t mode,
    struct target_file *f);
/* Bytes read; 0 at the end of the file. */
ssize_t target_read(struct target *t, struct target_file *f, void *buf,
    size_t len, uint64_t off);
ssize_t target_write(struct target *t, struct target_file *f, const void *buf,
    size_t len, uint64_t off);
/* Give a file that was created here the mode, the extended attributes and,
 * where that is allowed, the owner of key, of which like is the state. */
int target_copy_attributes(struct target *t, struct target_file *f,
    const char *key, const struct stat *like);
/* Errors of writing may come only now. */
int target_close_file(struct target *t, struct target_file *f);
/* With the caller's umask. */
int target_mkdir(struct target *t, const char *key);
int target_remove(struct target *t, const char *key, bool directory);
/* Replaces to in one step. */
int target_rename(struct target *t, const char *from, const char *to);
/*
 * Maintenance, the answer on out: "stats", "check" (problems, one a line,
 * counted in the return value), "sync", "flush", "compact", and of a
 * mounted store "set NAME=VALUE" and "end backups" (-ENOTSUP: not mounted).
 */
int target_control(struct target *t, const char *command, FILE *out);

/*
 * The store as it is now, as a tar archive (kv_backup_open() of kv.h), one
 * at a time, and the last thing that is asked of t. -EBUSY: another one is
 * being begun; try again. Reading is -ECANCELED when the mount is ended.
 */
int target_backup_begin(struct target *t);
/* Less than len only at the end of the archive. */
ssize_t target_backup_read(struct target *t, void *buf, size_t len,
    uint64_t off);
void target_backup_end(struct target *t);
/* The directory where its files lie, if they can be seen there. */
int target_store_dir(struct target *t, char dir[PATH_MAX]);

#endif
