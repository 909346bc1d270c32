/* SPDX-License-Identifier: ISC */
/*
 * The bytes of a sorted table: kvfs-format(5), "Table". Integers are
 * little-endian; a varint is LEB128 with at most 10 bytes; sums are XXH3,
 * 64 bits. A table is, with nothing between the parts:
 *
 *   data blocks | filter (may be missing) | index | properties | footer
 *
 * Data, filter, index and properties are sealed blocks (table_seal.h).
 *
 * Data block, raw. Keys and values lie apart, so that a search touches few
 * bytes:
 *
 *   offset  size  field
 *   0       4     number of restarts r, at least 1
 *   4       4     length of the keys k
 *   8       8*r   restarts: 4 bytes offset of an entry in the keys, 4 bytes
 *                 offset of its value in the values; the first is 0 and 0,
 *                 the former ascend
 *   8+8*r   k     keys: entries one after the other, in order of internal
 *                 keys
 *   8+8*r+k       values one after the other, up to the end of the block
 *
 * Entry:
 *
 *   varint  shared    length of the longest prefix that the user key shares
 *                     with the entry before; 0 at a restart
 *   varint  unshared  rest of the user key
 *   varint  value_len; 0 for deletions of one key, 24 for a segment pointer
 *   bytes   rest of the user key
 *   8       trailer: (sequence << 8) | type, as in key.h
 *
 * Index, raw: varint count of the data blocks, then for each in order:
 *
 *   varint  shared    bytes shared with the separator before
 *   varint  unshared  rest of the separator; the whole has 1 to 521 bytes
 *   bytes   rest of the separator
 *   varint  trailer
 *   varint  length of the sealed block
 *
 * The first block begins at offset 0, each other one where the one before
 * ends, the last ends where the filter begins. No key of a block sorts
 * after its separator (user key part, trailer), and every key of the next
 * one does. The trailer is 0, which sorts after every version of a user
 * key, unless the versions of one user key go on in the next block: then
 * the separator is the internal key of the block's last entry.
 *
 * Filter, raw: lines of 64 bytes, then 4 bytes number of lines, 4 bytes
 * number of probes. For each user key, h being its sum with seed 0: the
 * line is ((h >> 32) * lines) >> 32; with g the low 32 bits of h, each
 * probe sets in it the bit g >> 23 (bit b is bit b & 7 of byte b >> 3),
 * and then multiplies g by 0x9e3779b9 modulo 2^32. Missing (of length 0,
 * without a seal) in a table written without one.
 *
 * Properties, raw:
 *
 *   0   8  entries
 *   8   8  deletions (KEY_DELETE)
 *   16  8  group deletions
 *   24  8  bytes of internal keys and values, uncompressed
 *   32  8  smallest sequence number
 *   40  8  largest sequence number
 *   48  8  stored bytes that segment pointers name
 *   56  8  number of data blocks
 *   64     varint length and bytes of the smallest internal key
 *          varint length and bytes of the largest; both empty without
 *          entries
 *
 * Footer, the last 64 bytes:
 *
 *   0   8  magic "kvfstabl"
 *   8   4  version
 *   12  4  flags: 0; a reader refuses what it does not know (-EPROTO)
 *   16  8  file number
 *   24  8  offset of the filter, where the data ends
 *   32  8  offset of the index, where the filter ends
 *   40  8  offset of the properties, where the index ends
 *   48  8  offset of the footer, where the properties end
 *   56  8  sum of the 56 bytes before it, seeded as that of a block
 *
 * Later versions keep the footer's length, its magic, version and sum, so
 * that an older reader can tell a newer table from a damaged one.
 */
#ifndef KVFS_ENGINE_TABLE_TABLE_FORMAT_H
#define KVFS_ENGINE_TABLE_TABLE_FORMAT_H

#include <stdint.h>

#include "engine/key/key.h"
#include "engine/table/table_builder.h"
#include "engine/table/table_seal.h"
#include "kvfs/slice.h"
#include "util/buf.h"
#include "util/coding.h"

#define TABLE_VERSION 1
#define TABLE_FOOTER_LEN 64
#define BLOCK_HEADER_LEN 8
#define BLOCK_RESTART_LEN 8
/* Large enough for a block of one entry with the largest key and value. */
#define TABLE_BLOCK_MAX (KV_VALUE_MAX + 4096u)

struct table_footer {
	uint32_t version, flags;
	uint64_t number;
	uint64_t filter_off, index_off, props_off, footer_off;
};
void table_footer_encode(const struct table_footer *f,
    uint8_t dst[TABLE_FOOTER_LEN]);
/* Decode the footer from the last bytes of a file of file_bytes; number is the
 * one in its name. -EPROTO: a newer version. On failure *whatp says what is
 * wrong. */
int table_footer_decode(const uint8_t src[TABLE_FOOTER_LEN], uint64_t number,
    uint64_t file_bytes, struct table_footer *f, const char **whatp);

/* What the properties block has in addition to the counts. */
struct table_bounds {
	uint64_t blocks;
	struct slice smallest, largest; /* internal keys; empty: no entries */
};
/* file_bytes is not stored: it is the file's size. */
void table_props_encode(const struct table_props *p,
    const struct table_bounds *bounds, struct buf *out);
/* bounds borrows raw. */
int table_props_decode(struct slice raw, struct table_props *p,
    struct table_bounds *bounds);

#endif
