/* SPDX-License-Identifier: ISC */
/* Names of a store's files: one spelling for each. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/env/filename.h"
#include "support/suite.h"

START_TEST(every_kind_has_its_name)
{
	static const struct {
		enum file_kind kind;
		uint64_t number;
		const char *path;
	} cases[] = {
		{ FILE_LOCK, 0, "d/LOCK" },
		{ FILE_HOT, 0, "d/HOT" },
		{ FILE_MANIFEST, 1, "d/MANIFEST-000001" },
		{ FILE_WAL, 12, "d/000012.log" },
		{ FILE_TABLE, 999999, "d/999999.sst" },
		{ FILE_SEGMENT, 1000000, "d/1000000.seg" },
		{ FILE_TEMP, UINT64_MAX, "d/18446744073709551615.tmp" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum file_kind kind;
		uint64_t number;
		char path[PATH_MAX], name[FILENAME_BYTES];

		filename_path(path, "d", cases[i].kind, cases[i].number);
		filename_make(name, cases[i].kind, cases[i].number);
		ck_assert_str_eq(path + 2, name);
		ck_assert_str_eq(path, cases[i].path);
		ck_assert_int_eq(filename_parse(path + 2, &kind, &number), 0);
		ck_assert_int_eq(kind, cases[i].kind);
		ck_assert_uint_eq(number, cases[i].number);
	}
}
END_TEST

START_TEST(names_that_are_not_ours_are_refused)
{
	static const char *const names[] = { "", "LOCK2", "lock", "HOT2", "hot",
		"HOT-000001", "MANIFEST", "MANIFEST-", "MANIFEST-1",
		"MANIFEST-000001.tmp", "1.log", "0000001.log", "000001.log ",
		"000001.logs", "000001", ".log", "-00001.log", "+00001.log",
		"00000a.log", "000001.LOG", "18446744073709551616.sst",
		"99999999999999999999999.sst", "000001.ldb", "CURRENT" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		enum file_kind kind;
		uint64_t number;

		ck_assert_msg(filename_parse(names[i], &kind, &number) ==
			-EINVAL,
		    "accepted \"%s\"", names[i]);
	}
}
END_TEST

START_TEST(a_path_that_does_not_fit_is_cut)
{
	char dir[PATH_MAX], path[PATH_MAX];

	memset(dir, 'x', sizeof(dir));
	dir[sizeof(dir) - 1] = '\0';
	filename_path(path, dir, FILE_WAL, 1);
	ck_assert_str_eq(path, dir);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("filename");

	tcase_add_test(tc, every_kind_has_its_name);
	tcase_add_test(tc, names_that_are_not_ours_are_refused);
	tcase_add_test(tc, a_path_that_does_not_fit_is_cut);
	return run_case("filename", tc);
}
