/* SPDX-License-Identifier: ISC */
/* Lines of which there may be any number. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "util/line_list.h"

/* What n lines become; the caller frees. */
static char *
print(unsigned n)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct line_list l = { .out = out, .prefix = "damage" };

	ck_assert_ptr_nonnull(out);
	for (unsigned i = 1; i <= n; i++)
		line_list_add(&l, "line %u", i);
	line_list_end(&l);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_uint_eq(l.count, n);
	return text;
}

static unsigned
count_lines(const char *text)
{
	unsigned n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

START_TEST(a_few_lines_are_all_printed)
{
	char *text = print(2);

	ck_assert_str_eq(text, "damage: line 1\ndamage: line 2\n");
	free(text);
	text = print(0);
	ck_assert_str_eq(text, "");
	free(text);
	text = print(LINE_LIST_MAX);
	ck_assert_uint_eq(count_lines(text), LINE_LIST_MAX);
	ck_assert_ptr_null(strstr(text, "more"));
	free(text);
}
END_TEST

START_TEST(many_lines_end_with_their_number)
{
	char *text = print(LINE_LIST_MAX + 4000000);

	ck_assert_uint_eq(count_lines(text), LINE_LIST_MAX + 1);
	ck_assert_ptr_nonnull(strstr(text, "\ndamage: ... and 4000000 more\n"));
	free(text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("line_list");
	TCase *t = tcase_create("lines");

	tcase_add_test(t, a_few_lines_are_all_printed);
	tcase_add_test(t, many_lines_end_with_their_number);
	suite_add_tcase(s, t);
	return run_suite(s);
}
