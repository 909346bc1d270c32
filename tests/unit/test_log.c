/* SPDX-License-Identifier: ISC */
/* Messages to people. */
#include <check.h>
#include <fcntl.h>
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

/* A pipe as standard error, which is full and which nobody reads. */
static int
make_full_pipe(void)
{
	int fds[2], saved = dup(STDERR_FILENO);

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_ge(fcntl(fds[1], F_SETPIPE_SZ, 4096), 0);
	ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
	close(fds[1]);
	ck_assert_int_gt(saved, 0);
	return fds[0];
}

static char all[400000];

/* Messages and those that were told to be dropped, which come in order. */
static unsigned
account(const char *text, unsigned *droppedp)
{
	unsigned got = 0, next = 0, n;

	*droppedp = 0;
	for (const char *s = text; (s = strstr(s, "kvfs: message")) != NULL;
	     s++) {
		if (sscanf(s, "kvfs: message %u of many", &n) != 1)
			break;
		ck_assert_uint_ge(n, next);
		next = n + 1;
		got++;
	}
	for (const char *s = text; (s = strstr(s, "in time: ")) != NULL; s++) {
		if (sscanf(s, "in time: %u were", &n) == 1)
			*droppedp += n;
	}
	return got;
}

START_TEST(who_reads_the_log_holds_up_nobody)
{
	const unsigned messages = 3000;
	unsigned got = 0, dropped = 0;
	size_t len = 0;
	int fd;

	log_set_sink(NULL);
	log_start_thread();
	fd = make_full_pipe();
	for (unsigned i = 0; i < messages; i++)
		log_warn("message %u of many, and some more", i);
	ck_assert(!log_flush(50));

	/* What did not fit is told once the reader goes on. */
	while (got + dropped < messages) {
		ssize_t n = read(fd, all + len, sizeof(all) - 1 - len);

		ck_assert_int_gt(n, 0);
		len += (size_t)n;
		all[len] = '\0';
		got = account(all, &dropped);
	}
	ck_assert(log_flush(10000));
	ck_assert_uint_eq(got + dropped, messages);
	ck_assert_uint_gt(got, 100);
	ck_assert_uint_gt(dropped, 0);

	/* And then all goes on. */
	log_error("again");
	ck_assert(log_flush(10000));
	ck_assert_int_eq(read(fd, all, sizeof(all)), 12);
	ck_assert_int_eq(strncmp(all, "kvfs: again\n", 12), 0);
	close(fd);
}
END_TEST

START_TEST(a_line_may_be_as_long_as_any)
{
	char *text = malloc(15001);
	int fds[2];
	ssize_t n;

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
	memset(text, 'y', 15000);
	text[15000] = '\0';
	log_set_sink(NULL);
	log_start_thread();
	log_error("%s", text);
	ck_assert(log_flush(10000));
	n = read(fds[0], all, sizeof(all));
	ck_assert_int_gt(n, 8000);
	ck_assert_int_lt(n, 15000);
	ck_assert_int_eq(all[n - 1], '\n');
	free(text);
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
	tcase_add_test(tc, who_reads_the_log_holds_up_nobody);
	tcase_add_test(tc, a_line_may_be_as_long_as_any);
	return run_case("log", tc);
}
