/* SPDX-License-Identifier: ISC */
/* XXH3, 64 bits: for checksums of table blocks and values, filters and hash
 * tables. Any thread. */
#ifndef KVFS_UTIL_HASH_H
#define KVFS_UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed);

/* The same for long input; hash_bytes() calls it. */
uint64_t hash64_long(const void *data, size_t len, uint64_t seed);

#endif
