/* SPDX-License-Identifier: ISC */
/* XXH3, 64 bits: sums of table blocks and values, and hash tables. */
#ifndef KVFS_UTIL_HASH_H
#define KVFS_UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash64(const void *data, size_t len, uint64_t seed);

/* For hash.c alone: where the processor has AVX2. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define HASH_HAS_AVX2 1
uint64_t hash64_avx2(const void *data, size_t len, uint64_t seed);
#else
#define HASH_HAS_AVX2 0
#endif

#endif
