/* SPDX-License-Identifier: ISC */
/*
 * XXH3 by vectors of 32 bytes, for processors that have them; see hash.c.
 * The sums are the same. Only gcc compiles it: clang knows no such pragma.
 */
#include "util/hash.h"

#if HASH_HAS_AVX2
#pragma GCC target("avx2")
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t
hash64_avx2(const void *data, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(data, len, seed);
}
#endif
