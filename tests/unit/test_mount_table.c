/* SPDX-License-Identifier: ISC */
/* Lines of mountinfo, as the kernel writes them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "support/suite.h"
#include "util/mount_table.h"

static bool
parse(const char *text, struct mount_entry *e)
{
	static char line[1024];

	strlcpy(line, text, sizeof(line));
	return mount_entry_parse(line, e);
}

START_TEST(a_line_has_its_fields)
{
	struct mount_entry e;

	ck_assert(parse("36 35 0:48 / /mnt/kv rw,noatime master:1 shared:7 - "
			"fuse.kvfs /srv/store rw,user_id=0\n",
	    &e));
	ck_assert_int_eq(e.id, 36);
	ck_assert_int_eq(e.parent, 35);
	ck_assert_uint_eq(e.dev, makedev(0, 48));
	ck_assert_str_eq(e.root, "/");
	ck_assert_str_eq(e.path, "/mnt/kv");
	ck_assert_str_eq(e.source, "/srv/store");
	ck_assert(mount_is_kvfs(&e));
	ck_assert(mount_is_fuse(&e));
}
END_TEST

START_TEST(escapes_are_undone)
{
	struct mount_entry e;

	ck_assert(parse("1 2 0:3 /\\134 /a\\040b\\012c\\011d\\134040 rw - "
			"fuse.other a\\043,\\134 rw",
	    &e));
	ck_assert_str_eq(e.root, "/\\");
	ck_assert_str_eq(e.path, "/a b\nc\td\\040");
	ck_assert_str_eq(e.source, "a#,\\");
	ck_assert(!mount_is_kvfs(&e));
	ck_assert(mount_is_fuse(&e));
}
END_TEST

START_TEST(an_empty_source_is_a_source)
{
	struct mount_entry e;

	ck_assert(parse("1 2 0:3 / /a rw - fuseblk  rw", &e));
	ck_assert_str_eq(e.source, "");
	ck_assert(!mount_is_fuse(&e));
}
END_TEST

START_TEST(what_is_no_line_is_refused)
{
	struct mount_entry e;

	ck_assert(!parse("", &e));
	ck_assert(!parse("36 35 0:48 / /mnt rw", &e));
	ck_assert(!parse("36 35 0:48 / - fuse x rw", &e));
	ck_assert(!parse("36 35 nothing / /mnt rw - fuse x rw", &e));
}
END_TEST

/* Whatever their order in the table. */
START_TEST(the_top_lies_on_the_others)
{
	struct mount_entry entries[] = {
		{ .id = 9, .parent = 5, .path = (char *)"/m", .type = NULL },
		{ .id = 3, .parent = 1, .path = (char *)"/", .type = NULL },
		{ .id = 5, .parent = 3, .path = (char *)"/m", .type = NULL },
		{ .id = 7, .parent = 9, .path = (char *)"/m/x", .type = NULL },
	};
	struct mount_table t = { entries, 4 };

	ck_assert_int_eq(mount_table_top(&t, "/m")->id, 9);
	ck_assert_int_eq(mount_table_top(&t, "/")->id, 3);
	ck_assert_ptr_null(mount_table_top(&t, "/n"));
	ck_assert_int_eq(mount_table_child(&t, 5)->id, 9);
	ck_assert_int_eq(mount_table_child(&t, 9)->id, 7);
	ck_assert_ptr_null(mount_table_child(&t, 7));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, a_line_has_its_fields);
	tcase_add_test(tc, escapes_are_undone);
	tcase_add_test(tc, an_empty_source_is_a_source);
	tcase_add_test(tc, what_is_no_line_is_refused);
	tcase_add_test(tc, the_top_lies_on_the_others);
	return run_case("mount_table", tc);
}
