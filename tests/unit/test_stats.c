/* SPDX-License-Identifier: ISC */
/* Counters and histograms. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "support/model.h"
#include "support/suite.h"
#include "util/stats.h"

#define THREADS 12
#define ROUNDS 20000

static struct counter counter;
static struct histogram histogram;

static void *
bump(void *arg)
{
	for (uint64_t i = 0; i < ROUNDS; i++) {
		counter_add(&counter, 3);
		histogram_add(&histogram, i);
	}
	return arg;
}

START_TEST(no_thread_loses_a_count)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, bump, NULL),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(counter_read(&counter), 3ull * THREADS * ROUNDS);
	ck_assert_uint_eq(histogram_count(&histogram),
	    (uint64_t)THREADS * ROUNDS);
	ck_assert_uint_eq(histogram.sum,
	    (uint64_t)THREADS * ROUNDS * (ROUNDS - 1) / 2);
	ck_assert_uint_eq(histogram.max, ROUNDS - 1);
}
END_TEST

START_TEST(a_thread_keeps_its_stripe)
{
	unsigned mine = stats_stripe();

	ck_assert_uint_lt(mine, STATS_STRIPES);
	ck_assert_uint_eq(stats_stripe(), mine);
}
END_TEST

START_TEST(an_empty_histogram_says_zero)
{
	struct histogram h = { 0 };

	ck_assert_uint_eq(histogram_count(&h), 0);
	ck_assert_uint_eq(histogram_percentile(&h, 0.5), 0);
	ck_assert_uint_eq(histogram_percentile(&h, 1.0), 0);
}
END_TEST

START_TEST(a_bucket_is_at_most_a_quarter_too_high)
{
	struct rng r = { test_seed() };

	for (int i = 0; i < 5000; i++) {
		struct histogram h = { 0 };
		uint64_t v = rng_next(&r) >> rng_below(&r, 64), p;

		histogram_add(&h, v);
		p = histogram_percentile(&h, 0.5);
		ck_assert_uint_ge(p, v);
		ck_assert_uint_le(p - v, v / 4);
		ck_assert_uint_eq(histogram_percentile(&h, 1.0), v);
	}
}
END_TEST

START_TEST(the_largest_values_have_a_bucket)
{
	static const uint64_t values[] = { 0, 1, 2, 3, 4, 5, 7, 8, 1ull << 62,
		1ull << 63, UINT64_MAX };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct histogram h = { 0 };

		histogram_add(&h, values[i]);
		ck_assert_uint_eq(histogram_count(&h), 1);
		ck_assert_uint_ge(histogram_percentile(&h, 0), values[i]);
	}
}
END_TEST

START_TEST(percentiles_split_the_values)
{
	struct histogram h = { 0 };
	uint64_t last = 0;

	for (uint64_t v = 1; v <= 10000; v++)
		histogram_add(&h, v);
	for (int p = 0; p <= 100; p++) {
		uint64_t v = histogram_percentile(&h, p / 100.0);

		ck_assert_uint_ge(v, last);
		ck_assert_uint_ge(v, (uint64_t)p * 100);
		ck_assert_uint_le(v, (uint64_t)(p * 100 + 1) * 5 / 4);
		last = v;
	}
	ck_assert_uint_eq(last, 10000);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, no_thread_loses_a_count);
	tcase_add_test(tc, a_thread_keeps_its_stripe);
	tcase_add_test(tc, an_empty_histogram_says_zero);
	tcase_add_test(tc, a_bucket_is_at_most_a_quarter_too_high);
	tcase_add_test(tc, the_largest_values_have_a_bucket);
	tcase_add_test(tc, percentiles_split_the_values);
	return run_case("stats", tc);
}
