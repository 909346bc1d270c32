/* SPDX-License-Identifier: ISC */
/*
 * The name of a live inode. A short one lies in the struct; others have
 * memory of their own, which is counted for the whole process.
 *
 * A struct iname is its owner's: nothing here locks.
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
/* What the names of the process take that are not in place. */
size_t iname_long_bytes(void);
/* What malloc(3) adds to a small allocation, about. */
#define ALLOC_OVERHEAD 16u

#endif
