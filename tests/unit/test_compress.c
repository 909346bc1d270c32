/* SPDX-License-Identifier: ISC */
/* Compression where it pays, and its undoing from untrusted bytes. */
#include <check.h>
#include <stdlib.h>

#include "kvfs/kv.h"
#include "support/model.h"
#include "support/suite.h"
#include "util/compress.h"

static void
fill(uint8_t *p, size_t len, struct rng *r, unsigned symbols)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)rng_below(r, symbols);
}

START_TEST(whatever_goes_in_comes_out)
{
	static const size_t lengths[] = { 0, 1, 63, 64, 65, 1000, 4096,
		100000 };
	struct rng r = { test_seed() };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (unsigned symbols = 1; symbols <= 256; symbols *= 4) {
			size_t len = lengths[i];
			uint8_t *raw = malloc(len + 1), *back = malloc(len + 1);
			struct buf out = { 0 };
			enum codec codec;

			ck_assert(raw != NULL && back != NULL);
			fill(raw, len, &r, symbols);
			/* What stands there already stays. */
			buf_put_u8(&out, 0x55);
			codec = compress_append(CODEC_SNAPPY,
			    slice_make(raw, len), &out);
			ck_assert_int_eq(buf_error(&out), 0);
			ck_assert_uint_eq(out.data[0], 0x55);
			back[len] = 0xaa;
			ck_assert_int_eq(compress_decode((uint8_t)codec,
					     slice_make(out.data + 1,
						 out.len - 1),
					     back, len),
			    0);
			ck_assert_int_eq(memcmp(raw, back, len), 0);
			ck_assert_uint_eq(back[len], 0xaa);
			buf_fini(&out);
			free(raw);
			free(back);
		}
}
END_TEST

START_TEST(only_what_shrinks_by_an_eighth_is_compressed)
{
	struct rng r = { 1 };
	uint8_t raw[8192];
	struct buf out = { 0 };

	fill(raw, sizeof(raw), &r, 2);
	ck_assert_int_eq(compress_append(CODEC_SNAPPY,
			     slice_make(raw, sizeof(raw)), &out),
	    CODEC_SNAPPY);
	ck_assert_uint_le(out.len, sizeof(raw) - sizeof(raw) / 8);
	buf_clear(&out);
	fill(raw, sizeof(raw), &r, 256);
	ck_assert_int_eq(compress_append(CODEC_SNAPPY,
			     slice_make(raw, sizeof(raw)), &out),
	    CODEC_NONE);
	ck_assert_uint_eq(out.len, sizeof(raw));
	buf_clear(&out);
	memset(raw, 0, sizeof(raw));
	ck_assert_int_eq(compress_append(CODEC_NONE,
			     slice_make(raw, sizeof(raw)), &out),
	    CODEC_NONE);
	ck_assert_uint_eq(out.len, sizeof(raw));
	buf_fini(&out);
}
END_TEST

START_TEST(a_wrong_length_or_codec_is_corruption)
{
	struct buf out = { 0 };
	uint8_t raw[1000] = { 0 }, back[2000];
	enum codec codec = compress_append(CODEC_SNAPPY,
	    slice_make(raw, sizeof(raw)), &out);

	ck_assert_int_eq(codec, CODEC_SNAPPY);
	ck_assert_int_eq(compress_decode(CODEC_SNAPPY, buf_slice(&out), back,
			     999),
	    -KVFS_ECORRUPT);
	ck_assert_int_eq(compress_decode(CODEC_SNAPPY, buf_slice(&out), back,
			     1001),
	    -KVFS_ECORRUPT);
	ck_assert_int_eq(compress_decode(CODEC_NONE, slice_str("abc"), back, 2),
	    -KVFS_ECORRUPT);
	ck_assert_int_eq(compress_decode(CODEC_NONE, slice_str("abc"), back, 4),
	    -KVFS_ECORRUPT);
	for (unsigned c = CODEC_SNAPPY + 1; c < 256; c++)
		ck_assert_int_eq(compress_decode((uint8_t)c, buf_slice(&out),
				     back, 1000),
		    -KVFS_ECORRUPT);
	ck_assert_int_eq(compress_decode(CODEC_SNAPPY, (struct slice){ 0 },
			     back, 0),
	    -KVFS_ECORRUPT);
	buf_fini(&out);
}
END_TEST

START_TEST(damaged_bytes_never_leave_the_destination)
{
	struct rng r = { test_seed() };
	uint8_t raw[2000];
	struct buf out = { 0 };
	uint8_t *back = malloc(sizeof(raw));
	unsigned refused = 0;

	ck_assert_ptr_nonnull(back);
	fill(raw, sizeof(raw), &r, 3);
	ck_assert_int_eq(compress_append(CODEC_SNAPPY,
			     slice_make(raw, sizeof(raw)), &out),
	    CODEC_SNAPPY);
	for (int i = 0; i < 5000; i++) {
		size_t len = out.len -
		    rng_below(&r, 2) * rng_below(&r, out.len);
		uint8_t *bad = malloc(len + 1);
		int rc;

		ck_assert_ptr_nonnull(bad);
		memcpy(bad, out.data, len);
		if (len != 0)
			bad[rng_below(&r, len)] ^= (uint8_t)rng_next(&r);
		rc = compress_decode(CODEC_SNAPPY, slice_make(bad, len), back,
		    sizeof(raw));
		ck_assert(rc == 0 || rc == -KVFS_ECORRUPT);
		refused += rc != 0;
		free(bad);
	}
	ck_assert_uint_gt(refused, 0);
	buf_fini(&out);
	free(back);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, whatever_goes_in_comes_out);
	tcase_add_test(tc, only_what_shrinks_by_an_eighth_is_compressed);
	tcase_add_test(tc, a_wrong_length_or_codec_is_corruption);
	tcase_add_test(tc, damaged_bytes_never_leave_the_destination);
	return run_case("compress", tc);
}
