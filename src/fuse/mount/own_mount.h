/* SPDX-License-Identifier: ISC */
/*
 * One mount, told by its number and not by its path: whatever is mounted
 * over it, below it or at its place later is left alone. Nothing here waits
 * for other mounts for longer than a bound. Logs where it says so.
 */
#ifndef KVFS_FUSE_MOUNT_OWN_MOUNT_H
#define KVFS_FUSE_MOUNT_OWN_MOUNT_H

#include <stdbool.h>
#include <sys/types.h>

struct mount_entry;

struct own_mount {
	int id; /* as in mountinfo; -1: none */
	dev_t dev;
};

/* The mount that has just been made at path. */
int own_mount_find(const char *path, struct own_mount *m);

/* Its root, opened with these flags. -ENOENT: it has gone; -EBUSY: it is
 * covered; -ETIMEDOUT: its path leads through a mount that hangs. */
int own_mount_open(const struct own_mount *m, int flags);

/*
 * Unmount it, even when it is in use if lazy. -ENOENT: it has gone.
 * -ENOTEMPTY: something is mounted on it, which a line in the log says:
 * nothing is done. -EBUSY, -ETIMEDOUT and others: it stays. Runs fusermount3
 * when this process has not the right itself.
 */
int own_mount_end(const struct own_mount *m, bool lazy);

/* The same for a mount with nothing on it that the table shows. */
int own_mount_end_entry(const struct mount_entry *e, bool lazy);

#endif
