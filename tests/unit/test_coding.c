/* SPDX-License-Identifier: ISC */
/* Integers in bytes, and the cursor over bytes that nobody vouches for. */
#include <check.h>
#include <stdlib.h>

#include "support/model.h"
#include "support/suite.h"
#include "util/coding.h"

START_TEST(fixed_integers_have_their_byte_order_at_any_address)
{
	uint8_t b[16];

	for (int off = 0; off < 8; off++) {
		put_le32(b + off, 0x01020304);
		ck_assert_uint_eq(b[off], 4);
		ck_assert_uint_eq(get_le32(b + off), 0x01020304);
		put_le64(b + off, 0x0102030405060708);
		ck_assert_uint_eq(b[off], 8);
		ck_assert_uint_eq(get_le64(b + off), 0x0102030405060708);
		put_be64(b + off, 0x0102030405060708);
		ck_assert_uint_eq(b[off], 1);
		ck_assert_uint_eq(get_be64(b + off), 0x0102030405060708);
	}
}
END_TEST

static void
expect_varint(uint64_t v)
{
	uint8_t b[VARINT_MAX_BYTES];
	size_t n = put_varint(b, v);
	uint64_t got;

	ck_assert_uint_ge(n, 1);
	ck_assert_uint_le(n, VARINT_MAX_BYTES);
	ck_assert_uint_eq(get_varint(b, b + n, &got), n);
	ck_assert_uint_eq(got, v);
	/* Cut short it is none. */
	for (size_t len = 0; len < n; len++) {
		ck_assert_uint_eq(get_varint(b, b + len, &got), 0);
		ck_assert_uint_eq(got, 0);
	}
}

START_TEST(varints_come_back)
{
	struct rng r = { test_seed() };

	for (int bit = 0; bit < 64; bit++) {
		expect_varint(1ull << bit);
		expect_varint((1ull << bit) - 1);
		expect_varint(~0ull >> bit);
	}
	for (int i = 0; i < 10000; i++)
		expect_varint(rng_next(&r) >> rng_below(&r, 64));
}
END_TEST

START_TEST(varints_of_more_than_64_bits_are_refused)
{
	uint8_t b[12];
	uint64_t v;

	memset(b, 0xff, sizeof(b));
	ck_assert_uint_eq(get_varint(b, b + sizeof(b), &v), 0);
	/* Ten bytes with one bit in the last: the largest there is. */
	b[9] = 1;
	ck_assert_uint_eq(get_varint(b, b + sizeof(b), &v), 10);
	ck_assert_uint_eq(v, UINT64_MAX);
	b[9] = 2;
	ck_assert_uint_eq(get_varint(b, b + sizeof(b), &v), 0);
	b[9] = 0x81;
	ck_assert_uint_eq(get_varint(b, b + sizeof(b), &v), 0);
}
END_TEST

START_TEST(a_cursor_reads_what_was_put)
{
	uint8_t b[64];
	size_t n = 0;
	struct cursor c;

	b[n++] = 7;
	put_le32(b + n, 0xdeadbeef);
	n += 4;
	put_le64(b + n, 0x1122334455667788);
	n += 8;
	n += put_varint(b + n, 1000000);
	n += put_varint(b + n, 3);
	memcpy(b + n, "abcde", 5);
	n += 5;
	c = cursor_make(slice_make(b, n));
	ck_assert_uint_eq(cursor_u8(&c), 7);
	ck_assert_uint_eq(cursor_u32(&c), 0xdeadbeef);
	ck_assert_uint_eq(cursor_u64(&c), 0x1122334455667788);
	ck_assert_uint_eq(cursor_varint(&c), 1000000);
	ck_assert(slice_eq(cursor_lenslice(&c), slice_str("abc")));
	ck_assert(slice_eq(cursor_bytes(&c, 2), slice_str("de")));
	ck_assert_uint_eq(cursor_left(&c), 0);
	ck_assert(c.ok);
	ck_assert_uint_eq(cursor_bytes(&c, 0).len, 0);
	ck_assert(c.ok);
}
END_TEST

START_TEST(after_a_failure_a_cursor_gives_only_zero)
{
	static const uint8_t b[] = { 1, 2, 3 };
	struct cursor c = cursor_make(slice_make(b, sizeof(b)));

	ck_assert_uint_eq(cursor_u32(&c), 0);
	ck_assert(!c.ok);
	/* Though there would be enough for these. */
	ck_assert_uint_eq(cursor_u8(&c), 0);
	ck_assert_uint_eq(cursor_varint(&c), 0);
	ck_assert_uint_eq(cursor_u64(&c), 0);
	ck_assert_uint_eq(cursor_bytes(&c, 1).len, 0);
	ck_assert_uint_eq(cursor_lenslice(&c).len, 0);
	ck_assert(!c.ok);
}
END_TEST

START_TEST(lengths_beyond_the_end_are_refused)
{
	static const uint64_t lengths[] = { 4, 1ull << 31, 1ull << 32,
		1ull << 63, UINT64_MAX - 3, UINT64_MAX };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint8_t b[VARINT_MAX_BYTES + 3];
		size_t n = put_varint(b, lengths[i]);
		struct cursor c = cursor_make(slice_make(b, n + 3));

		ck_assert_uint_eq(cursor_lenslice(&c).len, 0);
		ck_assert(!c.ok);
		c = cursor_make(slice_make(b, 3));
		ck_assert_uint_eq(cursor_bytes(&c, lengths[i]).len, 0);
		ck_assert(!c.ok);
	}
}
END_TEST

START_TEST(a_cursor_over_anything_stays_within_it)
{
	struct rng r = { test_seed() };

	for (int i = 0; i < 20000; i++) {
		size_t len = rng_below(&r, 40);
		/* Its own allocation, so that the sanitizer sees its end. */
		uint8_t *b = malloc(len != 0 ? len : 1);
		struct cursor c;

		ck_assert_ptr_nonnull(b);
		for (size_t j = 0; j < len; j++)
			b[j] = (uint8_t)rng_below(&r,
			    rng_below(&r, 2) ? 256 : 8);
		c = cursor_make(slice_make(b, len));
		while (c.ok) {
			struct slice s = { 0 };

			switch (rng_below(&r, 5)) {
			case 0:
				cursor_u8(&c);
				break;
			case 1:
				cursor_u32(&c);
				break;
			case 2:
				cursor_u64(&c);
				break;
			case 3:
				cursor_varint(&c);
				break;
			default:
				s = cursor_lenslice(&c);
			}
			if (s.len != 0) {
				const uint8_t *p = s.data;

				ck_assert(p >= b && p + s.len <= b + len);
			}
			ck_assert(c.p >= b && c.p <= b + len);
			if (cursor_left(&c) == 0)
				break;
		}
		free(b);
	}
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, fixed_integers_have_their_byte_order_at_any_address);
	tcase_add_test(tc, varints_come_back);
	tcase_add_test(tc, varints_of_more_than_64_bits_are_refused);
	tcase_add_test(tc, a_cursor_reads_what_was_put);
	tcase_add_test(tc, after_a_failure_a_cursor_gives_only_zero);
	tcase_add_test(tc, lengths_beyond_the_end_are_refused);
	tcase_add_test(tc, a_cursor_over_anything_stays_within_it);
	return run_case("coding", tc);
}
