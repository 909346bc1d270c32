/* SPDX-License-Identifier: ISC */
/*
 * The write-ahead log: what was appended comes back, in order; whatever
 * happens to the file, only a prefix of it does; rot below a promise is
 * told from a torn tail.
 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/log/wal_reader.h"
#include "engine/log/wal_writer.h"
#include "engine/log/wal_format.h"
#include "support/env_fault.h"
#include "support/env_mem.h"
#include "support/suite.h"
#include "support/env_path.h"
#include "util/coding.h"
#include "util/compress.h"
#include "util/crc32c.h"
#include "util/log.h"

#define LOG_SIZE 4096
#define START_SEQ 1000
#define START_CHAIN 0xfeedu

static struct env *env;
static uint64_t seed;

static void
quiet(enum log_level level, const char *line)
{
	(void)level, (void)line;
}

static void
set_up(void)
{
	log_set_sink(quiet);
	env = env_mem_create(seed);
}

static void
tear_down(void)
{
	env_mem_destroy(env);
}

/* ---- Writing ---- */

static struct env_file *
open_file(const char *path)
{
	struct env_file *f;

	ck_assert_int_eq(env_path_open(env, path, ENV_WRITE, &f), 0);
	return f;
}

static struct env_file *
make_file(const char *path, uint64_t size)
{
	struct env_file *f;

	ck_assert_int_eq(env_path_open(env, path, ENV_WRITE | ENV_CREATE, &f),
	    0);
	ck_assert_int_eq(env_allocate(f, size, true), 0);
	ck_assert_int_eq(env_path_sync(env, "/"), 0);
	return f;
}

static struct wal_writer *
start_log(struct env_file *f, uint64_t number, uint64_t size, uint32_t chain,
    uint64_t buffer_bytes)
{
	struct wal_writer *w;

	ck_assert_int_eq(wal_writer_open(f, "log", number, size, chain,
			     START_SEQ, 0, buffer_bytes, &w),
	    0);
	return w;
}

/* Payload number i: of several lengths, some compressible. */
static size_t
fill_payload(unsigned i, uint8_t *dst)
{
	size_t len = i % 3 == 2 ? 300 : i * 7 % 41;

	for (size_t j = 0; j < len; j++)
		dst[j] = (uint8_t)(len == 300 ? i : i * 31 + j * 17);
	return len;
}

/* Frame number i changes sequence START_SEQ + i. */
static int
append(struct wal_writer *w, unsigned i, uint64_t durable_seq)
{
	uint8_t payload[512];
	struct wal_body body;
	int rc;

	wal_body_init(&body);
	ck_assert_int_eq(wal_body_encode(&body,
			     slice_make(payload, fill_payload(i, payload)),
			     true),
	    0);
	rc = wal_writer_append(w, &body, START_SEQ + i, 1, durable_seq);
	wal_body_fini(&body);
	return rc;
}

/* A log of count frames, of which each calls the one two before it
 * durable. */
static void
make_log(const char *path, unsigned count)
{
	struct wal_writer *w = start_log(make_file(path, LOG_SIZE), 7, LOG_SIZE,
	    START_CHAIN, 0);

	for (unsigned i = 0; i < count; i++)
		ck_assert_int_eq(append(w, i, i < 2 ? 0 : START_SEQ + i - 2),
		    0);
	ck_assert_int_eq(wal_writer_sync(w), 0);
	wal_writer_close(w);
}

/* ---- Reading ---- */

static bool
is_frame(const struct wal_frame *frame, unsigned i)
{
	uint8_t payload[512];
	size_t len = fill_payload(i, payload);

	return frame->seq == START_SEQ + i && frame->count == 1 &&
	    slice_eq(frame->payload, slice_make(payload, len));
}

struct outcome {
	int rc; /* of open, or what ended the reading */
	unsigned frames; /* as appended; anything else fails the test */
	uint64_t promised; /* largest durable_seq, scan_rest included */
	uint64_t promised_beyond; /* by scan_rest alone */
	uint32_t chain;
	uint64_t end; /* where reading ended */
};

