/* SPDX-License-Identifier: ISC */
/*
 * Makes the FUSE connection and the mount, and takes them down. One thread,
 * before the first request is served and after the last one.
 */
#ifndef KVFS_FUSE_MOUNT_MOUNT_FUSE_H
#define KVFS_FUSE_MOUNT_MOUNT_FUSE_H

#include <stdbool.h>

#include "fuse/mount/own_mount.h"
#include "fuse/options/options.h"

struct fuse_lowlevel_ops;
struct fuse_session;

struct fuse_mount {
	/* Set by the caller. */
	const char *store; /* absolute paths, borrowed */
	const char *mountpoint;
	int watcher_fd; /* of watcher_start(), or -1; owned */
	/* Set by fuse_mount_open(). */
	struct fuse_session *se;
	struct own_mount own; /* the mount to take off; id -1: not found */
	bool is_mounted;
};

/* Nothing is mounted yet; fuse_mount_close() accepts that. */
void fuse_mount_init(struct fuse_mount *m, const char *store,
    const char *mountpoint, int watcher_fd);

/*
 * Make m->se, which passes requests and userdata to ops, and mount it. On
 * failure a negative errno, and one line was logged; the caller calls
 * fuse_mount_close() all the same. ops and userdata are borrowed until then.
 */
int fuse_mount_open(struct fuse_mount *m, const struct options *opts,
    const struct fuse_lowlevel_ops *ops, void *userdata);
/* Take the mount off if it is still there, and free m->se. */
void fuse_mount_close(struct fuse_mount *m);
/* At the end of the daemon: the watcher (watcher.h) ends too. */
void fuse_mount_fini(struct fuse_mount *m);

#endif
