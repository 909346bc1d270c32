/* SPDX-License-Identifier: ISC */
/*
 * The store that a command works on. If it is mounted, ordinary file calls go
 * through the mount; otherwise the engine and the file system run in this
 * process. Commands see one set of functions.
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
	TARGET_READ, /* an unmounted store is opened read-only */
	TARGET_WRITE,
};

/* An open file, for target_close_file(). */
struct target_file {
	int fd;
	uint64_t ino;
};

struct target_entry {
	const char *name; /* without "/"; valid for the call */
	mode_t type; /* the S_IFMT bits */
};
/* A negative result ends the listing and is returned. */
typedef int (*target_entry_fn)(void *arg, const struct target_entry *e);

struct target;

/*
 * Open name: a mountpoint of kvfs, or the directory of a store, mounted or not.
 * Reports failures itself. The caller calls target_close().
 */
int target_open(const char *name, enum target_use use, struct target **tp);
/* The same for a path that is known to be a mountpoint; reports nothing. */
int target_open_mount(const char *mountpoint, struct target **tp);
bool target_is_mounted(const struct target *t);

/* NULL is accepted. A store that was not mounted is made durable; returns the
 * first error of that. */
int target_close(struct target *t);

/* As lstat(2). */
int target_stat(struct target *t, const char *key, struct stat *stp);
/* Call fn for every name in a directory except "." and "..", in no order. fn
 * must not change the store. */
int target_list(struct target *t, const char *key, target_entry_fn fn,
    void *arg);
/* The target of a symbolic link, NUL-terminated. */
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
/* Give f, which was just created, the mode, the extended attributes and, where
 * that is allowed, the owner of key. like: the state of key. */
int target_copy_attributes(struct target *t, struct target_file *f,
    const char *key, const struct stat *like);
/* Errors of writes may be returned only here. */
int target_close_file(struct target *t, struct target_file *f);
/* The mode is 0777 without the caller's umask. */
int target_mkdir(struct target *t, const char *key);
int target_remove(struct target *t, const char *key, bool directory);
/* Replaces to atomically. */
int target_rename(struct target *t, const char *from, const char *to);
/*
 * Run a maintenance command, and print its answer to out: "stats", "check" (a
 * line for each problem; returns their number), "sync", "flush", "compact", and
 * for a mounted store "set NAME=VALUE" and "end backups" (-ENOTSUP: not
 * mounted).
 */
int target_control(struct target *t, const char *command, FILE *out);

/*
 * Begin a backup: the store as it is now, as a tar archive (kv_backup_open() of
 * kv.h). After that only the backup may be used, until target_close(). -EBUSY:
 * another one is beginning; try again. Reads fail with -ECANCELED when backups
 * are ended.
 */
int target_backup_begin(struct target *t);
/* Returns less than len only at the end of the archive. */
ssize_t target_backup_read(struct target *t, void *buf, size_t len,
    uint64_t off);
void target_backup_end(struct target *t);
/* The directory of the store's files. -ENOENT: it cannot be reached from this
 * process. */
int target_store_dir(struct target *t, char dir[PATH_MAX]);

/*
 * Open a lane (lane/lane.h); reads: what is read must be what the kernel has
 * too. *fdp: a socket, which the caller closes before target_close(). -ENOTSUP:
 * the daemon has none; -EHOSTUNREACH: it cannot be reached from this process.
 */
int target_lane(struct target *t, bool reads, int *fdp);

#endif