static struct outcome
read_log(struct env *in, const char *path, uint64_t number)
{
	struct outcome o = { 0 };
	struct wal_reader *r;
	struct wal_frame frame;
	struct env_file *f;

	ck_assert_int_eq(env_path_open(in, path, ENV_READ, &f), 0);
	o.rc = wal_reader_open(f, "log", number, &r);
	ck_assert((o.rc == 1) == (r != NULL));
	if (o.rc != 1)
		return o;
	while ((o.rc = wal_reader_next(r, &frame)) == 1) {
		ck_assert(is_frame(&frame, o.frames));
		o.frames++;
	}
	ck_assert_int_eq(wal_reader_next(r, &frame), 0);
	if (o.rc == 0)
		ck_assert_int_eq(wal_reader_scan_rest(r, &o.promised_beyond),
		    0);
	o.promised = wal_reader_durable_seq(r);
	if (o.promised_beyond > o.promised)
		o.promised = o.promised_beyond;
	o.chain = wal_reader_chain(r);
	o.end = wal_reader_off(r);
	wal_reader_close(r);
	return o;
}

static void
store(const char *path, const void *data, size_t len, uint64_t off)
{
	struct env_file *f = open_file(path);
	struct iovec iov = { (void *)data, len };

	ck_assert_int_eq(env_write(f, &iov, 1, off), 0);
	env_close(f);
}

static size_t
load(const char *path, uint8_t *dst, size_t len)
{
	struct env_file *f = open_file(path);
	ssize_t n = env_read(f, dst, len, 0);

	ck_assert_int_ge(n, 0);
	env_close(f);
	return (size_t)n;
}

/* ---- Tests ---- */

START_TEST(frames_come_back_in_order)
{
	struct outcome o;

	make_log("a", 20);
	o = read_log(env, "a", 7);
	ck_assert_int_eq(o.rc, 0);
	ck_assert_uint_eq(o.frames, 20);
	ck_assert_uint_eq(o.promised, START_SEQ + 17);
	ck_assert_uint_eq(o.promised_beyond, 0);
}
END_TEST

START_TEST(a_log_knows_its_header_and_its_room)
{
	struct env_file *f = make_file("a", LOG_SIZE);
	struct wal_writer *w;
	struct wal_reader *r;
	struct wal_frame frame;
	struct wal_body body;
	uint8_t big[LOG_SIZE] = { 0 };

	wal_body_init(&body);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * i >> 3);
	ck_assert_int_eq(wal_body_encode(&body,
			     slice_make(big,
				 LOG_SIZE - WAL_HEADER_LEN -
				     2 * WAL_FRAME_HEADER_LEN),
			     false),
	    0);
	ck_assert_uint_eq(wal_size_for(&body), LOG_SIZE);
	ck_assert_int_eq(wal_writer_open(f, "log", 1ull << 40, LOG_SIZE, 5,
			     START_SEQ, START_SEQ - 9, 0, &w),
	    0);
	ck_assert_uint_eq(wal_writer_number(w), 1ull << 40);
	ck_assert_uint_eq(wal_writer_size(w), LOG_SIZE);
	ck_assert_uint_eq(wal_writer_used(w), WAL_HEADER_LEN);
	ck_assert_uint_eq(wal_writer_chain(w), 5);
	ck_assert(wal_writer_has_room(w, &body));
	ck_assert_int_eq(wal_writer_append(w, NULL, START_SEQ, 0, 8), 0);
	/* The last word is kept for wal_writer_append_mark(). */
	ck_assert(!wal_writer_has_room(w, &body));
	ck_assert_int_eq(wal_writer_append(w, NULL, START_SEQ, 0, 8), 0);
	/* Refused, and the log goes on. */
	ck_assert_int_eq(wal_writer_append(w, &body, START_SEQ, 1, 9), -EINVAL);
	ck_assert_int_eq(wal_writer_append(w, NULL, START_SEQ, 0, START_SEQ),
	    0);
	ck_assert_uint_eq(wal_writer_used(w),
	    WAL_HEADER_LEN + 3 * WAL_FRAME_HEADER_LEN);
	wal_writer_close(w);

	ck_assert_int_eq(wal_reader_open(open_file("a"), "log", 1ull << 40, &r),
	    1);
	ck_assert_uint_eq(wal_reader_start_chain(r), 5);
	ck_assert_uint_eq(wal_reader_start_seq(r), START_SEQ);
	ck_assert_uint_eq(wal_reader_size(r), LOG_SIZE);
	ck_assert_uint_eq(wal_reader_durable_seq(r), START_SEQ - 9);
	ck_assert_int_eq(wal_reader_next(r, &frame), 1);
	ck_assert_uint_eq(frame.count, 0);
	ck_assert_uint_eq(frame.off, WAL_HEADER_LEN);
	ck_assert_uint_eq(frame.payload.len, 0);
	ck_assert_int_eq(wal_reader_next(r, &frame), 1);
	ck_assert_int_eq(wal_reader_next(r, &frame), 1);
	ck_assert_uint_eq(wal_reader_durable_seq(r), START_SEQ);
	ck_assert_int_eq(wal_reader_next(r, &frame), 0);
	wal_reader_close(r);
	wal_body_fini(&body);
}
END_TEST

