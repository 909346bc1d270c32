/* SPDX-License-Identifier: ISC */
/* A mountpoint is one line in LOCK, whatever is in its name. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/suite.h"
#include "util/daemon_note.h"

START_TEST(any_path_comes_back)
{
	static const char *const paths[] = { "/mnt/kv", "/a\nb", "/a\\b\\012",
		"/\n", "/a b,c:\xff\xfe", "/\\" };
	char note[DAEMON_NOTE_MAX], path[4096];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		daemon_note_make(note, sizeof(note), paths[i]);
		ck_assert_ptr_null(strchr(note, '\n'));
		ck_assert(daemon_note_parse(note, path, sizeof(path)));
		ck_assert_str_eq(path, paths[i]);
	}
}
END_TEST

START_TEST(another_program_has_no_mountpoint)
{
	char path[64];

	ck_assert(!daemon_note_parse("kvfsctl", path, sizeof(path)));
	ck_assert(!daemon_note_parse("", path, sizeof(path)));
	ck_assert(!daemon_is_ending(getpid()));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, any_path_comes_back);
	tcase_add_test(tc, another_program_has_no_mountpoint);
	return run_case("daemon_note", tc);
}
