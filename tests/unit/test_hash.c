/* SPDX-License-Identifier: ISC */
/* Sums are those of xxhash, whatever the processor has. */
#include <check.h>

#include "support/suite.h"
#include "util/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define LONGEST 5000

START_TEST(every_length_has_the_sum_of_xxh3)
{
	static uint8_t data[LONGEST + 1];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * i >> 3);
	for (size_t len = 0; len <= LONGEST; len++) {
		/* Also where it is not aligned. */
		const uint8_t *p = data + (len & 1);
		uint64_t seed = len * 0x9e3779b97f4a7c15u;

		ck_assert_uint_eq(hash_bytes(p, len, seed),
		    XXH3_64bits_withSeed(p, len, seed));
	}
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, every_length_has_the_sum_of_xxh3);
	return run_case("hash", tc);
}
