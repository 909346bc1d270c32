/* SPDX-License-Identifier: ISC */
/*
 * The bytes of a write-ahead log: one file of fixed size, a header and then
 * frames. Format: kvfs-format(5), "Log".
 *
 * A frame has one commit. It also has the checksum of the frame before it (the
 * chain, which continues from file to file) and the last sequence number that
 * was known to be durable when it was written. If the chain breaks below a
 * number that any later frame, in this log or a later one, says is durable, the
 * log is damaged. If it breaks above all of these numbers, that is the torn
 * tail of a crash (Sombra's chained frames, Pebble's WAL-sync chunks). The size
 * of the file is in its header: a shorter file is damaged.
 *
 * All integers are little-endian; sums are CRC-32C.
 *
 *   header: offset size
 *      0  8  magic "kvfswal" 0a
 *      8  4  version; magic, version and sum keep their place for good
 *     12  4  start chain: sum of the frame before this log's first
 *     16  8  log number
 *     24  8  file size in bytes
 *     32  8  next sequence number
 *     40  8  durable sequence number
 *     48 12  zero
 *     60  4  sum of bytes 0..59; the salt of this log's frames
 *
 *   frame, at a multiple of 8, the first at 64: offset size
 *      0  4  magic f7 6b 76 46
 *      4  4  sum of bytes 8..47, begun with the salt; the chain's value
 *      8  4  sum of the frame before
 *     12  4  log number, low half
 *     16  1  codec (util/compress.h)
 *     17  7  first sequence number
 *     24  1  zero
 *     25  7  durable sequence number
 *     32  4  number of changes; 0 in a mark
 *     36  4  stored length of the body
 *     40  4  raw length of the body
 *     44  4  sum of the body as stored
 *     48  .  body, then zeros up to a multiple of 8
 *
 * The salt makes old frames of a recycled file invalid, and so contents that
 * look like a frame. If the first sector (512 bytes) is all zeros, the file was
 * never used as a log: header and first frame are both in that sector, so that
 * no crash can leave only one of them.
 */
#ifndef KVFS_ENGINE_LOG_WAL_FORMAT_H
#define KVFS_ENGINE_LOG_WAL_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "kvfs/kv.h"

#define WAL_VERSION 1
#define WAL_HEADER_LEN 64
#define WAL_FRAME_HEADER_LEN 48
/* Largest body, raw or stored: a batch and what its encoding adds. */
#define WAL_BODY_MAX (KV_BATCH_MAX + (1u << 20))

struct wal_header {
	uint32_t version;
	uint32_t chain;
	uint64_t number;
	uint64_t size;
	uint64_t next_seq;
	uint64_t durable_seq;
};

/* Write a header to dst. Returns its checksum, the salt. */
uint32_t wal_header_encode(const struct wal_header *h,
    uint8_t dst[WAL_HEADER_LEN]);
/* False if the magic or the checksum is wrong. */
bool wal_header_decode(const uint8_t src[WAL_HEADER_LEN], struct wal_header *h,
    uint32_t *saltp);

struct wal_frame_header {
	uint32_t prev;
	uint32_t number;
	uint8_t codec;
	uint64_t seq;
	uint64_t durable_seq;
	uint32_t count;
	uint32_t stored_len;
	uint32_t raw_len;
	uint32_t body_sum;
};

/* Write a frame's header to dst. Returns its checksum. */
uint32_t wal_frame_encode(const struct wal_frame_header *h, uint32_t salt,
    uint8_t dst[WAL_FRAME_HEADER_LEN]);
bool wal_frame_has_magic(const uint8_t *src);
/* The log number in a frame header that is not verified; 0 if the magic is
 * wrong. */
uint32_t wal_frame_peek_number(const uint8_t src[WAL_FRAME_HEADER_LEN]);
/* False if the magic or the checksum is wrong. Does not check the fields. */
bool wal_frame_decode(const uint8_t src[WAL_FRAME_HEADER_LEN], uint32_t salt,
    struct wal_frame_header *h, uint32_t *sump);

/* Length of a frame with its body and padding. */
static inline uint64_t
wal_frame_len(uint64_t stored_len)
{
	return (WAL_FRAME_HEADER_LEN + stored_len + 7) & ~7ull;
}

#endif
