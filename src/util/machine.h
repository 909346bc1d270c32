/* SPDX-License-Identifier: ISC */
/* The memory that the machine has for this process. */
#ifndef KVFS_UTIL_MACHINE_H
#define KVFS_UTIL_MACHINE_H

#include <stdint.h>

/* The files in which Linux describes control groups. */
#define MACHINE_CGROUP_LIST "/proc/self/cgroup"
#define MACHINE_CGROUP_ROOT "/sys/fs/cgroup"

/*
 * Bytes of memory for the process: that of the machine, or the smallest limit of
 * its control groups (cgroups(7), both versions) if that is less. 0: not known.
 * list and root: the two paths above; tests pass others. Any thread.
 */
uint64_t machine_memory(const char *list, const char *root);

#endif
