/* SPDX-License-Identifier: ISC */
/*
 * Segments: a value comes back under its pointer and its key, or not at
 * all; a walk finds what can still be read around any damage.
 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/key/key.h"
#include "engine/segment/segment.h"
#include "engine/segment/segment_format.h"
#include "support/env_fault.h"
#include "support/env_mem.h"
#include "support/suite.h"
#include "support/env_path.h"
#include "util/coding.h"
#include "util/log.h"

#define NUMBER 5
#define RAW_MAX 8192

static struct env *env;
static uint64_t seed;
static unsigned messages;

static void
count_message(enum log_level level, const char *line)
{
	(void)level, (void)line;
	messages++;
}

static void
set_up(void)
{
	log_set_sink(count_message);
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

static struct segment_writer *
start_segment(const char *path, uint64_t number)
{
	struct segment_writer *w;
	struct env_file *f;

	ck_assert_int_eq(env_path_open(env, path, ENV_WRITE | ENV_CREATE, &f),
	    0);
	ck_assert_int_eq(env_path_sync(env, "/"), 0);
	ck_assert_int_eq(segment_writer_open(f, path, number, &w), 0);
	return w;
}

/* Value number i: compressible every other time, sometimes empty. */
static struct slice
make_raw(unsigned i, uint8_t raw[RAW_MAX])
{
	size_t len = i % 7 == 3 ? 0 : 100 + i * 37 % 1000;

	for (size_t j = 0; j < len; j++)
		raw[j] =
		    (uint8_t)(i % 2 == 0 ? i : (i + j) * j * 2654435761u >> 11);
	return slice_make(raw, len);
}

static struct slice
make_user(unsigned i, uint8_t user[KEY_USER_MAX])
{
	memset(user, 0, KEY_USER_MAX);
	put_be64(user + 1, i);
	return slice_make(user, KEY_PREFIX_LEN + i % 11);
}

static int
append(struct segment_writer *w, unsigned i, struct segment_pointer *p)
{
	uint8_t raw[RAW_MAX], user[KEY_USER_MAX];
	struct segment_value v;
	int rc;

	segment_value_init(&v);
	rc = segment_value_encode(&v, make_user(i, user), make_raw(i, raw),
	    i % 3 != 0);
	if (rc == 0)
		rc = segment_append(w, &v, 1, p);
	segment_value_fini(&v);
	return rc;
}

static void
make_segment(const char *path, unsigned count, struct segment_pointer *p)
{
	struct segment_writer *w = start_segment(path, NUMBER);

	for (unsigned i = 0; i < count; i++)
		ck_assert_int_eq(append(w, i, &p[i]), 0);
	ck_assert_int_eq(segment_writer_sync(w), 0);
	segment_writer_close(w);
}

/* ---- Reading ---- */

static struct segment_reader *
open_reader(struct env *in, const char *path)
{
	struct segment_reader *r;
	struct env_file *f;

	ck_assert_int_eq(env_path_open(in, path, ENV_READ, &f), 0);
	ck_assert_int_eq(segment_reader_open(f, path, NUMBER, &r), 0);
	return r;
}

/* Read value number i under p: 0 only if it is right. */
static int
read_back(struct segment_reader *r, const struct segment_pointer *p, unsigned i)
{
	uint8_t raw[RAW_MAX], user[KEY_USER_MAX];
	struct kv_value v;
	int rc = segment_read(r, p, make_user(i, user), &v);

	ck_assert_int_eq(segment_probe(r, p, make_user(i, user)), rc);
	if (rc == 0)
		ck_assert(slice_eq(v.data, make_raw(i, raw)));
	else
		ck_assert_ptr_null(v.release);
	kv_value_release(&v);
	return rc;
}

struct found {
	const struct segment_pointer *pointers; /* of all, in order */
	unsigned total;
	unsigned frames;
	uint64_t last_off;
	bool seen[64];
};

/* Only frames that were appended, with their own pointer, in order. */
static int
check_frame(void *arg, const struct segment_pointer *p, struct slice user,
    struct slice raw)
{
	uint8_t raw_buf[RAW_MAX], user_buf[KEY_USER_MAX];
	struct found *found = arg;
	unsigned i;

