/* SPDX-License-Identifier: ISC */
/* The blocked Bloom filter. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/key/key.h"
#include "engine/table/bloom.h"
#include "kvfs/kv.h"
#include "support/suite.h"
#include "util/coding.h"

static uint64_t
hash_of(uint64_t i)
{
	uint8_t key[16] = { 1 };

	put_be64(key + 1, i);
	return key_hash(slice_make(key, sizeof(key)));
}

static void
build(size_t keys, unsigned bits, struct buf *out)
{
	struct bloom_builder b;

	bloom_builder_init(&b);
	for (uint64_t i = 0; i < keys; i++)
		bloom_builder_add(&b, hash_of(i));
	ck_assert_int_eq(bloom_builder_finish(&b, bits, out), 0);
	ck_assert_uint_eq(out->len, bloom_builder_size(&b, bits));
	bloom_builder_fini(&b);
}

START_TEST(every_key_that_was_added_passes)
{
	static const size_t counts[] = { 1, 2, 50, 51, 52, 1000, 30000 };

	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
		for (unsigned bits = 1; bits <= 24; bits += 3) {
			struct buf raw = { 0 };
			struct bloom b;

			build(counts[c], bits, &raw);
			ck_assert_int_eq(bloom_open(buf_slice(&raw), &b), 0);
			for (uint64_t i = 0; i < counts[c]; i++)
				ck_assert(bloom_may_contain(&b, hash_of(i)));
			buf_fini(&raw);
		}
}
END_TEST

START_TEST(few_absent_keys_pass_at_ten_bits)
{
	const uint64_t keys = 100000, probes = 200000;
	struct buf raw = { 0 };
	struct bloom b;
	uint64_t passed = 0;

	build(keys, 10, &raw);
	ck_assert_int_eq(bloom_open(buf_slice(&raw), &b), 0);
	for (uint64_t i = 0; i < probes; i++)
		passed += bloom_may_contain(&b, hash_of(keys + i));
	printf("false positives: %.2f %%\n",
	    100.0 * (double)passed / (double)probes);
	ck_assert_uint_lt(passed, probes * 15 / 1000);
	buf_fini(&raw);
}
END_TEST

START_TEST(versions_of_one_key_are_counted_once)
{
	struct bloom_builder b;

	bloom_builder_init(&b);
	for (int i = 0; i < 100000; i++)
		bloom_builder_add(&b, hash_of(7));
	ck_assert_uint_eq(bloom_builder_size(&b, 10),
	    BLOOM_LINE_BYTES + BLOOM_TAIL_BYTES);
	bloom_builder_fini(&b);
}
END_TEST

START_TEST(bytes_that_are_no_filter_are_refused)
{
	struct buf raw = { 0 };
	struct bloom b;

	build(100, 10, &raw);
	for (size_t len = 0; len < raw.len; len++)
		ck_assert_int_eq(bloom_open(slice_make(raw.data, len), &b),
		    -KVFS_ECORRUPT);
	/* No probes, too many; lines that are not there. */
	put_le32(raw.data + raw.len - 4, 0);
	ck_assert_int_eq(bloom_open(buf_slice(&raw), &b), -KVFS_ECORRUPT);
	put_le32(raw.data + raw.len - 4, 99);
	ck_assert_int_eq(bloom_open(buf_slice(&raw), &b), -KVFS_ECORRUPT);
	put_le32(raw.data + raw.len - 4, 6);
	put_le32(raw.data + raw.len - 8, UINT32_MAX);
	ck_assert_int_eq(bloom_open(buf_slice(&raw), &b), -KVFS_ECORRUPT);
	buf_fini(&raw);
}
END_TEST

START_TEST(a_missing_filter_lets_everything_pass)
{
	struct bloom b = { 0 };

	ck_assert(bloom_may_contain(&b, hash_of(1)));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, every_key_that_was_added_passes);
	tcase_add_test(tc, few_absent_keys_pass_at_ten_bits);
	tcase_add_test(tc, versions_of_one_key_are_counted_once);
	tcase_add_test(tc, bytes_that_are_no_filter_are_refused);
	tcase_add_test(tc, a_missing_filter_lets_everything_pass);
	return run_case("bloom", tc);
}
