/* SPDX-License-Identifier: ISC */
/*
 * -o auto_unmount: a second process, which takes the mount off when the
 * daemon has ended, in whatever way. It takes off that mount alone, and only
 * if nothing is mounted on it.
 */
#ifndef KVFS_FUSE_MOUNT_WATCHER_H
#define KVFS_FUSE_MOUNT_WATCHER_H

#include "fuse/mount/own_mount.h"

/*
 * Start the process; call it while there is one thread. Returns a socket,
 * whose last close makes the watcher act, or a negative errno, logged. The
 * watcher keeps no other file of this process open.
 */
int watcher_start(const char *mountpoint);
/* Tell the watcher which mount to take off. */
void watcher_set_mount(int fd, const struct own_mount *m);

#endif
