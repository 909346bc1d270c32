/* SPDX-License-Identifier: ISC */
/*
 * XXH3 by the widest vectors that the processor has: libxxhash looks which,
 * at run time, where it is built for x86. The sums are the same; see hash.c.
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
