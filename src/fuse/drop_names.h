/* SPDX-License-Identifier: ISC */
/*
 * Having the kernel drop names that nobody uses, so that it forgets their
 * inodes. A name in use must stay as it is: taken away, a working directory
 * would lose its path, and what is mounted below would be unmounted.
 *
 * DROP_UNUSED: Linux 6.18 (FUSE 7.45) is told inode numbers, and drops what
 * nobody uses. DROP_EXPIRED: since Linux 6.2 (7.38) a name's time can be
 * declared over, whereupon it goes if nobody uses it, and is looked up
 * again at its next use if somebody does. DROP_FILES: before that the
 * kernel knows only how to take a name away, used or not. Directories are
 * left alone then, and names of files on which something is mounted.
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
	size_t count; /* of inodes, DROP_UNUSED */
	uint64_t inodes[DROP_MANY];
	char *mounts; /* owned: /proc/self/mountinfo, DROP_FILES */
};

/* minor: of the protocol that the kernel speaks. The kernel is asked what
 * it can do. */
void drop_names_init(struct drop_names *d, int fd, uint32_t minor);
/* One that is not in use as far as we know; maybe later, with others. */
void drop_names_add(struct drop_names *d, const struct fs_cold *cold);
/* The last ones of a round. */
void drop_names_end(struct drop_names *d);

#endif
