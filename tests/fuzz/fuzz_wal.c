/* SPDX-License-Identifier: ISC */
/*
 * Arbitrary bytes as a log. The first byte chooses: the rest is the whole
 * file; or it is what frames are made of, whose sums are then put right, so
 * that what stands behind the sums is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/key/key.h"
#include "engine/log/wal_reader.h"
#include "engine/log/wal_format.h"
#include "support/env_mem.h"
#include "support/fuzz.h"
#include "support/env_path.h"
#include "util/crc32c.h"

#define NUMBER 7
#define FORGED_LEN 20 /* bytes of input for a frame's fields */

static volatile uint32_t touched;

/* One frame of the fields and the body that data begins with; returns the
 * bytes used. */
static size_t
forge_frame(struct env_file *f, const uint8_t *data, size_t size, uint32_t salt,
    uint32_t *chain, uint64_t *off)
{
	struct wal_frame_header h = { .number = NUMBER, .prev = *chain };
	uint8_t bytes[WAL_FRAME_HEADER_LEN];
	size_t body_len;

	h.codec = data[0] & 3;
	h.seq = get_le64(data) >> 8;
	h.durable_seq = get_le32(data + 8);
	h.count = data[12];
	body_len = data[13] < size - FORGED_LEN ? data[13] : size - FORGED_LEN;
	/* Mostly the truth. */
	h.stored_len = data[14] == 0xff ? get_le32(data + 15) :
					  (uint32_t)body_len;
	h.raw_len = data[14] == 0 ? h.stored_len : get_le32(data + 16);
	h.body_sum = crc32c_sum(0, data + FORGED_LEN, body_len);
	*chain = wal_frame_encode(&h, salt, bytes);
	fuzz_write(f, bytes, sizeof(bytes), *off);
	fuzz_write(f, data + FORGED_LEN, body_len, *off + sizeof(bytes));
	*off += wal_frame_len(body_len);
	return FORGED_LEN + body_len;
}

static void
forge_log(struct env_file *f, const uint8_t *data, size_t size)
{
	struct wal_header header = { WAL_VERSION, 1, NUMBER, 1u << 16, 1, 0 };
	uint8_t bytes[WAL_HEADER_LEN];
	uint32_t salt = wal_header_encode(&header, bytes);
	uint32_t chain = header.chain;
	uint64_t off = WAL_HEADER_LEN;

	fuzz_write(f, bytes, sizeof(bytes), 0);
	while (size >= FORGED_LEN && off < header.size) {
		size_t n = forge_frame(f, data, size, salt, &chain, &off);

		data += n;
		size -= n;
	}
	if (env_truncate(f, header.size) < 0)
		abort();
}

static void
read_log(struct env_file *f)
{
	struct wal_reader *r;
	struct wal_frame frame;
	uint64_t durable_seq;

	if (wal_reader_open(f, "log", NUMBER, &r) != 1)
		return;
	while (wal_reader_next(r, &frame) == 1) {
		if (frame.payload.len > WAL_BODY_MAX ||
		    frame.count > SEQ_MAX - frame.seq)
			abort();
		/* Every byte is there: the sanitizer looks. */
		touched ^= crc32c_sum(0, frame.payload.data, frame.payload.len);
	}
	(void)wal_reader_scan_rest(r, &durable_seq);
	wal_reader_close(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct env *env;
	struct env_file *f;

	if (size < 1)
		return 0;
	fuzz_quiet();
	env = env_mem_create(1);
	if (env_path_open(env, "log", ENV_WRITE | ENV_CREATE, &f) < 0)
		abort();
	if (data[0] & 1)
		forge_log(f, data + 1, size - 1);
	else
		fuzz_write(f, data + 1, size - 1, 0);
	read_log(f);
	env_mem_destroy(env);
	return 0;
}
