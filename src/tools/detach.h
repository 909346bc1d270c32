/* SPDX-License-Identifier: ISC */
/* Taking a mount off the tree: that mount, and nothing on it or under it. */
#ifndef KVFS_TOOLS_DETACH_H
#define KVFS_TOOLS_DETACH_H

#include <stdbool.h>

#include "tools/mounts.h"

/*
 * Both return 0, or 1 after a line that says why not. lazy: also when it is
 * in use, and then open files go on. Refused when something is mounted on
 * it.
 */
int detach_mount(const struct mount *m, bool lazy);
/* The same for a mount whose daemon does not answer: calls that wait for it
 * fail from then on. Does not wait for the daemon. */
int detach_hung(const struct mount *m);

#endif
