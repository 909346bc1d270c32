/* SPDX-License-Identifier: ISC */
/* CRC-32C against published values and a bitwise one. */
#include <check.h>
#include <stdlib.h>

#include "support/model.h"
#include "support/suite.h"
#include "util/crc32c.h"

START_TEST(known_values_come_out)
{
	uint8_t b[32];

	ck_assert_uint_eq(crc32c_sum(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(crc32c_sum(0, "", 0), 0);
	ck_assert_uint_eq(crc32c_sum(0, NULL, 0), 0);
	/* RFC 3720, B.4. */
	memset(b, 0, sizeof(b));
	ck_assert_uint_eq(crc32c_sum(0, b, sizeof(b)), 0x8a9136aa);
	memset(b, 0xff, sizeof(b));
	ck_assert_uint_eq(crc32c_sum(0, b, sizeof(b)), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		b[i] = (uint8_t)i;
	ck_assert_uint_eq(crc32c_sum(0, b, sizeof(b)), 0x46dd794e);
	for (unsigned i = 0; i < 32; i++)
		b[i] = (uint8_t)(31 - i);
	ck_assert_uint_eq(crc32c_sum(0, b, sizeof(b)), 0x113fdb5c);
}
END_TEST

static uint32_t
crc_bit_by_bit(uint32_t crc, const uint8_t *p, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

START_TEST(every_length_and_alignment_agrees_with_the_definition)
{
	struct rng r = { test_seed() };
	uint8_t b[96];

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)rng_next(&r);
	for (size_t off = 0; off < 16; off++)
		for (size_t len = 0; len + off <= sizeof(b); len++)
			ck_assert_uint_eq(crc32c_sum(0, b + off, len),
			    crc_bit_by_bit(0, b + off, len));
}
END_TEST

START_TEST(a_sum_goes_on_where_another_ended)
{
	static const char text[] = "the quick brown fox jumps over the dog";
	uint32_t whole = crc32c_sum(0, text, sizeof(text));

	for (size_t cut = 0; cut <= sizeof(text); cut++)
		ck_assert_uint_eq(crc32c_sum(crc32c_sum(0, text, cut),
				      text + cut, sizeof(text) - cut),
		    whole);
}
END_TEST

START_TEST(every_flipped_bit_shows)
{
	uint8_t b[64] = { 0 };
	uint32_t sum = crc32c_sum(0, b, sizeof(b));

	for (unsigned bit = 0; bit < sizeof(b) * 8; bit++) {
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_uint_ne(crc32c_sum(0, b, sizeof(b)), sum);
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, known_values_come_out);
	tcase_add_test(tc,
	    every_length_and_alignment_agrees_with_the_definition);
	tcase_add_test(tc, a_sum_goes_on_where_another_ended);
	tcase_add_test(tc, every_flipped_bit_shows);
	return run_case("crc32c", tc);
}
