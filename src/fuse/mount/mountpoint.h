/* SPDX-License-Identifier: ISC */
/*
 * Checks of the directory that kvfs is mounted on, before the mount, and of
 * the mount, from outside. Logs what is wrong.
 */
#ifndef KVFS_FUSE_MOUNT_MOUNTPOINT_H
#define KVFS_FUSE_MOUNT_MOUNTPOINT_H

#include <stdbool.h>
#include <sys/types.h>

/* By what else a kvfs mount is recognized. */
struct mountpoint_hints {
	const char *subtype; /* the type given by -o subtype=; empty: kvfs */
	const char *store; /* a dead mount may be of this store; or NULL */
};

/*
 * *pathp: the real path of the mountpoint, returned owned. A dead mount that
 * a killed kvfs has left there is taken off. Refuses a path that is missing,
 * is no directory, or has a kvfs mounted already: a negative errno, logged.
 * The caller gives *claimp to claim_drop() when the mount answers, and after
 * an error.
 */
int mountpoint_prepare(const char *given, const struct mountpoint_hints *hints,
    char **pathp, int *claimp);

/* May this process mount: /dev/fuse, fusermount3? Else a negative errno,
 * logged. */
int mountpoint_check_rights(void);

/*
 * True when a kvfs answers at path; *devp: its device number. Call it from
 * another process than the daemon, or while the daemon's threads serve. Waits
 * for a bounded time if the path leads through a mount that hangs.
 */
bool mountpoint_answers(const char *path, dev_t *devp);

#endif
