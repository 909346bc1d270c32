/* SPDX-License-Identifier: ISC */
/*
 * -o auto_unmount: a process beside the daemon that takes the mount off when
 * the daemon has ended in whatever way: that mount alone, and not when
 * something else is mounted on it.
 */
#ifndef KVFS_FUSE_MOUNT_WATCHER_H
#define KVFS_FUSE_MOUNT_WATCHER_H

#include "fuse/mount/own_mount.h"

/*
 * Start it, while there is one thread. Returns the descriptor that ties it
 * to this process, or a negative errno, logged. It keeps no file of ours.
 */
int watcher_start(const char *mountpoint);
/* From here on it is about that mount. */
void watcher_set_mount(int fd, const struct own_mount *m);

#endif