START_TEST(a_promise_is_found_beyond_the_chain_and_does_not_move_it)
{
	uint64_t size = WAL_HEADER_LEN + WAL_FRAME_HEADER_LEN * 3, seq;
	struct wal_writer *w = start_log(make_file("a", size), 7, size, 0, 0);
	struct wal_reader *r;
	struct wal_frame frame;
	uint32_t chain;

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(wal_writer_append(w, NULL, 1, 0, 1), 0);
	chain = wal_writer_chain(w);
	ck_assert_int_eq(wal_writer_append_mark(w, 77), 0);
	ck_assert_uint_eq(wal_writer_chain(w), chain);
	wal_writer_close(w);
	ck_assert_int_eq(wal_reader_open(open_file("a"), "log", 7, &r), 1);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(wal_reader_next(r, &frame), 1);
	ck_assert_int_eq(wal_reader_next(r, &frame), 0);
	ck_assert_uint_eq(wal_reader_chain(r), chain);
	ck_assert_int_eq(wal_reader_scan_rest(r, &seq), 0);
	ck_assert_uint_eq(seq, 77);
	wal_reader_close(r);
}
END_TEST

START_TEST(a_log_fills_its_file_to_the_last_byte)
{
	uint64_t size = WAL_HEADER_LEN + WAL_FRAME_HEADER_LEN * 3;
	struct wal_writer *w = start_log(make_file("a", size), 7, size, 0, 0);
	struct wal_reader *r;
	struct wal_frame frame;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(wal_writer_append(w, NULL, 1, 0, 1), 0);
	ck_assert_int_eq(wal_writer_append(w, NULL, 1, 0, 1), -EINVAL);
	wal_writer_close(w);
	ck_assert_int_eq(wal_reader_open(open_file("a"), "log", 7, &r), 1);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(wal_reader_next(r, &frame), 1);
	ck_assert_int_eq(wal_reader_next(r, &frame), 0);
	wal_reader_close(r);
}
END_TEST

START_TEST(too_much_and_too_small_is_refused)
{
	struct wal_body body;
	struct wal_writer *w;

	wal_body_init(&body);
	ck_assert_int_eq(wal_body_encode(&body,
			     slice_make("", (size_t)WAL_BODY_MAX + 1), true),
	    -E2BIG);
	wal_body_fini(&body);
	ck_assert_int_eq(wal_writer_open(make_file("a", 100), "log", 1, 101, 0,
			     1, 0, 0, &w),
	    -EINVAL);
	ck_assert_ptr_null(w);
	ck_assert_int_eq(wal_writer_open(open_file("a"), "log", 1, 63, 0, 1, 0,
			     0, &w),
	    -EINVAL);
}
END_TEST

START_TEST(the_chain_goes_on_across_files)
{
	struct wal_writer *w = start_log(make_file("a", LOG_SIZE), 1, LOG_SIZE,
	    START_CHAIN, 0);
	uint32_t chain;
	struct outcome o;

	ck_assert_int_eq(append(w, 0, 0), 0);
	ck_assert_int_eq(append(w, 1, 0), 0);
	chain = wal_writer_chain(w);
	wal_writer_close(w);
	w = start_log(make_file("b", LOG_SIZE), 2, LOG_SIZE, chain, 0);
	ck_assert_int_eq(append(w, 0, 0), 0);
	wal_writer_close(w);
	o = read_log(env, "a", 1);
	ck_assert_uint_eq(o.frames, 2);
	ck_assert_uint_eq(o.chain, chain);
	o = read_log(env, "b", 2);
	ck_assert_uint_eq(o.frames, 1);
}
END_TEST