	ck_assert_uint_ge(user.len, KEY_PREFIX_LEN);
	i = (unsigned)get_be64((const uint8_t *)user.data + 1);
	ck_assert_uint_lt(i, found->total);
	ck_assert(slice_eq(user, make_user(i, user_buf)));
	ck_assert(slice_eq(raw, make_raw(i, raw_buf)));
	if (found->pointers != NULL)
		ck_assert_mem_eq(p, &found->pointers[i], sizeof(*p));
	ck_assert_uint_gt(p->off, found->last_off);
	found->last_off = p->off;
	ck_assert(!found->seen[i]);
	found->seen[i] = true;
	found->frames++;
	return 0;
}

static int
walk(const char *path, struct found *found)
{
	struct segment_reader *r = open_reader(env, path);
	int rc = segment_walk(r, NULL, check_frame, found);

	segment_reader_close(r);
	return rc;
}

static void
store(const char *path, const void *data, size_t len, uint64_t off)
{
	struct env_file *f = open_file(path);
	struct iovec iov = { (void *)data, len };

	ck_assert_int_eq(env_write(f, &iov, 1, off), 0);
	env_close(f);
}

/* ---- Tests ---- */

START_TEST(values_come_back_under_their_pointers)
{
	struct segment_pointer p[40];
	struct found found = { .pointers = p, .total = 40 };
	struct segment_reader *r;

	make_segment("a", 40, p);
	r = open_reader(env, "a");
	for (unsigned i = 0; i < 40; i++) {
		ck_assert_uint_eq(p[i].off % 8, 0);
		ck_assert_int_eq(read_back(r, &p[i], i), 0);
	}
	segment_reader_close(r);
	ck_assert_int_eq(walk("a", &found), 0);
	ck_assert_uint_eq(found.frames, 40);
	ck_assert_uint_eq(messages, 0);
}
END_TEST

START_TEST(many_values_take_one_write)
{
	enum { COUNT = IOV_MAX };
	struct segment_writer *w = start_segment("a", NUMBER);
	struct segment_value *v = calloc(COUNT, sizeof(*v));
	struct segment_pointer *p = calloc(COUNT, sizeof(*p));
	uint8_t(*users)[KEY_USER_MAX] = calloc(COUNT, KEY_USER_MAX);
	uint8_t raws[7][RAW_MAX];
	struct segment_reader *r;
	uint64_t writes = env_mem_calls(env, ENV_CALL_WRITE);

	for (unsigned i = 0; i < COUNT; i++)
		ck_assert_int_eq(segment_value_encode(&v[i],
				     make_user(i, users[i]),
				     make_raw(i % 7, raws[i % 7]), false),
		    0);
	ck_assert_int_eq(segment_append(w, v, COUNT, p), 0);
	ck_assert_uint_eq(env_mem_calls(env, ENV_CALL_WRITE) - writes, 1);
	ck_assert_uint_eq(segment_writer_size(w),
	    p[COUNT - 1].off + p[COUNT - 1].frame_len);
	ck_assert_uint_eq(segment_writer_number(w), NUMBER);
	ck_assert_int_eq(segment_append(w, v, 0, p), 0);
	segment_writer_close(w);
	r = open_reader(env, "a");
	for (unsigned i = 0; i < COUNT; i++) {
		struct kv_value value;

		ck_assert_int_eq(segment_read(r, &p[i],
				     slice_make(users[i], v[i].user.len),
				     &value),
		    0);
		ck_assert(slice_eq(value.data, make_raw(i % 7, raws[i % 7])));
		kv_value_release(&value);
	}
	segment_reader_close(r);
	free(users);
	free(v);
	free(p);
}
END_TEST

START_TEST(a_value_of_the_largest_size_comes_back)
{
	uint8_t *raw = calloc(1, (size_t)KV_VALUE_MAX + 1);
	uint8_t user[KEY_USER_MAX] = { 1 };
	struct slice key = slice_make(user, sizeof(user));
	struct segment_writer *w = start_segment("a", NUMBER);
	struct segment_value v;
	struct segment_pointer p;
	struct segment_reader *r;
	struct kv_value value;

	for (size_t i = 0; i < KV_VALUE_MAX; i++)
		raw[i] = (uint8_t)(i * i * 2654435761u >> 13);
	segment_value_init(&v);
	for (int compress = 0; compress < 2; compress++) {
		ck_assert_int_eq(segment_value_encode(&v, key,
				     slice_make(raw, KV_VALUE_MAX), compress),
		    0);
		ck_assert_int_eq(segment_append(w, &v, 1, &p), 0);
		r = open_reader(env, "a");
		ck_assert_int_eq(segment_read(r, &p, key, &value), 0);
		ck_assert(slice_eq(value.data, slice_make(raw, KV_VALUE_MAX)));
		kv_value_release(&value);
		segment_reader_close(r);
	}
	ck_assert_int_eq(segment_value_encode(&v, key,
			     slice_make(raw, (size_t)KV_VALUE_MAX + 1), false),
	    -E2BIG);
	ck_assert_int_eq(segment_value_encode(&v, slice_make(user, 8),
			     slice_make(raw, 1), false),
	    -EINVAL);
	segment_value_fini(&v);
	segment_writer_close(w);
	free(raw);
}
END_TEST

