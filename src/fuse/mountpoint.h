/* SPDX-License-Identifier: ISC */
/*
 * The directory that kvfs is mounted on: checked before the mount, taken
 * off again, looked at from outside. Logs what is wrong with it.
 */
#ifndef KVFS_FUSE_MOUNTPOINT_H
#define KVFS_FUSE_MOUNTPOINT_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The real path of the mountpoint, returned owned. A dead mount that a
 * killed kvfs left there is cleared. Refuses what is missing, no directory
 * or has a kvfs on it already.
 */
int mountpoint_prepare(const char *given, char **pathp);

/* May this process mount at all: /dev/fuse, fusermount3. */
int mountpoint_check_rights(void);

/*
 * True when a kvfs answers at path; its device number in *devp. Used after
 * mounting, from outside of the daemon or while its workers run.
 */
bool mountpoint_answers(const char *path, dev_t *devp);

/*
 * Unmount path: 0, -EBUSY, or another errno. Runs fusermount3 when this
 * process has not the right itself. lazy takes it off even when in use.
 */
int mountpoint_unmount(const char *path, bool lazy);

#endif