START_TEST(a_file_that_never_became_a_log_is_none)
{
	env_close(make_file("zeros", LOG_SIZE));
	env_close(make_file("empty", 0));
	env_close(make_file("short", 20));
	ck_assert_int_eq(read_log(env, "zeros", 7).rc, 0);
	ck_assert_int_eq(read_log(env, "empty", 7).rc, 0);
	ck_assert_int_eq(read_log(env, "short", 7).rc, 0);
	make_log("other", 3);
	ck_assert_int_eq(read_log(env, "other", 8).rc, 0);
}
END_TEST

START_TEST(a_header_of_zeros_over_frames_is_damage)
{
	static const uint8_t zeros[WAL_HEADER_LEN];

	make_log("a", 3);
	store("a", zeros, sizeof(zeros), 0);
	ck_assert_int_eq(read_log(env, "a", 7).rc, -KVFS_ECHECKSUM);
}
END_TEST

START_TEST(a_newer_version_is_refused)
{
	struct wal_header h = { WAL_VERSION + 1, 0, 7, LOG_SIZE, 1, 0 };
	uint8_t bytes[WAL_HEADER_LEN];

	env_close(make_file("a", LOG_SIZE));
	wal_header_encode(&h, bytes);
	store("a", bytes, sizeof(bytes), 0);
	ck_assert_int_eq(read_log(env, "a", 7).rc, -EPROTO);
}
END_TEST

START_TEST(a_recycled_file_hides_its_old_frames)
{
	struct wal_writer *w;
	struct outcome o;

	make_log("a", 20);
	/* Same chain, same sequence numbers: only the number differs. */
	w = start_log(open_file("a"), 8, LOG_SIZE, START_CHAIN, 0);
	o = read_log(env, "a", 8);
	ck_assert_int_eq(o.rc, 0);
	ck_assert_uint_eq(o.frames, 0);
	ck_assert_uint_eq(o.promised, 0);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_int_eq(append(w, i, 0), 0);
		o = read_log(env, "a", 8);
		ck_assert_uint_eq(o.frames, i + 1);
		ck_assert_uint_eq(o.promised, 0);
	}
	wal_writer_close(w);
	ck_assert_int_eq(read_log(env, "a", 7).rc, 0);
}
END_TEST

START_TEST(contents_that_imitate_frames_are_not_taken_for_frames)
{
	struct wal_frame_header h = { .number = 7,
		.seq = 1,
		.count = 1,
		.durable_seq = 1ull << 50 };
	uint8_t fake[WAL_FRAME_HEADER_LEN * 4];
	struct wal_writer *w = start_log(make_file("a", LOG_SIZE), 7, LOG_SIZE,
	    START_CHAIN, 0);
	struct wal_body body;
	uint64_t promised;
	struct wal_reader *r;
	struct wal_frame frame;

	/* Who writes a value does not know the log's salt. */
	for (size_t i = 0; i < sizeof(fake); i += WAL_FRAME_HEADER_LEN)
		wal_frame_encode(&h, 0, fake + i);
	wal_body_init(&body);
	ck_assert_int_eq(wal_body_encode(&body, slice_make(fake, sizeof(fake)),
			     false),
	    0);
	ck_assert_int_eq(wal_writer_append(w, &body, 1, 1, 0), 0);
	wal_body_fini(&body);
	wal_writer_close(w);
	store("a", "\xff", 1, WAL_HEADER_LEN + 9); /* tear its header */
	ck_assert_int_eq(wal_reader_open(open_file("a"), "log", 7, &r), 1);
	ck_assert_int_eq(wal_reader_next(r, &frame), 0);
	ck_assert_int_eq(wal_reader_scan_rest(r, &promised), 0);
	ck_assert_uint_eq(promised, 0);
	wal_reader_close(r);
}
END_TEST

START_TEST(a_file_cut_anywhere_is_damage)
{
	struct env_file *f;

	make_log("a", 6);
	f = open_file("a");
	for (uint64_t len = LOG_SIZE - 1; len > 0; len--) {
		ck_assert_int_eq(env_truncate(f, len), 0);
		ck_assert_int_eq(read_log(env, "a", 7).rc, -KVFS_ECORRUPT);
	}
	env_close(f);
}
END_TEST