START_TEST(a_pointer_that_cannot_be_is_refused)
{
	static const struct segment_pointer bad[] = {
		{ 1, 0, 40, 0 },
		{ 1, 24, 40, 0 },
		{ 1, 33, 40, 0 },
		{ 1, 32, 32, 0 },
		{ 1, 32, 44, 0 },
		{ 1, 32, 0, 0 },
		{ 1, UINT64_MAX - 7, 40, 0 },
		{ 1, INT64_MAX & ~7ull, 40, 0 },
		{ 1, 32, 40, KV_VALUE_MAX + 1 },
		{ 1, 32, UINT32_MAX & ~7u, KV_VALUE_MAX },
		{ 1, 32, 4096, 100 },
	};
	struct segment_pointer good = { 1, 32, 4096, 4000 }, p;
	uint8_t bytes[SEGMENT_POINTER_LEN];

	segment_pointer_encode(&good, bytes);
	ck_assert_int_eq(segment_pointer_decode(slice_make(bytes, 24), &p), 0);
	ck_assert_mem_eq(&p, &good, sizeof(p));
	for (size_t len = 0; len < 24; len++)
		ck_assert_int_eq(segment_pointer_decode(slice_make(bytes, len),
				     &p),
		    -KVFS_ECORRUPT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		segment_pointer_encode(&bad[i], bytes);
		ck_assert_int_eq(segment_pointer_decode(slice_make(bytes, 24),
				     &p),
		    -KVFS_ECORRUPT);
	}
}
END_TEST

START_TEST(pointer_key_and_frame_must_agree)
{
	struct segment_pointer p[3], q;
	struct segment_reader *r;

	make_segment("a", 3, p);
	r = open_reader(env, "a");
	ck_assert_int_eq(read_back(r, &p[1], 2), -KVFS_ECORRUPT);
	q = p[1], q.off = p[2].off;
	ck_assert_int_lt(read_back(r, &q, 1), 0);
	q = p[1], q.off += 8;
	ck_assert_int_lt(read_back(r, &q, 1), 0);
	q = p[1], q.frame_len += 8;
	ck_assert_int_lt(read_back(r, &q, 1), 0);
	q = p[1], q.raw_len += 1;
	ck_assert_int_lt(read_back(r, &q, 1), 0);
	q = p[1], q.segment = NUMBER + 1;
	ck_assert_int_lt(read_back(r, &q, 1), 0);
	q = p[1], q.off = 1u << 30;
	ck_assert_int_eq(read_back(r, &q, 1), -KVFS_ECORRUPT);
	q = p[1], q.frame_len = UINT32_MAX;
	ck_assert_int_eq(read_back(r, &q, 1), -KVFS_ECORRUPT);
	ck_assert_uint_eq(messages, 8); /* one each, none by the probe */
	ck_assert_int_eq(read_back(r, &p[1], 1), 0);
	segment_reader_close(r);
}
END_TEST

START_TEST(a_frame_at_another_place_is_none)
{
	struct segment_pointer p[2], moved;
	uint8_t frame[RAW_MAX];
	struct segment_reader *r;
	struct env_file *f;

	make_segment("a", 2, p);
	f = open_file("a");
	ck_assert_int_eq(env_read(f, frame, p[0].frame_len, p[0].off),
	    p[0].frame_len);
	env_close(f);
	moved = p[0];
	moved.off = p[1].off + p[1].frame_len;
	store("a", frame, p[0].frame_len, moved.off);
	r = open_reader(env, "a");
	ck_assert_int_eq(read_back(r, &moved, 0), -KVFS_ECHECKSUM);
	segment_reader_close(r);
}
END_TEST

