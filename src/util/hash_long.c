/* SPDX-License-Identifier: ISC */
/*
 * XXH3 with the widest vectors of the processor, which libxxhash finds out at
 * run time where it is built for x86. The result is the same; see hash.c.
 */
#include "util/hash.h"

#if __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

uint64_t
hash64_long(const void *data, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(data, len, seed);
}