/* All that was written up to some byte, zeros after it: as a torn tail. */
START_TEST(a_tail_torn_anywhere_leaves_a_prefix)
{
	static const uint8_t zeros[LOG_SIZE];
	uint8_t bytes[LOG_SIZE];
	unsigned before = 0;

	make_log("a", 12);
	ck_assert_uint_eq(load("a", bytes, LOG_SIZE), LOG_SIZE);
	for (size_t len = WAL_HEADER_LEN; len < LOG_SIZE; len++) {
		struct outcome o;

		store("a", zeros, sizeof(zeros), 0);
		store("a", bytes, len, 0);
		o = read_log(env, "a", 7);
		ck_assert_int_eq(o.rc, 0);
		ck_assert_uint_ge(o.frames, before);
		ck_assert_uint_le(o.frames, before + 1);
		/* A tail that is torn breaks no promise. */
		if (o.promised != 0)
			ck_assert_uint_lt(o.promised, START_SEQ + o.frames);
		before = o.frames;
	}
	ck_assert_uint_eq(before, 12);
}
END_TEST

START_TEST(a_flipped_byte_leaves_a_prefix_or_an_error)
{
	static const uint8_t flips[] = { 0x01, 0x80, 0xff };
	uint8_t bytes[LOG_SIZE];
	uint64_t end;

	make_log("a", 12);
	end = read_log(env, "a", 7).end;
	load("a", bytes, LOG_SIZE);
	for (size_t i = 0; i < LOG_SIZE * sizeof(flips); i++) {
		size_t at = i / sizeof(flips);
		uint8_t bad = bytes[at] ^ flips[i % sizeof(flips)];
		struct outcome o;

		store("a", &bad, 1, at);
		o = read_log(env, "a", 7);
		if (at < WAL_HEADER_LEN)
			ck_assert_int_eq(o.rc, -KVFS_ECHECKSUM);
		else
			ck_assert_int_eq(o.rc, 0);
		if (at >= WAL_HEADER_LEN && at < end) {
			ck_assert_uint_lt(o.frames, 12);
			/* Rot, if two frames follow that are whole: the
			 * second of them calls this one durable. */
			if (o.frames <= 12 - 3)
				ck_assert_uint_ge(o.promised,
				    START_SEQ + o.frames);
			else if (o.promised != 0)
				ck_assert_uint_lt(o.promised,
				    START_SEQ + o.frames);
		} else if (at >= end) {
			ck_assert_uint_eq(o.frames, 12);
		}
		store("a", bytes + at, 1, at);
	}
}
END_TEST

/* Append a frame by hand whose sums are right. */
static void
forge(const char *path, struct wal_frame_header *h, const void *body)
{
	uint8_t bytes[LOG_SIZE];
	struct wal_header header;
	struct outcome o = read_log(env, path, 7);
	uint32_t salt;

	load(path, bytes, sizeof(bytes));
	ck_assert(wal_header_decode(bytes, &header, &salt));
	h->number = 7;
	h->prev = o.chain;
	wal_frame_encode(h, salt, bytes);
	store(path, bytes, WAL_FRAME_HEADER_LEN, o.end);
	store(path, body, h->stored_len < 64 ? h->stored_len : 0,
	    o.end + WAL_FRAME_HEADER_LEN);
}

