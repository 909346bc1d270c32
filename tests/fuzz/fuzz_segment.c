/* SPDX-License-Identifier: ISC */
/*
 * Arbitrary bytes as a segment, and arbitrary pointers into it. The first
 * byte chooses: the rest is the whole file; or it is what frames are made
 * of, whose sums are then put right, so that what stands behind the sums is
 * reached. The last 24 bytes also serve as a pointer.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/key/key.h"
#include "engine/segment/segment.h"
#include "engine/segment/segment_format.h"
#include "support/env_mem.h"
#include "support/fuzz.h"
#include "support/env_path.h"
#include "util/crc32c.h"

#define NUMBER 5
#define FORGED_LEN 12 /* bytes of input for a frame's fields */

static volatile uint32_t touched;

static size_t
forge_frame(struct env_file *f, const uint8_t *data, size_t size, uint64_t *off)
{
	static const uint8_t user[600];
	uint8_t head[SEGMENT_FRAME_HEADER_LEN + sizeof(user)];
	struct segment_frame frame = { .codec = data[0] & 3 };
	size_t user_len = data[1] + (data[2] & 1) * 256u;
	size_t body_len = data[3] < size - FORGED_LEN ? data[3] :
							size - FORGED_LEN;
	struct slice body = slice_make(data + FORGED_LEN, body_len);

	frame.user = slice_make(user, user_len);
	/* Mostly the truth. */
	frame.stored_len = data[2] & 2 ? get_le32(data + 4) :
					 (uint32_t)body_len;
	frame.raw_len = data[2] & 4 ? get_le32(data + 8) : frame.stored_len;
	frame.body_sum = segment_body_sum(body, NUMBER, *off);
	segment_frame_encode(&frame, NUMBER, *off, head);
	fuzz_write(f, head, SEGMENT_FRAME_HEADER_LEN + user_len, *off);
	fuzz_write(f, body.data, body_len,
	    *off + SEGMENT_FRAME_HEADER_LEN + user_len);
	*off += segment_frame_len(user_len, body_len);
	return FORGED_LEN + body_len;
}

static void
forge_segment(struct env_file *f, const uint8_t *data, size_t size)
{
	uint8_t bytes[SEGMENT_HEADER_LEN];
	uint64_t off = SEGMENT_HEADER_LEN;

	segment_header_encode(NUMBER, bytes);
	fuzz_write(f, bytes, sizeof(bytes), 0);
	while (size >= FORGED_LEN) {
		size_t n = forge_frame(f, data, size, &off);

		data += n;
		size -= n;
	}
}

/* Every byte is there: the sanitizer looks. */
static void
touch(struct slice s)
{
	touched ^= crc32c_sum(0, s.data, s.len);
}

static void
read_value(struct segment_reader *r, const struct segment_pointer *p,
    struct slice user)
{
	struct kv_value value;

	if (segment_read(r, p, user, &value) == 0)
		touch(value.data);
	kv_value_release(&value);
}

/* What a walk finds must also be readable by its pointer. */
static int
read_found(void *arg, const struct segment_pointer *p, struct slice user,
    struct slice raw)
{
	struct kv_value value;

	if (user.len < KEY_PREFIX_LEN || user.len > KEY_USER_MAX ||
	    raw.len > KV_VALUE_MAX)
		abort();
	touch(user);
	touch(raw);
	if (segment_read(arg, p, user, &value) != 0 ||
	    !slice_eq(value.data, raw))
		abort();
	kv_value_release(&value);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment_pointer p;
	struct segment_reader *r;
	struct env *env;
	struct env_file *f;

	if (size < 1)
		return 0;
	fuzz_quiet();
	env = env_mem_create(1);
	if (env_path_open(env, "seg", ENV_WRITE | ENV_CREATE, &f) < 0)
		abort();
	if (data[0] & 1)
		forge_segment(f, data + 1, size - 1);
	else
		fuzz_write(f, data + 1, size - 1, 0);
	if (segment_reader_open(f, "seg", NUMBER, &r) == 0) {
		(void)segment_walk(r, NULL, read_found, r);
		if (size >= SEGMENT_POINTER_LEN &&
		    segment_pointer_decode(slice_make(data + size -
						   SEGMENT_POINTER_LEN,
					       SEGMENT_POINTER_LEN),
			&p) == 0) {
			p.segment = NUMBER;
			read_value(r, &p, slice_make(data, KEY_PREFIX_LEN));
		}
		segment_reader_close(r);
	}
	env_mem_destroy(env);
	return 0;
}
