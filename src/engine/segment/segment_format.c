/* SPDX-License-Identifier: ISC */
/* Encoding of segments and of pointers into them; layout in segment.h. */
#include "engine/segment/segment_format.h"

#include <string.h>

#include "util/coding.h"
#include "util/compress.h"
#include "util/crc32c.h"
#include "util/hash.h"

static const uint8_t header_magic[8] = "kvfsseg\n";
#define FRAME_MAGIC 0x56766bf8u
#define PLACE_LEN 16

/* ---- Pointers ---- */

void
segment_pointer_encode(const struct segment_pointer *p,
    uint8_t dst[SEGMENT_POINTER_LEN])
{
	put_le64(dst, p->segment);
	put_le64(dst + 8, p->off);
	put_le32(dst + 16, p->frame_len);
	put_le32(dst + 20, p->raw_len);
}

static bool
is_possible_pointer(const struct segment_pointer *p)
{
	/* A value is stored raw if compression would make it longer. */
	return p->off >= SEGMENT_HEADER_LEN && p->off % 8 == 0 &&
	    p->off <= INT64_MAX - UINT32_MAX && p->frame_len % 8 == 0 &&
	    p->frame_len >= SEGMENT_FRAME_MIN && p->raw_len <= KV_VALUE_MAX &&
	    p->frame_len <= segment_frame_len(KEY_USER_MAX, p->raw_len);
}

int
segment_pointer_decode(struct slice s, struct segment_pointer *p)
{
	const uint8_t *src = s.data;

	*p = (struct segment_pointer){ 0 };
	if (s.len != SEGMENT_POINTER_LEN)
		return -KVFS_ECORRUPT;
	p->segment = get_le64(src);
	p->off = get_le64(src + 8);
	p->frame_len = get_le32(src + 16);
	p->raw_len = get_le32(src + 20);
	return is_possible_pointer(p) ? 0 : -KVFS_ECORRUPT;
}

/* ---- File header ---- */

void
segment_header_encode(uint64_t number, uint8_t dst[SEGMENT_HEADER_LEN])
{
	memset(dst, 0, SEGMENT_HEADER_LEN);
	memcpy(dst, header_magic, sizeof(header_magic));
	put_le32(dst + 8, SEGMENT_VERSION);
	put_le64(dst + 16, number);
	put_le32(dst + 28, crc32c_sum(0, dst, 28));
}

int
segment_header_decode(const uint8_t src[SEGMENT_HEADER_LEN], uint32_t *versionp,
    uint64_t *numberp)
{
	if (memcmp(src, header_magic, sizeof(header_magic)) != 0 ||
	    crc32c_sum(0, src, 28) != get_le32(src + 28))
		return -KVFS_ECHECKSUM;
	*versionp = get_le32(src + 8);
	*numberp = get_le64(src + 16);
	return 0;
}

/* ---- Frames ---- */

static void
put_place(uint64_t number, uint64_t off, uint8_t dst[PLACE_LEN])
{
	put_le64(dst, number);
	put_le64(dst + 8, off);
}

static uint32_t
head_sum(const uint8_t *head, size_t user_len, uint64_t number, uint64_t off)
{
	uint8_t place[PLACE_LEN];

	put_place(number, off, place);
	return crc32c_sum(crc32c_sum(0, place, sizeof(place)), head + 8,
	    SEGMENT_FRAME_HEADER_LEN - 8 + user_len);
}

uint64_t
segment_body_sum(struct slice stored, uint64_t number, uint64_t off)
{
	uint8_t place[PLACE_LEN];

	put_place(number, off, place);
	return hash_bytes(stored.data, stored.len,
	    hash_bytes(place, sizeof(place), 0));
}

void
segment_frame_encode(const struct segment_frame *f, uint64_t number,
    uint64_t off, uint8_t *dst)
{
	put_le32(dst, FRAME_MAGIC);
	put_le64(dst + 8, f->body_sum);
	put_le32(dst + 16, f->raw_len);
	put_le32(dst + 20, f->stored_len);
	dst[24] = (uint8_t)f->user.len;
	dst[25] = (uint8_t)(f->user.len >> 8);
	dst[26] = f->codec;
	dst[27] = 0;
	memcpy(dst + SEGMENT_FRAME_HEADER_LEN, f->user.data, f->user.len);
	put_le32(dst + 4, head_sum(dst, f->user.len, number, off));
}

bool
segment_frame_has_magic(const uint8_t *src)
{
	return get_le32(src) == FRAME_MAGIC;
}

int
segment_frame_decode(const uint8_t *src, size_t len, uint64_t number,
    uint64_t off, struct segment_frame *f)
{
	size_t user_len;

	if (len < SEGMENT_FRAME_HEADER_LEN || !segment_frame_has_magic(src))
		return -KVFS_ECHECKSUM;
	user_len = src[24] | (size_t)src[25] << 8;
	if (user_len > len - SEGMENT_FRAME_HEADER_LEN ||
	    head_sum(src, user_len, number, off) != get_le32(src + 4))
		return -KVFS_ECHECKSUM;
	f->user = slice_make(src + SEGMENT_FRAME_HEADER_LEN, user_len);
	f->body_sum = get_le64(src + 8);
	f->raw_len = get_le32(src + 16);
	f->stored_len = get_le32(src + 20);
	f->codec = src[26];
	if (user_len < KEY_PREFIX_LEN || user_len > KEY_USER_MAX ||
	    f->raw_len > KV_VALUE_MAX || f->stored_len > f->raw_len ||
	    src[27] != 0)
		return -KVFS_ECORRUPT;
	if (f->codec == CODEC_NONE)
		return f->stored_len == f->raw_len ? 0 : -KVFS_ECORRUPT;
	return f->codec == CODEC_SNAPPY ? 0 : -KVFS_ECORRUPT;
}

bool
segment_body_verify(const struct segment_frame *f, const uint8_t *frame,
    uint64_t number, uint64_t off, struct slice *storedp)
{
	static const uint8_t zeros[8];
	size_t head = SEGMENT_FRAME_HEADER_LEN + f->user.len;
	size_t end = head + f->stored_len;

	*storedp = slice_make(frame + head, f->stored_len);
	return memcmp(frame + end, zeros, -end & 7) == 0 &&
	    segment_body_sum(*storedp, number, off) == f->body_sum;
}
