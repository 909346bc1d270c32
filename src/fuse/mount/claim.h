/* SPDX-License-Identifier: ISC */
/*
 * Of several starts on one mountpoint, one goes on: it has a lock on the
 * directory from the check until its mount answers.
 */
#ifndef KVFS_FUSE_MOUNT_CLAIM_H
#define KVFS_FUSE_MOUNT_CLAIM_H

/*
 * Lock the directory, after waiting for a while for others that have it.
 * Returns a descriptor, whose close(2) gives it back; -1 where directories
 * cannot be locked; -EBUSY, logged, when it is still taken.
 */
int claim_take(const char *path);
/* The same for the directory that it lies in: for clearing what is dead at
 * path, which cannot be locked itself. -1 after the same while. */
int claim_take_parent(const char *path);
/* Accepts -1. */
void claim_drop(int fd);

#endif