START_TEST(a_wrong_header_is_told)
{
	struct segment_pointer p;
	struct segment_reader *r;
	uint8_t header[SEGMENT_HEADER_LEN];

	make_segment("a", 1, &p);
	ck_assert_int_eq(segment_reader_open(open_file("a"), "a", NUMBER + 1,
			     &r),
	    -KVFS_ECORRUPT);
	ck_assert_ptr_null(r);
	for (unsigned i = 0; i < SEGMENT_HEADER_LEN; i++) {
		segment_header_encode(NUMBER, header);
		header[i] ^= 0x10;
		store("a", header, sizeof(header), 0);
		ck_assert_int_eq(segment_reader_open(open_file("a"), "a",
				     NUMBER, &r),
		    -KVFS_ECHECKSUM);
	}
}
END_TEST

START_TEST(a_flipped_byte_costs_at_most_its_own_value)
{
	enum { COUNT = 5 };
	struct segment_pointer p[COUNT];
	uint64_t end;

	make_segment("a", COUNT, p);
	end = p[COUNT - 1].off + p[COUNT - 1].frame_len;
	for (uint64_t at = SEGMENT_HEADER_LEN; at < end; at++) {
		struct segment_reader *r = open_reader(env, "a");
		struct found found = { .pointers = p, .total = COUNT };
		struct env_file *f = open_file("a");
		uint8_t good, bad;

		ck_assert_int_eq(env_read(f, &good, 1, at), 1);
		env_close(f);
		bad = good ^ (at % 2 != 0 ? 0xff : 0x01);
		store("a", &bad, 1, at);
		for (unsigned i = 0; i < COUNT; i++) {
			bool is_hit = at >= p[i].off &&
			    at < p[i].off + p[i].frame_len;

			if (is_hit)
				ck_assert_int_lt(read_back(r, &p[i], i), 0);
			else
				ck_assert_int_eq(read_back(r, &p[i], i), 0);
		}
		ck_assert_int_eq(segment_walk(r, NULL, check_frame, &found), 1);
		ck_assert_uint_eq(found.frames, COUNT - 1);
		segment_reader_close(r);
		store("a", &good, 1, at);
	}
}
END_TEST

START_TEST(a_cut_leaves_the_values_before_it)
{
	enum { COUNT = 5 };
	struct segment_pointer p[COUNT];
	struct env_file *f;

	make_segment("a", COUNT, p);
	f = open_file("a");
	for (uint64_t len = p[COUNT - 1].off + p[COUNT - 1].frame_len - 1;
	     len >= SEGMENT_HEADER_LEN; len--) {
		struct segment_reader *r = open_reader(env, "a");
		struct found found = { .pointers = p, .total = COUNT };
		unsigned whole = 0;

		ck_assert_int_eq(env_truncate(f, len), 0);
		for (unsigned i = 0; i < COUNT; i++) {
			if (p[i].off + p[i].frame_len <= len) {
				ck_assert_int_eq(read_back(r, &p[i], i), 0);
				whole++;
			} else {
				ck_assert_int_eq(read_back(r, &p[i], i),
				    -KVFS_ECORRUPT);
			}
		}
		ck_assert_int_ge(segment_walk(r, NULL, check_frame, &found), 0);
		ck_assert_uint_eq(found.frames, whole);
		segment_reader_close(r);
	}
	env_close(f);
}
END_TEST

static int
stop(void *arg, const struct segment_pointer *p, struct slice user,
    struct slice raw)
{
	(void)arg, (void)p, (void)user, (void)raw;
	return -ECANCELED;
}

START_TEST(a_walk_reports_each_damaged_stretch_once)
{
	struct segment_pointer p[10];
	struct found found = { .pointers = p, .total = 10 };
	uint8_t junk[64];
	char *text = NULL;
	size_t text_len;
	FILE *out = open_memstream(&text, &text_len);
	struct segment_reader *r;

	make_segment("a", 10, p);
	memset(junk, 0xa5, sizeof(junk));
	/* The heads of two neighbours, and the body of another. */
	store("a", junk, 32, p[2].off);
	store("a", junk, 32, p[3].off);
	store("a", junk, 8, p[7].off + p[7].frame_len - 16);
	r = open_reader(env, "a");
	ck_assert_int_eq(segment_walk(r, out, check_frame, &found), 2);
	fclose(out);
	ck_assert_uint_eq(found.frames, 7);
	ck_assert_ptr_nonnull(strstr(text, "damage: a: offset "));
	ck_assert_ptr_nonnull(strchr(text, '\n'));
	ck_assert_ptr_eq(strchr(strchr(text, '\n') + 1, '\n'),
	    text + text_len - 1);
	ck_assert_int_eq(segment_walk(r, NULL, stop, NULL), -ECANCELED);
	segment_reader_close(r);
	free(text);
}
END_TEST

