/* SPDX-License-Identifier: ISC */
/*
 * Memory that is free goes back to the system. The C library keeps what
 * threads have freed for as long as anything behind it is in use; after a
 * walk over a million files that is most of what the daemon holds.
 */
#ifndef KVFS_FUSE_MEMORY_H
#define KVFS_FUSE_MEMORY_H

#include <stddef.h>

/* Before the first thread: few arenas, since each keeps its own. */
void memory_init(void);
/* Cheap when there is little to give back; call it now and then. *floorp,
 * 0 at first, is what the caller's last call left. */
void memory_give_back(size_t *floorp);

#endif