START_TEST(impossible_frames_under_right_sums_are_damage)
{
	static const uint8_t junk[16] = "\xff\xff\xff\xff\x7fjunkjunk";
	uint32_t sum = crc32c_sum(0, junk, sizeof(junk));
	struct wal_frame_header cases[] = {
		{ .seq = 1, .stored_len = UINT32_MAX, .raw_len = UINT32_MAX },
		{ .seq = 1,
		    .stored_len = WAL_BODY_MAX + 1,
		    .raw_len = WAL_BODY_MAX + 1 },
		{ .seq = 1, .stored_len = LOG_SIZE, .raw_len = LOG_SIZE },
		{ .seq = 1,
		    .codec = CODEC_SNAPPY,
		    .stored_len = 16,
		    .raw_len = WAL_BODY_MAX + 1,
		    .body_sum = sum },
		{ .seq = 1,
		    .codec = CODEC_SNAPPY,
		    .stored_len = 16,
		    .raw_len = WAL_BODY_MAX,
		    .body_sum = sum },
		{ .seq = 1,
		    .codec = 9,
		    .stored_len = 16,
		    .raw_len = 16,
		    .body_sum = sum },
		{ .seq = 1, .stored_len = 16, .raw_len = 15, .body_sum = sum },
		{ .seq = (1ull << 56) - 1,
		    .count = 1,
		    .stored_len = 16,
		    .raw_len = 16,
		    .body_sum = sum },
	};
	char path[2] = "a";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome o;

		path[0] = (char)('a' + i);
		make_log(path, 2);
		forge(path, &cases[i], junk);
		o = read_log(env, path, 7);
		ck_assert_int_eq(o.rc, -KVFS_ECORRUPT);
		ck_assert_uint_eq(o.frames, 2);
	}
}
END_TEST

START_TEST(a_buffer_gathers_until_it_is_full_or_flushed)
{
	uint8_t direct[LOG_SIZE], gathered[LOG_SIZE];
	struct wal_writer *w;
	uint64_t writes;

	make_log("a", 12);
	w = start_log(make_file("b", LOG_SIZE), 7, LOG_SIZE, START_CHAIN, 256);
	ck_assert_int_eq(append(w, 0, 0), 0);
	ck_assert_int_eq(append(w, 1, 0), 0);
	ck_assert_uint_eq(read_log(env, "b", 7).frames, 0);
	ck_assert_int_eq(wal_writer_sync(w), 0); /* syncs, does not flush */
	ck_assert_uint_eq(read_log(env, "b", 7).frames, 0);
	ck_assert_int_eq(wal_writer_flush(w), 0);
	ck_assert_uint_eq(read_log(env, "b", 7).frames, 2);
	writes = env_mem_calls(env, ENV_CALL_WRITE);
	for (unsigned i = 2; i < 12; i++)
		ck_assert_int_eq(append(w, i, START_SEQ + i - 2), 0);
	ck_assert_uint_lt(env_mem_calls(env, ENV_CALL_WRITE) - writes, 7);
	ck_assert_int_eq(wal_writer_flush(w), 0);
	ck_assert_int_eq(wal_writer_flush(w), 0);
	wal_writer_close(w);
	load("a", direct, LOG_SIZE);
	load("b", gathered, LOG_SIZE);
	ck_assert_mem_eq(direct, gathered, LOG_SIZE);
}
END_TEST

START_TEST(a_full_disk_costs_the_frame_and_not_the_log)
{
	struct env_fault_rule rule = { ENV_CALL_BIT(ENV_CALL_WRITE), 1, ENOSPC,
		false, true };
	struct env *below = env;
	struct wal_writer *w;

	env = env_fault_create(below);
	w = start_log(make_file("a", LOG_SIZE), 7, LOG_SIZE, START_CHAIN, 0);
	ck_assert_int_eq(append(w, 0, 0), 0);
	/* A part of the frame is written before the disk is full. */
	env_fault_arm(env, &rule);
	ck_assert_int_eq(append(w, 1, 0), -ENOSPC);
	env_fault_disarm(env);
	ck_assert_uint_eq(read_log(env, "a", 7).frames, 1);
	ck_assert_int_eq(append(w, 1, 0), 0);
	ck_assert_int_eq(append(w, 2, 0), 0);
	ck_assert_int_eq(wal_writer_sync(w), 0);
	wal_writer_close(w);
	ck_assert_uint_eq(read_log(env, "a", 7).frames, 3);
	env_fault_destroy(env);
	env = below;
}
END_TEST

START_TEST(what_a_full_disk_kept_in_memory_can_be_taken_back)
{
	struct env_fault_rule rule = { ENV_CALL_BIT(ENV_CALL_WRITE), 1, ENOSPC,
		false, true };
	struct env *below = env;
	struct wal_writer *w;

	env = env_fault_create(below);
	w = start_log(make_file("a", LOG_SIZE), 7, LOG_SIZE, START_CHAIN,
	    LOG_SIZE);
	ck_assert_int_eq(append(w, 0, 0), 0);
	ck_assert_int_eq(append(w, 1, 0), 0);
	env_fault_arm(env, &rule);
	ck_assert_int_eq(wal_writer_flush(w), -ENOSPC);
	ck_assert_int_eq(wal_writer_take_back(w), -ENOSPC);
	env_fault_disarm(env);
	ck_assert_int_eq(append(w, 1, 0), 0);
	ck_assert_int_eq(append(w, 2, 0), 0);
	ck_assert_int_eq(wal_writer_flush(w), 0);
	wal_writer_close(w);
	ck_assert_uint_eq(read_log(env, "a", 7).frames, 3);
	env_fault_destroy(env);
	env = below;
}
END_TEST

