/* SPDX-License-Identifier: ISC */
/* Which kernels and which options allow a mount without OPEN. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/mount/stateless.h"
#include "fuse/options/options.h"
#include "support/suite.h"

START_TEST(kernels_with_the_deadlock_are_not_able)
{
	static const struct {
		const char *release;
		bool is_able;
	} cases[] = {
		{ "5.10.0-28-amd64", true },
		{ "6.1.0-18-amd64", true },
		{ "6.6.0", false },
		{ "6.6.129", false },
		{ "6.6.130-rc1", true },
		{ "6.8.0-31-generic", false },
		{ "6.12.9-1", false },
		{ "6.12.80", true },
		{ "6.17.4", false },
		{ "6.18.0", false },
		{ "6.18.44", true },
		{ "6.19", true },
		{ "7.0.0-rc3", true },
		{ "", false },
		{ "six", false },
		{ "6", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(stateless_kernel_is_able(cases[i].release) ==
			cases[i].is_able,
		    "%s", cases[i].release);
}
END_TEST

/* Is it possible with list, on a kernel that is able? */
static bool
is_possible(const char *list)
{
	struct options o;
	char *copy = strdup(list);
	bool is_possible;

	options_init(&o);
	ck_assert_int_eq(options_parse_list(&o, copy), 0);
	is_possible = stateless_is_possible(&o);
	free(copy);
	return is_possible;
}

START_TEST(options_that_need_to_know_of_opens_prevent_it)
{
	bool able = is_possible("defaults");

	ck_assert(is_possible("noatime,flush=lazy,sync=off") == able);
	ck_assert(is_possible("ro") == able);
	ck_assert(!is_possible("relatime"));
	ck_assert(!is_possible("strictatime"));
	ck_assert(!is_possible("sync=full"));
	ck_assert(!is_possible("profile=safe"));
	ck_assert(!is_possible("kernel_writeback"));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("stateless");

	tcase_add_test(tc, kernels_with_the_deadlock_are_not_able);
	tcase_add_test(tc, options_that_need_to_know_of_opens_prevent_it);
	return run_case("stateless", tc);
}
