/* SPDX-License-Identifier: ISC */
/* The log's bytes, for wal_writer.c and wal_reader.c; layout in wal.h. */
#ifndef KVFS_ENGINE_LOG_WAL_FORMAT_H
#define KVFS_ENGINE_LOG_WAL_FORMAT_H

#include "engine/log/wal.h"

struct wal_header {
	uint32_t version;
	uint32_t chain;
	uint64_t number;
	uint64_t size;
	uint64_t next_seq;
	uint64_t durable_seq;
};

/* Writes a header; returns its sum, the salt. */
uint32_t wal_header_encode(const struct wal_header *h,
    uint8_t dst[WAL_HEADER_LEN]);
/* False when the magic or the sum is wrong. */
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

/* Writes a frame's header; returns its sum. */
uint32_t wal_frame_encode(const struct wal_frame_header *h, uint32_t salt,
    uint8_t dst[WAL_FRAME_HEADER_LEN]);
bool wal_frame_has_magic(const uint8_t *src);
/* The log that a frame says it belongs to, unverified; 0 without magic. */
uint32_t wal_frame_peek_number(const uint8_t src[WAL_FRAME_HEADER_LEN]);
/* False when the magic or the sum is wrong; the fields are not judged. */
bool wal_frame_decode(const uint8_t src[WAL_FRAME_HEADER_LEN], uint32_t salt,
    struct wal_frame_header *h, uint32_t *sump);

/* A frame with its body and padding. */
static inline uint64_t
wal_frame_len(uint64_t stored_len)
{
	return (WAL_FRAME_HEADER_LEN + stored_len + 7) & ~7ull;
}

#endif