START_TEST(after_a_failure_the_writer_takes_no_more)
{
	static const enum env_call calls[] = { ENV_CALL_WRITE, ENV_CALL_SYNC };
	struct env *below = env;
	char path[2] = "a";

	env = env_fault_create(below);
	for (size_t i = 0; i < 2; i++) {
		struct env_fault_rule rule = { ENV_CALL_BIT(calls[i]), 1, EIO,
			false, true };
		struct wal_writer *w;

		path[0] = (char)('a' + i);
		w = start_log(make_file(path, LOG_SIZE), 7, LOG_SIZE,
		    START_CHAIN, 0);
		ck_assert_int_eq(append(w, 0, 0), 0);
		env_fault_arm(env, &rule);
		if (i == 0)
			ck_assert_int_eq(append(w, 1, 0), -EIO);
		else
			ck_assert_int_eq(wal_writer_sync(w), -EIO);
		/* The disk is well again; the log is not. */
		ck_assert_int_eq(append(w, 1, 0), -rule.error);
		ck_assert_int_eq(wal_writer_flush(w), -rule.error);
		ck_assert_int_eq(wal_writer_sync(w), -rule.error);
		ck_assert_uint_eq(env_fault_matched(env), 1);
		env_fault_disarm(env);
		wal_writer_close(w);
		ck_assert_uint_eq(read_log(env, path, 7).frames, 1);
	}
	env_fault_destroy(env);
	env = below;
}
END_TEST

START_TEST(a_read_error_is_neither_the_end_nor_absence)
{
	struct env *below = env;
	struct env_fault_rule rule = { ENV_CALL_BIT(ENV_CALL_READ), 1, EIO,
		false, false };
	struct wal_reader *r;
	struct wal_frame frame;

	make_log("a", 3);
	env = env_fault_create(below);
	env_fault_arm(env, &rule);
	ck_assert_int_eq(wal_reader_open(open_file("a"), "log", 7, &r), -EIO);
	rule.nth = 2;
	env_fault_arm(env, &rule);
	ck_assert_int_eq(wal_reader_open(open_file("a"), "log", 7, &r), 1);
	ck_assert_int_eq(wal_reader_next(r, &frame), -EIO);
	wal_reader_close(r);
	env_fault_destroy(env);
	env = below;
}
END_TEST

/* Any power cut leaves a prefix with all that was synced, and never looks
 * like rot. Half of the time the file is a recycled one. */
START_TEST(after_a_power_cut_a_prefix_with_all_synced_is_there)
{
	struct env_file *f = make_file("a", LOG_SIZE);
	uint64_t random = seed;

	for (unsigned round = 0; round < 60; round++) {
		struct wal_writer *w;
		unsigned synced = 0, written = 0;
		uint64_t durable = 0;

		w = start_log(f, 100 + round, LOG_SIZE, START_CHAIN, 0);
		for (unsigned i = 0; i < 14; i++) {
			random = random * 6364136223846793005u + 1;
			ck_assert_int_eq(append(w, i, durable), 0);
			written++;
			if (random >> 61 == 0) {
				ck_assert_int_eq(wal_writer_sync(w), 0);
				synced = written;
				durable = START_SEQ + i;
			}
			for (unsigned k = 0; k < 3; k++) {
				struct env *after = env_mem_crash_copy(env,
				    ENV_MEM_HOSTILE, random + k);
				struct outcome o = read_log(after, "a",
				    100 + round);

				ck_assert_int_eq(o.rc, 0);
				ck_assert_uint_ge(o.frames, synced);
				ck_assert_uint_le(o.frames, written);
				if (o.promised != 0)
					ck_assert_uint_lt(o.promised,
					    START_SEQ + o.frames);
				env_mem_destroy(after);
			}
		}
		wal_writer_close(w);
		f = open_file("a");
	}
	env_close(f);
}
END_TEST

