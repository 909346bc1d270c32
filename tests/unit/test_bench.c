/* SPDX-License-Identifier: ISC */
/* What benchmarks count with: percentiles, keys, values, tables. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/bench_data.h"
#include "bench/bench_latency.h"
#include "bench/bench_proc.h"
#include "bench/bench_report.h"
#include "support/suite.h"

void
bench_die(const char *what, const char *reason)
{
	ck_abort_msg("%s: %s", what, reason);
	abort();
}

static struct latency l, other;

START_TEST(percentiles_are_at_most_a_thirtieth_too_high)
{
	static const double parts[] = { 0.5, 0.99, 0.999 };

	for (uint64_t v = 1; v <= 1000000; v++)
		latency_add(v % 2 != 0 ? &l : &other, v);
	latency_merge(&l, &other);
	ck_assert_uint_eq(l.count, 1000000);
	ck_assert_uint_eq(l.max, 1000000);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		double want = parts[i] * 1e6;
		double got = (double)latency_percentile(&l, parts[i]);

		ck_assert_double_ge(got, want);
		ck_assert_double_le(got, want * 31 / 30);
	}
	ck_assert_uint_eq(latency_percentile(&l, 1), 1000000);
}
END_TEST

START_TEST(the_largest_latencies_have_a_bucket)
{
	latency_add(&l, UINT64_MAX);
	latency_add(&l, 0);
	latency_add(&l, 63);
	ck_assert_uint_eq(latency_percentile(&l, 0), 0);
	ck_assert_uint_eq(latency_percentile(&l, 0.5), 63);
	ck_assert_uint_eq(latency_percentile(&l, 0.9), UINT64_MAX);
}
END_TEST

START_TEST(a_permutation_has_each_number_once)
{
	static const uint64_t sizes[] = { 1, 1000, 1024, 4097 };
	unsigned char seen[4097];
	uint64_t in_place = 0;

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		memset(seen, 0, sizeof(seen));
		for (uint64_t i = 0; i < sizes[s]; i++) {
			uint64_t n = bench_permute(i, sizes[s]);

			ck_assert_uint_lt(n, sizes[s]);
			ck_assert_uint_eq(seen[n]++, 0);
			in_place += n == i;
		}
	}
	ck_assert_uint_lt(in_place, 50);
}
END_TEST

START_TEST(keys_sort_like_their_numbers)
{
	struct bench_key last = bench_key_of(0);

	for (uint64_t n = 1; n < 5000; n++) {
		struct bench_key k = bench_key_of(n);

		ck_assert_int_lt(memcmp(&last, &k, sizeof(k)), 0);
		last = k;
	}
}
END_TEST

START_TEST(values_carry_their_key_and_compress_to_half)
{
	char *pool = bench_make_pool(), value[100];
	uint64_t rng = 7;

	bench_fill_value(value, sizeof(value), 12345, pool, &rng);
	ck_assert(bench_value_is_of(value, 12345));
	ck_assert(!bench_value_is_of(value, 12346));
	ck_assert_double_ge(bench_compressed_part(100, pool), 0.4);
	ck_assert_double_le(bench_compressed_part(100, pool), 0.7);
	ck_assert_double_ge(bench_compressed_part(65536, pool), 0.4);
	ck_assert_double_le(bench_compressed_part(65536, pool), 0.7);
	free(pool);
}
END_TEST

START_TEST(written_bytes_and_files_are_counted)
{
	char dir[] = "./bench.XXXXXX", path[64];
	uint64_t before = proc_written_bytes();
	char page[4096];
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	memset(page, 'x', sizeof(page));
	for (int i = 0; i < 256; i++)
		ck_assert_int_eq(write(fd, page, sizeof(page)), sizeof(page));
	ck_assert_int_eq(fsync(fd), 0);
	close(fd);
	ck_assert_uint_ge(dir_disk_bytes(dir), 1 << 20);
	/* A file system in memory counts none. */
	if (proc_written_bytes() != before)
		ck_assert_uint_ge(proc_written_bytes() - before, 1 << 20);
	dir_drop_cache(dir);
	dir_remove(dir);
	ck_assert_int_lt(access(dir, F_OK), 0);
}
END_TEST

START_TEST(the_peak_of_memory_starts_anew)
{
	size_t len = 32 << 20;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	uint64_t peak;

	ck_assert_ptr_ne(p, MAP_FAILED);
	munmap(p, len);
	peak = proc_peak_rss_bytes();
	proc_reset_peak();
	ck_assert_uint_lt(proc_peak_rss_bytes() + len / 2, peak);
	ck_assert_uint_le(proc_anon_bytes(), proc_peak_rss_bytes());
}
END_TEST

/* ---- Tables ---- */

static const char *const stores[] = { "kvfs", "a", "b" };
static const char profile[] = "balanced";

static void
add(size_t store, enum bench_metric metric, double value)
{
	struct bench_record rec = { "a step", "x", metric, value };

	report_add(profile, store, &rec);
}

static char *
printed(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	report_print(f, profile, "in words");
	fclose(f);
	return text;
}

START_TEST(a_ratio_is_above_one_where_kvfs_is_better)
{
	char *text;

	report_start(stores, 3);
	for (size_t i = 0; i < 3; i++) {
		add(i, METRIC_RATE, (double)(300 - i * 100));
		add(i, METRIC_FIGURE, (double)(10 + i * 10));
	}
	text = printed();
	/* 300 to 200, and 20 to 10. */
	ck_assert_ptr_nonnull(strstr(text, "1.50 a\n"));
	ck_assert_ptr_nonnull(strstr(text, "2.00 a\n"));
	ck_assert_ptr_nonnull(strstr(text, "balanced: in words\n"));
	free(text);
}
END_TEST

START_TEST(medians_and_extremes_are_written_for_programs)
{
	char line[256];
	FILE *f;

	report_start(stores, 3);
	add(1, METRIC_P99, 5);
	add(1, METRIC_P99, 1);
	add(1, METRIC_P99, 100);
	report_write_tsv("bench.tsv");
	f = fopen("bench.tsv", "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	ck_assert_str_eq(line,
	    "profile\tstep\tmetric\tunit\tbetter\tstore\tmedian\tlow\thigh\t"
	    "rounds\n");
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	ck_assert_str_eq(line,
	    "balanced\ta step\tp99\tx\tless\ta\t5\t1\t100\t3\n");
	ck_assert_ptr_null(fgets(line, sizeof(line), f));
	fclose(f);
	unlink("bench.tsv");
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");
	const char *tmp = getenv("TMPDIR");

	if (chdir(tmp != NULL ? tmp : "/tmp") < 0)
		return EXIT_FAILURE;
	tcase_add_test(tc, percentiles_are_at_most_a_thirtieth_too_high);
	tcase_add_test(tc, the_largest_latencies_have_a_bucket);
	tcase_add_test(tc, a_permutation_has_each_number_once);
	tcase_add_test(tc, keys_sort_like_their_numbers);
	tcase_add_test(tc, values_carry_their_key_and_compress_to_half);
	tcase_add_test(tc, written_bytes_and_files_are_counted);
	tcase_add_test(tc, the_peak_of_memory_starts_anew);
	tcase_add_test(tc, a_ratio_is_above_one_where_kvfs_is_better);
	tcase_add_test(tc, medians_and_extremes_are_written_for_programs);
	return run_case("bench", tc);
}
