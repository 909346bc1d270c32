/* SPDX-License-Identifier: ISC */
/* What the machine gives this process. */
#ifndef KVFS_UTIL_MACHINE_H
#define KVFS_UTIL_MACHINE_H

#include <stdint.h>

/* Where Linux tells of control groups. */
#define MACHINE_CGROUP_LIST "/proc/self/cgroup"
#define MACHINE_CGROUP_ROOT "/sys/fs/cgroup"

/*
 * Bytes of memory for the process: the machine's, or what the tightest of its
 * control groups allows if that is less (cgroups(7), both versions). 0: not
 * known. list and root: the two above, but for tests. Any thread.
 */
uint64_t machine_memory(const char *list, const char *root);

#endif
