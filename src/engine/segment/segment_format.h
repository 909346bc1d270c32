/* SPDX-License-Identifier: ISC */
/* Encoding and checks of a segment's bytes, for the sources of this room;
 * layout in segment.h. */
#ifndef KVFS_ENGINE_SEGMENT_SEGMENT_FORMAT_H
#define KVFS_ENGINE_SEGMENT_SEGMENT_FORMAT_H

#include "engine/key/key.h"
#include "engine/segment/segment.h"

#define SEGMENT_FRAME_HEAD_MAX (SEGMENT_FRAME_HEADER_LEN + KEY_USER_MAX)
#define SEGMENT_FRAME_MIN 40 /* the shortest key, no value */

void segment_header_encode(uint64_t number, uint8_t dst[SEGMENT_HEADER_LEN]);
/* -KVFS_ECHECKSUM if the magic or the checksum is wrong. */
int segment_header_decode(const uint8_t src[SEGMENT_HEADER_LEN],
    uint32_t *versionp, uint64_t *numberp);

struct segment_frame {
	struct slice user; /* borrows */
	uint64_t body_sum;
	uint32_t raw_len;
	uint32_t stored_len;
	uint8_t codec;
};

static inline uint64_t
segment_frame_len(size_t user_len, uint64_t stored_len)
{
	return (SEGMENT_FRAME_HEADER_LEN + user_len + stored_len + 7) & ~7ull;
}

/* Write header and key, SEGMENT_FRAME_HEADER_LEN + user.len bytes, to dst. */
void segment_frame_encode(const struct segment_frame *f, uint64_t number,
    uint64_t off, uint8_t *dst);
bool segment_frame_has_magic(const uint8_t *src);
/* Decode from len untrusted bytes. -KVFS_ECHECKSUM if no frame header of this
 * place is there, -KVFS_ECORRUPT if its fields are impossible. */
int segment_frame_decode(const uint8_t *src, size_t len, uint64_t number,
    uint64_t off, struct segment_frame *f);
/* The checksum of a stored value at this place. */
uint64_t segment_body_sum(struct slice stored, uint64_t number, uint64_t off);
/* Verify the bytes of a whole frame behind its header against f. *storedp
 * points into frame. */
bool segment_body_verify(const struct segment_frame *f, const uint8_t *frame,
    uint64_t number, uint64_t off, struct slice *storedp);

#endif
