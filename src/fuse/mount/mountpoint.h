/* SPDX-License-Identifier: ISC */
/*
 * The directory that kvfs is mounted on: checked before the mount, looked at
 * from outside. Logs what is wrong with it.
 */
#ifndef KVFS_FUSE_MOUNT_MOUNTPOINT_H
#define KVFS_FUSE_MOUNT_MOUNTPOINT_H

#include <stdbool.h>
#include <sys/types.h>

/* What else a mount of ours is told by. */
struct mountpoint_hints {
	const char *subtype; /* the type of the mount to be made; empty: kvfs */
	const char *store; /* whose last daemon may have left it; or NULL */
};

/*
 * The real path of the mountpoint, returned owned. A dead mount that a
 * killed kvfs left there is cleared. Refuses what is missing, no directory
 * or has a kvfs on it already. *claimp is to be given to claim_drop() when
 * the mount answers, and in case of an error.
 */
int mountpoint_prepare(const char *given, const struct mountpoint_hints *hints,
    char **pathp, int *claimp);

/* May this process mount at all: /dev/fuse, fusermount3. */
int mountpoint_check_rights(void);

/*
 * True when a kvfs answers at path; its device number in *devp. Used after
 * mounting, from outside of the daemon or while its workers run. Other mounts
 * hold it up for a bounded time.
 */
bool mountpoint_answers(const char *path, dev_t *devp);

#endif
