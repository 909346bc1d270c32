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
 * or has a kvfs on it already: one that says so, or whose type is ours or
 * that of subtype, if it is not NULL.
 */
int mountpoint_prepare(const char *given, const char *subtype, char **pathp);

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

/* One mount, whatever is mounted over it or moved meanwhile. */
struct mountpoint_id {
	int mount; /* as in mountinfo; -1: none */
	dev_t dev;
};

/* The mount that has just been made at path. */
int mountpoint_identify(const char *path, struct mountpoint_id *idp);
/*
 * Unmount that mount alone. -ENOENT: it has gone. -ENOTEMPTY: something is
 * mounted on it, which a line in the log says: nothing is done.
 */
int mountpoint_unmount_own(const struct mountpoint_id *id, bool lazy);

/* Is that mount there, and nothing mounted on it. True where it cannot be
 * told. */
bool mountpoint_is_bare(const struct mountpoint_id *id);

#endif
