/* SPDX-License-Identifier: ISC */
/* The hot list: order, bounds, bytes, and what a reader refuses. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "engine/cache/hot_list.h"
#include "kvfs/kv.h"
#include "support/entries.h"
#include "support/env_fault.h"
#include "support/env_mem.h"
#include "support/suite.h"
#include "util/coding.h"
#include "util/crc32c.h"

#define HEADER_LEN 32

static struct hot_list list, back;
static struct buf bytes;

static void
setup(void)
{
	list = back = (struct hot_list){ 0 };
	bytes = (struct buf){ 0 };
}

static void
teardown(void)
{
	hot_list_fini(&list);
	hot_list_fini(&back);
	buf_fini(&bytes);
}

static void
make_list(size_t count)
{
	list.places = calloc(count, sizeof(*list.places));
	ck_assert_ptr_nonnull(list.places);
	list.count = count;
	for (size_t i = 0; i < count; i++)
		list.places[i] = (struct block_place){ .file = 1 +
			    random_below(7),
			.off = i * 4000 + random_below(3000),
			.charge = 100,
			.heat = (uint32_t)random_below(BLOCK_HEAT_MAX + 1) };
}

static void
expect_back(void)
{
	ck_assert_uint_eq(back.count, list.count);
	for (size_t i = 0; i < list.count; i++) {
		const struct block_place *a = &list.places[i],
					 *b = &back.places[i];

		ck_assert_uint_eq(a->file, b->file);
		ck_assert_uint_eq(a->off, b->off);
		ck_assert_uint_eq(a->heat, b->heat);
	}
}

static int
decode(void)
{
	hot_list_fini(&back);
	return hot_list_decode(buf_slice(&bytes), &back);
}

/* Make the sums right again after a change. */
static void
seal(void)
{
	uint8_t *h = bytes.data;

	put_le32(h + 20, (uint32_t)bytes.len - HEADER_LEN);
	put_le32(h + 24, crc32c_sum(0, h + HEADER_LEN, bytes.len - HEADER_LEN));
	put_le32(h + 28, crc32c_sum(0, h, 28));
}

START_TEST(the_hottest_come_first_and_neighbours_stand_together)
{
	make_list(1000);
	hot_list_trim(&list, 60050);
	ck_assert_uint_eq(list.count, 600);
	for (size_t i = 1; i < list.count; i++) {
		const struct block_place *a = &list.places[i - 1], *b = a + 1;

		ck_assert_uint_ge(a->heat, b->heat);
		if (a->heat == b->heat) {
			ck_assert_uint_le(a->file, b->file);
			if (a->file == b->file)
				ck_assert_uint_lt(a->off, b->off);
		}
	}
	/* Half of them are among the two hottest kinds. */
	ck_assert_uint_ge(list.places[400].heat, 1);
	hot_list_trim(&list, 0);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(a_list_comes_back_as_it_was)
{
	static const size_t counts[] = { 0, 1, 2, 1000, 30000 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		make_list(counts[i]);
		hot_list_trim(&list, UINT64_MAX);
		hot_list_encode(&list, &bytes);
		ck_assert_int_eq(buf_error(&bytes), 0);
		ck_assert_int_eq(decode(), 0);
		expect_back();
		/* Neighbours cost two bytes or three. */
		ck_assert_uint_le(bytes.len, HEADER_LEN + 200 + counts[i] * 3);
		hot_list_fini(&list);
		buf_clear(&bytes);
	}
	/* The largest numbers there are. */
	make_list(2);
	list.places[0] = (struct block_place){ 1, UINT64_MAX, 0, 3 };
	list.places[1] = (struct block_place){ UINT64_MAX, 0, 0, 0 };
	hot_list_encode(&list, &bytes);
	ck_assert_int_eq(decode(), 0);
	expect_back();
}
END_TEST

START_TEST(the_bytes_are_those_of_the_manual)
{
	static const uint8_t want[] = { 3, /* heat */
		5, 2, 0x80, 0x20, 0x90, 0x10, /* file 5: 4096, 6160 */
		2, 1, 0, /* file 7: 0 */
		0, /* no more files */
		0, 1, 1, 100, 0 }; /* heat 0: file 1: 100 */

	make_list(4);
	list.places[0] = (struct block_place){ 5, 4096, 0, 3 };
	list.places[1] = (struct block_place){ 5, 6160, 0, 3 };
	list.places[2] = (struct block_place){ 7, 0, 0, 3 };
	list.places[3] = (struct block_place){ 1, 100, 0, 0 };
	hot_list_encode(&list, &bytes);
	ck_assert_uint_eq(bytes.len, HEADER_LEN + sizeof(want));
	ck_assert_mem_eq(bytes.data, "kvfsHOT1\1\0\0\0\0\0\0\0\4\0\0\0", 20);
	ck_assert_mem_eq(bytes.data + HEADER_LEN, want, sizeof(want));
}
END_TEST

START_TEST(every_changed_byte_and_every_cut_is_noticed)
{
	make_list(50);
	hot_list_trim(&list, UINT64_MAX);
	hot_list_encode(&list, &bytes);
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.data[i] ^= 0x10;
		ck_assert_int_lt(decode(), 0);
		ck_assert_ptr_null(back.places);
		bytes.data[i] ^= 0x10;
	}
	for (size_t len = bytes.len; len-- > 0;)
		ck_assert_int_lt(hot_list_decode(slice_make(bytes.data, len),
				     &back),
		    0);
	ck_assert_int_eq(decode(), 0);
	put_le32(bytes.data + 8, HOT_LIST_VERSION + 1);
	seal();
	ck_assert_int_eq(decode(), -EPROTO);
}
END_TEST

