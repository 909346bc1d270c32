/* SPDX-License-Identifier: ISC */
/* Unmounts a given mount, and no other one that lies on it or under it. */
#ifndef KVFS_TOOLS_DETACH_H
#define KVFS_TOOLS_DETACH_H

#include <stdbool.h>

#include "tools/mounts.h"

/*
 * Both return 0, or 1 after a line that says why not. lazy: also when the
 * mount is in use; its open files can still be used then. Refused when
 * something is mounted on it.
 */
int detach_mount(const struct mount *m, bool lazy);
/* The same for a mount whose daemon does not answer. Calls that wait for the
 * daemon fail from then on. Does not wait for the daemon. */
int detach_hung(const struct mount *m);

#endif
