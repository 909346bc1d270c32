/* SPDX-License-Identifier: ISC */
#ifndef KVFS_TOOLS_DIRECT_CONTROL_H
#define KVFS_TOOLS_DIRECT_CONTROL_H

#include <stdio.h>

struct fs;
struct kv;

/* target_control() for a store that this process has open. A negative errno,
 * or the number of problems of a check. */
int direct_control_run(struct kv *kv, struct fs *fs, const char *command,
    FILE *out);

#endif
