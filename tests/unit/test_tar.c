/* SPDX-License-Identifier: ISC */
/* Headers of tar archives: what is written is read again; damage is not. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "support/suite.h"
#include "util/tar.h"

static struct tar_entry
some_entry(uint64_t size)
{
	return (struct tar_entry){ .name = "000042.sst",
		.size = size,
		.mode = 0600,
		.uid = 1000,
		.gid = 100,
		.mtime = 1764374400 };
}

START_TEST(a_header_is_read_as_it_was_written)
{
	static const uint64_t sizes[] = { 0, 1, 511, 512, (1ull << 33) - 1,
		1ull << 33, INT64_MAX };
	struct tar_entry e, got;
	uint8_t h[TAR_BLOCK];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		e = some_entry(sizes[i]);
		tar_header_encode(&e, h);
		ck_assert_int_eq(tar_header_decode(h, &got), 1);
		ck_assert_str_eq(got.name, e.name);
		ck_assert_uint_eq(got.size, e.size);
		ck_assert_uint_eq(got.mode, e.mode);
		ck_assert_uint_eq(got.uid, e.uid);
		ck_assert_uint_eq(got.gid, e.gid);
		ck_assert_int_eq(got.mtime, e.mtime);
	}
}
END_TEST

START_TEST(the_longest_name_fits_and_is_terminated)
{
	struct tar_entry e = some_entry(1), got;
	uint8_t h[TAR_BLOCK];

	memset(e.name, 'n', TAR_NAME_MAX);
	tar_header_encode(&e, h);
	ck_assert_int_eq(tar_header_decode(h, &got), 1);
	ck_assert_str_eq(got.name, e.name);
}
END_TEST

START_TEST(zeros_are_the_end)
{
	uint8_t h[TAR_BLOCK] = { 0 };
	struct tar_entry got;

	ck_assert_int_eq(tar_header_decode(h, &got), 0);
}
END_TEST

START_TEST(no_changed_bit_goes_unseen)
{
	struct tar_entry e = some_entry(123456), got;
	uint8_t h[TAR_BLOCK];

	for (size_t bit = 0; bit < 8ul * TAR_BLOCK; bit++) {
		tar_header_encode(&e, h);
		h[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* The sum itself can be written in several ways. */
		if (bit / 8 >= 148 && bit / 8 < 156)
			continue;
		ck_assert_int_eq(tar_header_decode(h, &got), -EINVAL);
	}
}
END_TEST

START_TEST(contents_fill_whole_blocks)
{
	ck_assert_uint_eq(tar_padded(0), 0);
	ck_assert_uint_eq(tar_padded(1), TAR_BLOCK);
	ck_assert_uint_eq(tar_padded(TAR_BLOCK), TAR_BLOCK);
	ck_assert_uint_eq(tar_padded(TAR_BLOCK + 1), 2ul * TAR_BLOCK);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("tar");

	tcase_add_test(tc, a_header_is_read_as_it_was_written);
	tcase_add_test(tc, the_longest_name_fits_and_is_terminated);
	tcase_add_test(tc, zeros_are_the_end);
	tcase_add_test(tc, no_changed_bit_goes_unseen);
	tcase_add_test(tc, contents_fill_whole_blocks);
	return run_case("tar", tc);
}
