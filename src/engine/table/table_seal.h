/* SPDX-License-Identifier: ISC */
/*
 * The seal at the end of every block of a table: length, codec and sum.
 * kvfs-format(5), "Table".
 *
 * Sealed block (data, filter, index, properties): every one ends in
 *
 *   offset  size  field
 *   0       n     contents as stored
 *   n       4     raw length: of the contents once uncompressed
 *   n+4     1     codec (util/compress.h); the filter's is always 0
 *   n+5     8     sum of the n+5 bytes before it, seeded with
 *                 file number * 0x9e3779b97f4a7c15 + offset of the block in
 *                 the file (modulo 2^64), so that a block that strayed from
 *                 another place does not verify
 *
 * Pure functions over bytes.
 */
#ifndef KVFS_ENGINE_TABLE_TABLE_SEAL_H
#define KVFS_ENGINE_TABLE_TABLE_SEAL_H

#include <stdint.h>

#include "kvfs/slice.h"
#include "util/buf.h"

#define TABLE_SEAL_LEN 13

/* The seed of a checksum that depends on the place in a file. */
static inline uint64_t
table_seal_seed(uint64_t number, uint64_t off)
{
	return number * 0x9e3779b97f4a7c15ULL + off;
}

/* Append a seal to the contents that begin at start in b, and at off in the
 * file. A failure is remembered in b. */
void table_seal(struct buf *b, size_t start, uint32_t raw_len, uint8_t codec,
    uint64_t number, uint64_t off);

struct table_sealed {
	struct slice stored; /* borrows sealed */
	uint32_t raw_len;
	uint8_t codec;
};
/*
 * Verify a sealed block of untrusted bytes. After success raw_len is plausible:
 * at most max, and possible for the length of stored. On failure *whatp says
 * what is wrong in a few words.
 */
int table_unseal(struct slice sealed, uint64_t number, uint64_t off, size_t max,
    struct table_sealed *outp, const char **whatp);

#endif