START_TEST(a_full_disk_leaves_a_gap_and_the_writer_usable)
{
	struct segment_writer *w = start_segment("a", NUMBER);
	struct segment_pointer p[3], lost;
	struct segment_reader *r;
	uint64_t size;

	ck_assert_int_eq(append(w, 0, &p[0]), 0);
	size = segment_writer_size(w);
	env_mem_set_free(env, 0);
	while (append(w, 2, &lost) == 0)
		size = segment_writer_size(w);
	ck_assert_int_eq(append(w, 2, &lost), -ENOSPC);
	ck_assert_uint_eq(segment_writer_size(w), size);
	ck_assert_uint_eq(messages, 1);
	env_mem_set_free(env, 1u << 20);
	ck_assert_int_eq(append(w, 1, &p[1]), 0);
	ck_assert_int_eq(segment_writer_sync(w), 0);
	segment_writer_close(w);
	r = open_reader(env, "a");
	ck_assert_int_eq(read_back(r, &p[0], 0), 0);
	ck_assert_int_eq(read_back(r, &p[1], 1), 0);
	segment_reader_close(r);
}
END_TEST

/* What an append that failed beside others leaves. */
START_TEST(a_walk_passes_over_gaps_of_zeros)
{
	struct segment_pointer p[3];
	struct found found = { .pointers = p, .total = 3 };
	uint8_t zeros[RAW_MAX] = { 0 };

	make_segment("a", 3, p);
	store("a", zeros, p[1].frame_len, p[1].off);
	store("a", zeros, sizeof(zeros), p[2].off + p[2].frame_len);
	ck_assert_int_eq(walk("a", &found), 0);
	ck_assert_uint_eq(found.frames, 2);
}
END_TEST

START_TEST(after_a_lasting_failure_the_writer_takes_no_more)
{
	static const enum env_call calls[] = { ENV_CALL_WRITE, ENV_CALL_SYNC };
	struct env *below = env;
	char path[2] = "a";

	env = env_fault_create(below);
	for (size_t i = 0; i < 2; i++) {
		struct env_fault_rule rule = { ENV_CALL_BIT(calls[i]), 1, EIO,
			false, true };
		struct segment_writer *w;
		struct segment_pointer p;

		path[0] = (char)('a' + i);
		w = start_segment(path, NUMBER);
		ck_assert_int_eq(append(w, 0, &p), 0);
		env_fault_arm(env, &rule);
		if (i == 0)
			ck_assert_int_eq(append(w, 1, &p), -EIO);
		else
			ck_assert_int_eq(segment_writer_sync(w), -EIO);
		ck_assert_int_eq(append(w, 1, &p), -EIO);
		ck_assert_int_eq(segment_writer_sync(w), -EIO);
		ck_assert_uint_eq(env_fault_matched(env), 1);
		env_fault_disarm(env);
		segment_writer_close(w);
	}
	env_fault_destroy(env);
	env = below;
}
END_TEST

START_TEST(a_sync_without_news_is_free)
{
	struct segment_writer *w = start_segment("a", NUMBER);
	struct segment_pointer p;

	ck_assert_int_eq(segment_writer_sync(w), 0); /* the header */
	ck_assert_uint_eq(env_mem_calls(env, ENV_CALL_SYNC), 1);
	ck_assert_int_eq(segment_writer_sync(w), 0);
	ck_assert_uint_eq(env_mem_calls(env, ENV_CALL_SYNC), 1);
	ck_assert_int_eq(append(w, 0, &p), 0);
	ck_assert_int_eq(segment_writer_sync(w), 0);
	ck_assert_int_eq(segment_writer_sync(w), 0);
	ck_assert_uint_eq(env_mem_calls(env, ENV_CALL_SYNC), 2);
	segment_writer_close(w);
}
END_TEST

struct appender {
	struct segment_writer *w;
	unsigned first, count;
	struct segment_pointer *pointers;
	bool has_failed;
};

