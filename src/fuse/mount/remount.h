/* SPDX-License-Identifier: ISC */
/*
 * "mount -o remount,..." of a kvfs: mount(8) calls the program that made
 * the mount with all options, those that are in force too.
 */
#ifndef KVFS_FUSE_MOUNT_REMOUNT_H
#define KVFS_FUSE_MOUNT_REMOUNT_H

/*
 * Change what can change of the kvfs mounted at path: the running daemon's
 * options, and the kernel's flags. Logs what cannot. -EINVAL: misuse.
 */
int remount_apply(const char *path, const char *list);

#endif
