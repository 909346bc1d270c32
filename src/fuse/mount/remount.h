/* SPDX-License-Identifier: ISC */
/*
 * "mount -o remount,..." of a kvfs: mount(8) runs kvfs again with the new
 * options and those that are in force.
 */
#ifndef KVFS_FUSE_MOUNT_REMOUNT_H
#define KVFS_FUSE_MOUNT_REMOUNT_H

/*
 * Change options of the running daemon, and flags of the kernel, for the kvfs
 * mounted at path. list: as after -o. A negative errno, logged; -EINVAL:
 * wrong usage, or an option that cannot change.
 */
int remount_apply(const char *path, const char *list);

#endif
