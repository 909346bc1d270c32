/* SPDX-License-Identifier: ISC */
/*
 * The control directory of a mounted store, MOUNT/.kvfs, as kvfsctl uses it.
 * files is of the mount's root. They return 0 or a negative errno.
 */
#ifndef KVFS_TOOLS_MOUNT_CONTROL_H
#define KVFS_TOOLS_MOUNT_CONTROL_H

#include <limits.h>
#include <stdio.h>

struct beneath;

#define CONTROL_DIR ".kvfs"

/* target_control() for a mounted store. */
int mount_control_run(struct beneath *files, const char *command, FILE *out);

/* The directory of the store's files. -ENOENT: it cannot be reached from this
 * process. */
int mount_control_store_dir(struct beneath *files, char dir[PATH_MAX]);

/* Connect to the daemon's socket; see target_lane(). */
int mount_control_lane(struct beneath *files, int *fdp);

#endif
