/* SPDX-License-Identifier: ISC */
/* The end of main() in a check program. */
#ifndef KVFS_SUPPORT_SUITE_H
#define KVFS_SUPPORT_SUITE_H

#include <check.h>
#include <stdlib.h>

/* The exit status of a test that cannot run here, for tests/run.sh. */
#define EXIT_SKIPPED 77

/* Run the suite and free it. Returns the exit status for main(). */
static inline int
run_suite(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The same for a suite of one case. */
static inline int
run_case(const char *name, TCase *tc)
{
	Suite *s = suite_create(name);

	suite_add_tcase(s, tc);
	return run_suite(s);
}

#endif