START_TEST(what_sums_do_not_show_is_refused_too)
{
	static const struct {
		uint32_t count;
		size_t len;
		uint8_t payload[24];
	} bad[] = {
		{ 1, 0, { 0 } }, /* nothing */
		{ 1, 5, { 4, 1, 1, 0, 0 } }, /* too hot */
		{ 1, 4, { 0, 1, 1, 0 } }, /* the end of the files is missing */
		{ 2, 5, { 0, 1, 1, 0, 0 } }, /* fewer than said */
		{ 1, 6, { 0, 1, 2, 0, 1, 0 } }, /* more than said */
		{ 2, 6, { 0, 1, 2, 7, 0, 0 } }, /* twice the same */
		{ 0, 4, { 0, 1, 0, 0 } }, /* a file without blocks */
		{ 2, 10, { 1, 1, 1, 0, 0, 1, 1, 1, 0, 0 } }, /* heat twice */
		{ 2, 16,
		    { 0, 1, 2, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xff, 1, 0, 0 } }, /* beyond 64 bits */
		{ 1 << 24, 5, { 0, 1, 1, 0, 0 } },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&bytes);
		hot_list_encode(&list, &bytes);
		put_le32(bytes.data + 16, bad[i].count);
		buf_append(&bytes, bad[i].payload, bad[i].len);
		seal();
		ck_assert_msg(decode() == -KVFS_ECORRUPT, "case %zu", i);
	}
}
END_TEST

START_TEST(a_file_replaces_the_one_before_or_leaves_it)
{
	struct env *disk = env_mem_create(1), *env = env_fault_create(disk);
	struct env_fault_rule rule = { .error = EIO, .writes_half = true };
	struct env_dir *d;

	ck_assert_int_eq(env_dir_make(env, "d", &d), 0);
	ck_assert_int_eq(hot_list_read(d, &back), -ENOENT);
	make_list(100);
	hot_list_trim(&list, UINT64_MAX);
	ck_assert_int_eq(hot_list_write(d, 1, &list), 0);
	for (rule.nth = 1;; rule.nth++) {
		struct hot_list fewer = { list.places, 10 };
		int rc;

		env_fault_arm(env, &rule);
		rc = hot_list_write(d, 1 + rule.nth, &fewer);
		env_fault_disarm(env);
		hot_list_fini(&back);
		ck_assert_int_eq(hot_list_read(d, &back), 0);
		if (rc == 0)
			break;
		ck_assert_int_eq(rc, -EIO);
		expect_back();
	}
	ck_assert_uint_ge(rule.nth, 3);
	ck_assert_uint_eq(back.count, 10);
	env_dir_close(d);
	env_fault_destroy(env);
	env_mem_destroy(disk);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("hot_list");

	random_init();
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    the_hottest_come_first_and_neighbours_stand_together);
	tcase_add_test(tc, a_list_comes_back_as_it_was);
	tcase_add_test(tc, the_bytes_are_those_of_the_manual);
	tcase_add_test(tc, every_changed_byte_and_every_cut_is_noticed);
	tcase_add_test(tc, what_sums_do_not_show_is_refused_too);
	tcase_add_test(tc, a_file_replaces_the_one_before_or_leaves_it);
	return run_case("hot_list", tc);
}
