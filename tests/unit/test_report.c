/* SPDX-License-Identifier: ISC */
/* Figures for people and for Prometheus. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "util/report.h"

static struct histogram h;
static char *text;
static size_t len;
static struct report report;

static void
begin(enum report_format format)
{
	report_init(&report, open_memstream(&text, &len), format);
	ck_assert_ptr_nonnull(report.out);
}

static void
expect(const char *wanted)
{
	fclose(report.out);
	ck_assert_str_eq(text, wanted);
	free(text);
}

/* The text has this line. */
static void
expect_line(const char *line)
{
	const char *at = strstr(text, line);

	ck_assert_msg(at != NULL && at[strlen(line)] == '\n',
	    "no line '%s' in:\n%s", line, text);
}

START_TEST(people_get_lines)
{
	begin(REPORT_TEXT);
	report_text(&report, "State", "%s", "writable");
	report_counter(&report, "Gets", "gets", 3);
	report_gauge(&report, "Tables", "tables", 4);
	report_ratio(&report, "Ratio", "ratio", 1.5);
	report_times(&report, "Nothing", "nothing", NULL,
	    &(struct histogram){ 0 });
	expect("State: writable\nGets: 3\nTables: 4\nRatio: 1.50\n");
}
END_TEST

START_TEST(a_monitor_gets_families)
{
	begin(REPORT_METRICS);
	report_text(&report, "State", "%s", "writable");
	report_counter(&report, "Gets", "gets", 3);
	report_gauge_of(&report, "Bytes", "level_bytes", "level=\"0\"", 4);
	report_gauge_of(&report, "Bytes", "level_bytes", "level=\"1\"", 5);
	report_counter_of(&report, "Hits", "part_hits", "part=\"hot\"", 6);
	report_counter_of(&report, "Hits", "part_hits", "part=\"warm\"", 7);
	expect("# HELP kvfs_gets_total Gets.\n"
	       "# TYPE kvfs_gets_total counter\n"
	       "kvfs_gets_total 3\n"
	       "# HELP kvfs_level_bytes Bytes.\n"
	       "# TYPE kvfs_level_bytes gauge\n"
	       "kvfs_level_bytes{level=\"0\"} 4\n"
	       "kvfs_level_bytes{level=\"1\"} 5\n"
	       "# HELP kvfs_part_hits_total Hits.\n"
	       "# TYPE kvfs_part_hits_total counter\n"
	       "kvfs_part_hits_total{part=\"hot\"} 6\n"
	       "kvfs_part_hits_total{part=\"warm\"} 7\n");
}
END_TEST

START_TEST(times_are_percentiles_or_cumulative_buckets)
{
	histogram_add(&h, 1000);
	histogram_add(&h, 2000);
	histogram_add(&h, 3000000);
	begin(REPORT_TEXT);
	report_times(&report, "Get", "get", NULL, &h);
	fclose(report.out);
	expect_line("Get microseconds p50: 2");
	expect_line("Get microseconds max: 3000");
	free(text);

	begin(REPORT_METRICS);
	report_times(&report, "Get", "get", "op=\"x\"", &h);
	fclose(report.out);
	expect_line("# TYPE kvfs_get_seconds histogram");
	expect_line("kvfs_get_seconds_bucket{op=\"x\",le=\"1.024e-06\"} 1");
	expect_line("kvfs_get_seconds_bucket{op=\"x\",le=\"2.048e-06\"} 2");
	expect_line("kvfs_get_seconds_bucket{op=\"x\",le=\"+Inf\"} 3");
	expect_line("kvfs_get_seconds_sum{op=\"x\"} 0.003003");
	expect_line("kvfs_get_seconds_count{op=\"x\"} 3");
	free(text);
}
END_TEST

START_TEST(sizes_have_no_unit)
{
	struct histogram sizes = { 0 };

	histogram_add(&sizes, 1);
	histogram_add(&sizes, 5000);
	begin(REPORT_METRICS);
	report_sizes(&report, "Group", "group", &sizes);
	fclose(report.out);
	expect_line("# TYPE kvfs_group histogram");
	expect_line("kvfs_group_bucket{le=\"2\"} 1");
	expect_line("kvfs_group_bucket{le=\"1024\"} 1");
	expect_line("kvfs_group_bucket{le=\"+Inf\"} 2");
	expect_line("kvfs_group_count 2");
	free(text);
}
END_TEST

START_TEST(values_below_a_power_are_counted)
{
	struct histogram v = { 0 };

	for (uint64_t i = 0; i < 1024; i++)
		histogram_add(&v, i);
	for (unsigned p = 0; p <= 10; p++)
		ck_assert_uint_eq(histogram_count_below(&v, p), 1u << p);
	histogram_add(&v, UINT64_MAX);
	ck_assert_uint_eq(histogram_count_below(&v, 63), 1024);
	ck_assert_uint_eq(histogram_count_below(&v, 64), 1025);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("report");

	tcase_add_test(t, people_get_lines);
	tcase_add_test(t, a_monitor_gets_families);
	tcase_add_test(t, times_are_percentiles_or_cumulative_buckets);
	tcase_add_test(t, sizes_have_no_unit);
	tcase_add_test(t, values_below_a_power_are_counted);
	return run_case("report", t);
}
