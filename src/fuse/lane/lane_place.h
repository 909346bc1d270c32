/* SPDX-License-Identifier: ISC */
/*
 * Where the daemon's socket lies: in a directory of its user's own, under a
 * name that no other socket has had, so that one that was left by a killed
 * daemon is never taken for this one. Logs what is wrong; a mount works without
 * a socket. One thread.
 */
#ifndef KVFS_FUSE_LANE_LANE_PLACE_H
#define KVFS_FUSE_LANE_LANE_PLACE_H

#include <limits.h>

/*
 * Make a listening socket, and its absolute path. The directory is /run/kvfs
 * for root, else kvfs in $XDG_RUNTIME_DIR or /run/user/UID, else /tmp/kvfs-UID;
 * not below mountpoint, and not on a FUSE file system, which the socket would
 * keep in use. Sockets there that nobody listens on are removed. A descriptor,
 * or a negative errno.
 */
int lane_place_listen(const char *mountpoint, char path[PATH_MAX]);

#endif
