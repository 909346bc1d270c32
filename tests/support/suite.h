/* SPDX-License-Identifier: ISC */
/* How the main() of a check program ends. */
#ifndef KVFS_SUPPORT_SUITE_H
#define KVFS_SUPPORT_SUITE_H

#include <check.h>
#include <stdlib.h>

/* What tests/run.sh takes for a test that cannot run here. */
#define EXIT_SKIPPED 77

/* Run it and free it; main()'s exit status. */
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

/* A suite of one case. */
static inline int
run_case(const char *name, TCase *tc)
{
	Suite *s = suite_create(name);

	suite_add_tcase(s, tc);
	return run_suite(s);
}

#endif