/* The real file, mapped, with bodies larger than the reader's window. */
START_TEST(large_frames_pass_through_a_real_file)
{
	char path[] = "/tmp/test_wal.XXXXXX";
	size_t len = 3u << 20;
	uint64_t size = 16u << 20;
	uint8_t *payload = malloc(len);
	uint64_t random = seed | 1;
	struct wal_body body;
	struct env_file *f;
	struct wal_writer *w;
	struct wal_reader *r;
	struct wal_frame frame;

	ck_assert_ptr_nonnull(payload);
	close(mkstemp(path));
	for (size_t i = 0; i < len; i++) {
		random = random * 6364136223846793005u + 1;
		payload[i] = (uint8_t)(random >> 56);
	}
	ck_assert_int_eq(env_path_open(env_posix(), path, ENV_WRITE, &f), 0);
	ck_assert_int_eq(env_allocate(f, size, true), 0);
	w = start_log(f, 1, size, 0, 0);
	wal_body_init(&body);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_int_eq(wal_body_encode(&body,
				     slice_make(payload, len - i), true),
		    0);
		ck_assert_int_eq(wal_writer_append(w, &body, i, 1, 0), 0);
		ck_assert_int_eq(wal_writer_append(w, NULL, i, 0, i), 0);
	}
	wal_body_fini(&body);
	ck_assert_int_eq(wal_writer_sync(w), 0);
	ck_assert_int_eq(env_path_open(env_posix(), path, ENV_READ, &f), 0);
	ck_assert_int_eq(wal_reader_open(f, path, 1, &r), 1);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_int_eq(wal_reader_next(r, &frame), 1);
		ck_assert(
		    slice_eq(frame.payload, slice_make(payload, len - i)));
		ck_assert_int_eq(wal_reader_next(r, &frame), 1);
		ck_assert_uint_eq(frame.durable_seq, i);
	}
	ck_assert_int_eq(wal_reader_next(r, &frame), 0);
	wal_reader_close(r);
	wal_writer_close(w);
	unlink(path);
	free(payload);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("wal");
	const char *given = getenv("KVFS_SEED");

	seed = given != NULL ? strtoull(given, NULL, 0) :
			       (uint64_t)getpid() << 20;
	printf("KVFS_SEED=%" PRIu64 "\n", seed);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, frames_come_back_in_order);
	tcase_add_test(tc, a_log_knows_its_header_and_its_room);
	tcase_add_test(tc,
	    a_promise_is_found_beyond_the_chain_and_does_not_move_it);
	tcase_add_test(tc, a_log_fills_its_file_to_the_last_byte);
	tcase_add_test(tc, too_much_and_too_small_is_refused);
	tcase_add_test(tc, the_chain_goes_on_across_files);
	tcase_add_test(tc, a_file_that_never_became_a_log_is_none);
	tcase_add_test(tc, a_header_of_zeros_over_frames_is_damage);
	tcase_add_test(tc, a_newer_version_is_refused);
	tcase_add_test(tc, a_recycled_file_hides_its_old_frames);
	tcase_add_test(tc,
	    contents_that_imitate_frames_are_not_taken_for_frames);
	tcase_add_test(tc, a_file_cut_anywhere_is_damage);
	tcase_add_test(tc, a_tail_torn_anywhere_leaves_a_prefix);
	tcase_add_test(tc, a_flipped_byte_leaves_a_prefix_or_an_error);
	tcase_add_test(tc, impossible_frames_under_right_sums_are_damage);
	tcase_add_test(tc, a_buffer_gathers_until_it_is_full_or_flushed);
	tcase_add_test(tc, a_full_disk_costs_the_frame_and_not_the_log);
	tcase_add_test(tc, what_a_full_disk_kept_in_memory_can_be_taken_back);
	tcase_add_test(tc, after_a_failure_the_writer_takes_no_more);
	tcase_add_test(tc, a_read_error_is_neither_the_end_nor_absence);
	tcase_add_test(tc, after_a_power_cut_a_prefix_with_all_synced_is_there);
	tcase_add_test(tc, large_frames_pass_through_a_real_file);
	return run_case("wal", tc);
}
