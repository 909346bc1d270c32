/* SPDX-License-Identifier: ISC */
/* XXH3, 64 bits: sums of table blocks and values, and hash tables. */
#ifndef KVFS_UTIL_HASH_H
#define KVFS_UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed);

/* The same, for input that is known to be long; hash_bytes() calls it. */
uint64_t hash64_long(const void *data, size_t len, uint64_t seed);

#endif