/* Append, sync, and look whether a power cut now would lose it. */
static void *
append_and_sync(void *arg)
{
	struct appender *a = arg;

	for (unsigned i = a->first; i < a->first + a->count; i++) {
		struct segment_reader *r;
		struct env_file *f;
		struct env *after;
		uint8_t user[KEY_USER_MAX];

		if (append(a->w, i, &a->pointers[i]) != 0 ||
		    segment_writer_sync(a->w) != 0)
			a->has_failed = true;
		after = env_mem_crash_copy(env, ENV_MEM_HOSTILE, i);
		if (env_path_open(after, "a", ENV_READ, &f) != 0 ||
		    segment_reader_open(f, "a", NUMBER, &r) != 0) {
			a->has_failed = true;
		} else {
			if (segment_probe(r, &a->pointers[i],
				make_user(i, user)) != 0)
				a->has_failed = true;
			segment_reader_close(r);
		}
		env_mem_destroy(after);
	}
	return NULL;
}

START_TEST(threads_append_and_sync_at_once)
{
	enum { THREADS = 4, EACH = 15 };
	struct segment_pointer p[THREADS * EACH];
	struct segment_writer *w = start_segment("a", NUMBER);
	struct found found = { .pointers = p, .total = THREADS * EACH };
	struct appender a[THREADS];
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		a[i] = (struct appender){ w, i * EACH, EACH, p, false };
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
				     append_and_sync, &a[i]),
		    0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert(!a[i].has_failed);
	}
	segment_writer_close(w);
	ck_assert_int_eq(walk("a", &found), 0);
	ck_assert_uint_eq(found.frames, THREADS * EACH);
}
END_TEST

START_TEST(a_power_cut_leaves_synced_values_and_no_wrong_ones)
{
	struct segment_pointer p[30];
	struct segment_writer *w = start_segment("a", NUMBER);
	uint64_t random = seed;
	unsigned synced = 0;

	ck_assert_int_eq(segment_writer_sync(w), 0);
	for (unsigned i = 0; i < 30; i++) {
		ck_assert_int_eq(append(w, i, &p[i]), 0);
		random = random * 6364136223846793005u + 1;
		if (random >> 62 == 0) {
			ck_assert_int_eq(segment_writer_sync(w), 0);
			synced = i + 1;
		}
		for (unsigned k = 0; k < 10; k++) {
			struct env *after = env_mem_crash_copy(env,
			    ENV_MEM_HOSTILE, random + k);
			struct segment_reader *r = open_reader(after, "a");
			struct found found = { .pointers = p, .total = i + 1 };
			unsigned whole = 0;

			for (unsigned j = 0; j <= i; j++) {
				int rc = read_back(r, &p[j], j);

				whole += rc == 0;
				if (j < synced)
					ck_assert_int_eq(rc, 0);
			}
			ck_assert_int_ge(segment_walk(r, NULL, check_frame,
					     &found),
			    0);
			ck_assert_uint_eq(found.frames, whole);
			segment_reader_close(r);
			env_mem_destroy(after);
		}
	}
	segment_writer_close(w);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("segment");
	const char *given = getenv("KVFS_SEED");

	seed = given != NULL ? strtoull(given, NULL, 0) :
			       (uint64_t)getpid() << 20;
	printf("KVFS_SEED=%" PRIu64 "\n", seed);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, values_come_back_under_their_pointers);
	tcase_add_test(tc, many_values_take_one_write);
	tcase_add_test(tc, a_value_of_the_largest_size_comes_back);
	tcase_add_test(tc, a_pointer_that_cannot_be_is_refused);
	tcase_add_test(tc, pointer_key_and_frame_must_agree);
	tcase_add_test(tc, a_frame_at_another_place_is_none);
	tcase_add_test(tc, a_wrong_header_is_told);
	tcase_add_test(tc, a_flipped_byte_costs_at_most_its_own_value);
	tcase_add_test(tc, a_cut_leaves_the_values_before_it);
	tcase_add_test(tc, a_walk_reports_each_damaged_stretch_once);
	tcase_add_test(tc, a_full_disk_leaves_a_gap_and_the_writer_usable);
	tcase_add_test(tc, a_walk_passes_over_gaps_of_zeros);
	tcase_add_test(tc, after_a_lasting_failure_the_writer_takes_no_more);
	tcase_add_test(tc, a_sync_without_news_is_free);
	tcase_add_test(tc, threads_append_and_sync_at_once);
	tcase_add_test(tc, a_power_cut_leaves_synced_values_and_no_wrong_ones);
	return run_case("segment", tc);
}
