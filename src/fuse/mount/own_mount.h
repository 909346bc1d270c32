/* SPDX-License-Identifier: ISC */
/*
 * One mount, identified by its numbers and not by its path, so that other
 * mounts over it, below it or later at the same path are left alone. When it
 * has gone the kernel gives id and device to the next mount, which may be that
 * of another daemon; so more is compared. Waits for other mounts for a bounded
 * time only. Logs only where it says so.
 */
#ifndef KVFS_FUSE_MOUNT_OWN_MOUNT_H
#define KVFS_FUSE_MOUNT_OWN_MOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mount_entry;

struct own_mount {
	int id; /* as in mountinfo; -1: none */
	dev_t dev;
	uint64_t source; /* a hash of what the mount table shows: the store, or
	                    what -o fsname= says */
	uint64_t unique; /* an id that no other mount gets until the next boot;
	                    0: not known, before Linux 6.8 */
};

/* Find the mount that has just been made at path. A negative errno. */
int own_mount_find(const char *path, struct own_mount *m);

/* Open its root with these flags; a descriptor. -ENOENT: it has gone; -EBUSY:
 * another mount covers it; -ETIMEDOUT: its path leads through a mount that
 * hangs. */
int own_mount_open(const struct own_mount *m, int flags);

/*
 * Unmount it; lazy: even when it is in use. -ENOENT: it has gone. -ENOTEMPTY,
 * logged: something is mounted on it, and nothing was done. -EBUSY,
 * -ETIMEDOUT and others: it stays. Runs fusermount3 when this process may not
 * unmount itself.
 */
int own_mount_end(const struct own_mount *m, bool lazy);

/* The same for a mount with nothing on it that the table shows. */
int own_mount_end_entry(const struct mount_entry *e, bool lazy);

#endif
