/* SPDX-License-Identifier: ISC */
/* Keys made of numbers, in the order of these. */
#ifndef KVFS_SUPPORT_KEYS_H
#define KVFS_SUPPORT_KEYS_H

#include <stdio.h>

#include "kvfs/kv.h"

/* name holds the key's name. */
static inline struct kv_key
key_of(unsigned i, char name[16])
{
	snprintf(name, 16, "key-%08u", i);
	return (
	    struct kv_key){ .space = 1, .group = 1, .name = slice_str(name) };
}

#endif
