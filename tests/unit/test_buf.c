/* SPDX-License-Identifier: ISC */
/* Growable bytes. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "support/suite.h"
#include "util/buf.h"
#include "util/coding.h"

START_TEST(an_empty_buffer_needs_no_memory)
{
	struct buf b = { 0 };

	ck_assert_int_eq(buf_error(&b), 0);
	ck_assert_uint_eq(buf_slice(&b).len, 0);
	buf_append(&b, NULL, 0);
	buf_append_slice(&b, (struct slice){ 0 });
	ck_assert_int_eq(buf_error(&b), 0);
	ck_assert_uint_eq(b.len, 0);
	buf_fini(&b);
	buf_fini(&b);
}
END_TEST

START_TEST(appended_bytes_come_back_in_order)
{
	struct buf b = { 0 };

	for (unsigned i = 0; i < 100000; i++)
		buf_put_u8(&b, (uint8_t)(i * 7));
	ck_assert_int_eq(buf_error(&b), 0);
	ck_assert_uint_eq(b.len, 100000);
	for (unsigned i = 0; i < 100000; i++)
		ck_assert_uint_eq(b.data[i], (uint8_t)(i * 7));
	buf_fini(&b);
}
END_TEST

START_TEST(integers_are_little_endian)
{
	static const uint8_t want[] = { 0x04, 0x03, 0x02, 0x01, 0x0c, 0x0b,
		0x0a, 0x09, 0x08, 0x07, 0x06, 0x05, 0xac, 0x02, 0x03, 'a', 'b',
		'c' };
	struct buf b = { 0 };

	buf_put_u32(&b, 0x01020304);
	buf_put_u64(&b, 0x05060708090a0b0c);
	buf_put_varint(&b, 300);
	buf_put_lenslice(&b, slice_str("abc"));
	ck_assert(slice_eq(buf_slice(&b), slice_make(want, sizeof(want))));
	buf_fini(&b);
}
END_TEST

START_TEST(extending_counts_the_bytes_in)
{
	struct buf b = { 0 };
	uint8_t *p = buf_extend(&b, 1000);

	ck_assert_ptr_nonnull(p);
	memset(p, 5, 1000);
	ck_assert_uint_eq(b.len, 1000);
	/* Nothing more is a place that may be asked for, too. */
	ck_assert_ptr_nonnull(buf_extend(&b, 0));
	ck_assert_uint_eq(b.len, 1000);
	buf_fini(&b);
	ck_assert_ptr_nonnull(buf_extend(&b, 0));
	buf_fini(&b);
}
END_TEST

START_TEST(reserved_room_is_not_moved_while_it_lasts)
{
	struct buf b = { 0 };
	const uint8_t *data;

	ck_assert_int_eq(buf_reserve(&b, 5000), 0);
	data = b.data;
	for (int i = 0; i < 5000; i++)
		buf_put_u8(&b, 1);
	ck_assert_ptr_eq(b.data, data);
	ck_assert_uint_eq(b.len, 5000);
	buf_fini(&b);
}
END_TEST

START_TEST(a_failed_growth_is_remembered_until_clear)
{
	struct buf b = { 0 };

	buf_append(&b, "abc", 3);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX), -ENOMEM);
	ck_assert_int_eq(buf_error(&b), -ENOMEM);
	/* Nothing is added any more, and nothing that was there is lost. */
	buf_put_u8(&b, 'd');
	buf_put_u64(&b, 1);
	buf_put_varint(&b, 1);
	ck_assert_ptr_null(buf_extend(&b, 1));
	ck_assert(slice_eq(buf_slice(&b), slice_str("abc")));
	buf_clear(&b);
	ck_assert_int_eq(buf_error(&b), 0);
	buf_append(&b, "xy", 2);
	ck_assert(slice_eq(buf_slice(&b), slice_str("xy")));
	buf_fini(&b);
}
END_TEST

START_TEST(detached_bytes_belong_to_the_caller)
{
	struct buf b = { 0 };
	char *p;

	buf_append(&b, "hello", 6);
	p = buf_detach(&b);
	ck_assert_str_eq(p, "hello");
	ck_assert_ptr_null(b.data);
	ck_assert_uint_eq(b.len, 0);
	buf_append(&b, "again", 6);
	ck_assert_str_eq(p, "hello");
	free(p);
	buf_fini(&b);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, an_empty_buffer_needs_no_memory);
	tcase_add_test(tc, appended_bytes_come_back_in_order);
	tcase_add_test(tc, integers_are_little_endian);
	tcase_add_test(tc, extending_counts_the_bytes_in);
	tcase_add_test(tc, reserved_room_is_not_moved_while_it_lasts);
	tcase_add_test(tc, a_failed_growth_is_remembered_until_clear);
	tcase_add_test(tc, detached_bytes_belong_to_the_caller);
	return run_case("buf", tc);
}
