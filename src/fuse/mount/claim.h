/* SPDX-License-Identifier: ISC */
/*
 * When several daemons start on one mountpoint at once, only one may go on.
 * Each takes a lock (flock(2)) on the directory, and holds it from the check
 * of the mountpoint until its mount answers.
 */
#ifndef KVFS_FUSE_MOUNT_CLAIM_H
#define KVFS_FUSE_MOUNT_CLAIM_H

/*
 * Lock the directory; wait for others that hold the lock, for some seconds at
 * most. Returns a descriptor for claim_drop(); -1 where directories cannot be
 * locked; -EBUSY, logged, when the lock is still held.
 */
int claim_take(const char *path);
/* The same for the parent directory: a dead mount at path cannot be locked
 * itself. -1 when the lock is still held after that time. */
int claim_take_parent(const char *path);
/* Release the lock. Accepts -1. */
void claim_drop(int fd);

#endif
