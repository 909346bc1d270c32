/* SPDX-License-Identifier: ISC */
/*
 * The control directory of a mounted store, MOUNT/.kvfs, as kvfsctl uses
 * it. files has the mount's root. Results are negative errno.
 */
#ifndef KVFS_TOOLS_MOUNT_CONTROL_H
#define KVFS_TOOLS_MOUNT_CONTROL_H

#include <limits.h>
#include <stdio.h>

struct beneath;

#define CONTROL_DIR ".kvfs"

/* What target_control() takes. */
int mount_control_run(struct beneath *files, const char *command, FILE *out);

/* Where the store's files lie. -ENOENT: they cannot be seen from here. */
int mount_control_store_dir(struct beneath *files, char dir[PATH_MAX]);

#endif
