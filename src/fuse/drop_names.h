/* SPDX-License-Identifier: ISC */
/*
 * Asks the kernel to drop names that nobody uses, so that it forgets their
 * inodes. A name in use must stay: if it were dropped, a working directory
 * would lose its path, and what is mounted below it would be unmounted.
 *
 * DROP_UNUSED: Linux 6.18 (FUSE 7.45) takes inode numbers, and drops the
 * names of those that nobody uses. DROP_EXPIRED: since Linux 6.2 (7.38) a
 * name can be declared expired; the kernel drops it if nobody uses it, and
 * looks it up again at its next use otherwise. DROP_FILES: older kernels can
 * only drop a name whether it is used or not. Directories are left alone
 * then, and files on which something may be mounted.
 *
 * Threads: one at a time uses a struct drop_names. Hold no lock: the kernel
 * may wait for a request to be served.
 */
#ifndef KVFS_FUSE_DROP_NAMES_H
#define KVFS_FUSE_DROP_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "fs/fs.h"

enum drop_way { DROP_UNUSED, DROP_EXPIRED, DROP_FILES };

#define DROP_MANY 512u

struct drop_names {
	int fd; /* the connection; borrowed */
	enum drop_way way;
	size_t count; /* of inodes; DROP_UNUSED only */
	uint64_t inodes[DROP_MANY];
	char *mounts; /* owned: /proc/self/mountinfo; DROP_FILES only */
};

/* minor: the minor version of the protocol that the kernel speaks. Tries
 * whether the kernel takes DROP_UNUSED. */
void drop_names_init(struct drop_names *d, int fd, uint32_t minor);
/* Drop the name of an inode that seems unused; it may be sent later, with
 * others. */
void drop_names_add(struct drop_names *d, const struct fs_cold *cold);
/* Send those that were gathered. */
void drop_names_end(struct drop_names *d);

#endif
