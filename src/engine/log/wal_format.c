/* SPDX-License-Identifier: ISC */
/* Encoding of the log's headers; layout in wal_format.h. */
#include "engine/log/wal_format.h"

#include <string.h>

#include "util/coding.h"
#include "util/crc32c.h"

static const uint8_t header_magic[8] = "kvfswal\n";
#define FRAME_MAGIC 0x46766bf7u

uint32_t
wal_header_encode(const struct wal_header *h, uint8_t dst[WAL_HEADER_LEN])
{
	uint32_t sum;

	memset(dst, 0, WAL_HEADER_LEN);
	memcpy(dst, header_magic, sizeof(header_magic));
	put_le32(dst + 8, h->version);
	put_le32(dst + 12, h->chain);
	put_le64(dst + 16, h->number);
	put_le64(dst + 24, h->size);
	put_le64(dst + 32, h->next_seq);
	put_le64(dst + 40, h->durable_seq);
	sum = crc32c_sum(0, dst, 60);
	put_le32(dst + 60, sum);
	return sum;
}

bool
wal_header_decode(const uint8_t src[WAL_HEADER_LEN], struct wal_header *h,
    uint32_t *saltp)
{
	if (memcmp(src, header_magic, sizeof(header_magic)) != 0 ||
	    crc32c_sum(0, src, 60) != get_le32(src + 60))
		return false;
	h->version = get_le32(src + 8);
	h->chain = get_le32(src + 12);
	h->number = get_le64(src + 16);
	h->size = get_le64(src + 24);
	h->next_seq = get_le64(src + 32);
	h->durable_seq = get_le64(src + 40);
	*saltp = get_le32(src + 60);
	return true;
}

uint32_t
wal_frame_encode(const struct wal_frame_header *h, uint32_t salt,
    uint8_t dst[WAL_FRAME_HEADER_LEN])
{
	uint32_t sum;

	put_le32(dst, FRAME_MAGIC);
	put_le32(dst + 8, h->prev);
	put_le32(dst + 12, h->number);
	put_le64(dst + 16, h->seq << 8 | h->codec);
	put_le64(dst + 24, h->durable_seq << 8);
	put_le32(dst + 32, h->count);
	put_le32(dst + 36, h->stored_len);
	put_le32(dst + 40, h->raw_len);
	put_le32(dst + 44, h->body_sum);
	sum = crc32c_sum(salt, dst + 8, WAL_FRAME_HEADER_LEN - 8);
	put_le32(dst + 4, sum);
	return sum;
}

bool
wal_frame_has_magic(const uint8_t *src)
{
	return get_le32(src) == FRAME_MAGIC;
}

uint32_t
wal_frame_peek_number(const uint8_t src[WAL_FRAME_HEADER_LEN])
{
	return wal_frame_has_magic(src) ? get_le32(src + 12) : 0;
}

bool
wal_frame_decode(const uint8_t src[WAL_FRAME_HEADER_LEN], uint32_t salt,
    struct wal_frame_header *h, uint32_t *sump)
{
	uint32_t sum;

	if (!wal_frame_has_magic(src))
		return false;
	sum = crc32c_sum(salt, src + 8, WAL_FRAME_HEADER_LEN - 8);
	if (sum != get_le32(src + 4))
		return false;
	h->prev = get_le32(src + 8);
	h->number = get_le32(src + 12);
	h->codec = src[16];
	h->seq = get_le64(src + 16) >> 8;
	h->durable_seq = get_le64(src + 24) >> 8;
	h->count = get_le32(src + 32);
	h->stored_len = get_le32(src + 36);
	h->raw_len = get_le32(src + 40);
	h->body_sum = get_le32(src + 44);
	*sump = sum;
	return true;
}
