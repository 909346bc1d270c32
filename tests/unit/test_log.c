/* SPDX-License-Identifier: ISC */
/* Messages to people. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/suite.h"
#include "util/log.h"

static char last_line[20000];
static enum log_level last_level;
static unsigned lines;

static void
keep(enum log_level level, const char *line)
{
	snprintf(last_line, sizeof(last_line), "%s", line);
	last_level = level;
	lines++;
}

START_TEST(a_sink_gets_level_and_line)
{
	log_set_sink(keep);
	log_error("%s: offset %d", "file", 42);
	ck_assert_int_eq(last_level, LOG_LVL_ERROR);
	ck_assert_str_eq(last_line, "file: offset 42");
	log_warn("careful");
	ck_assert_int_eq(last_level, LOG_LVL_WARN);
	log_info("by the way");
	ck_assert_int_eq(last_level, LOG_LVL_INFO);
	ck_assert_uint_eq(lines, 3);
}
END_TEST

START_TEST(what_is_above_the_level_is_left_out)
{
	log_set_sink(keep);
	log_debug("not by default");
	ck_assert_uint_eq(lines, 0);
	log_set_level(LOG_LVL_DEBUG);
	log_debug("now");
	ck_assert_uint_eq(lines, 1);
	log_set_level(LOG_LVL_ERROR);
	log_warn("no");
	log_info("no");
	log_debug("no");
	ck_assert_uint_eq(lines, 1);
	log_error("yes");
	ck_assert_uint_eq(lines, 2);
}
END_TEST

START_TEST(a_line_longer_than_any_is_cut)
{
	char *text = malloc(15001);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', 15000);
	text[15000] = '\0';
	log_set_sink(keep);
	log_error("%s", text);
	ck_assert_uint_gt(strlen(last_line), 1000);
	ck_assert_uint_lt(strlen(last_line), 15000);
	ck_assert_uint_eq(strspn(last_line, "x"), strlen(last_line));
	free(text);
}
END_TEST

/* What fn writes to standard error. */
static void
capture(void (*fn)(void), char *out, size_t len)
{
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	ck_assert_ptr_nonnull(f);
	fflush(stderr);
	ck_assert_int_ge(dup2(fileno(f), STDERR_FILENO), 0);
	fn();
	fflush(stderr);
	ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
	close(saved);
	rewind(f);
	n = fread(out, 1, len - 1, f);
	out[n] = '\0';
	fclose(f);
}

static void
say(void)
{
	log_set_sink(NULL);
	log_error("%s: %d%%", "disk full", 100);
	log_set_program("other");
	log_warn("hm");
}

START_TEST(standard_error_gets_one_line_with_the_programs_name)
{
	char out[200];

	log_set_sink(keep);
	capture(say, out, sizeof(out));
	ck_assert_str_eq(out, "kvfs: disk full: 100%\nother: hm\n");
	ck_assert_uint_eq(lines, 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, a_sink_gets_level_and_line);
	tcase_add_test(tc, what_is_above_the_level_is_left_out);
	tcase_add_test(tc, a_line_longer_than_any_is_cut);
	tcase_add_test(tc, standard_error_gets_one_line_with_the_programs_name);
	return run_case("log", tc);
}
