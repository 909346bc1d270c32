/* SPDX-License-Identifier: ISC */
/*
 * The name of a live inode. A short name is in the struct itself; a longer one
 * is allocated, which is counted for the whole process.
 *
 * Threads: the owner's locks guard a struct iname.
 */
#ifndef KVFS_FS_INAME_H
#define KVFS_FS_INAME_H

#include <stddef.h>
#include <stdint.h>

#include "kvfs/slice.h"

/* A name, in place when it is short. */
#define INAME_SMALL 30
struct iname {
	uint8_t len;
	char small[INAME_SMALL];
	char *big; /* owned; NULL when it is in small */
};

static inline struct slice
iname_slice(const struct iname *n)
{
	return slice_make(n->big != NULL ? n->big : n->small, n->len);
}
int iname_set(struct iname *n, struct slice name);
void iname_fini(struct iname *n);
/* The memory of all allocated names of the process. */
size_t iname_long_bytes(void);
/* About what malloc(3) adds to a small allocation. */
#define ALLOC_OVERHEAD 16u

#endif
