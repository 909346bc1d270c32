/* SPDX-License-Identifier: ISC */
/* How much memory there is, in control groups of our own making. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/suite.h"
#include "util/machine.h"

#define MIB (1ull << 20)

static char root[64], list[80];

/* A file below root, with its directories. */
static void
put(const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (char *p = strchr(full + strlen(root) + 1, '/'); p != NULL;
	     p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(full, 0700);
		*p = '/';
	}
	f = fopen(full, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(root, sizeof(root), "%s/kvfs-machine.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(list, sizeof(list), "%s/list", root);
}

static void
teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	ck_assert_int_eq(system(command), 0);
}

static uint64_t
all(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) *
	    (uint64_t)sysconf(_SC_PAGESIZE);
}

START_TEST(without_groups_it_is_the_machine_s)
{
	ck_assert_uint_eq(machine_memory(list, root), all());
	put("list", "");
	ck_assert_uint_eq(machine_memory(list, root), all());
	put("list", "0::/a\nnonsense\n:\n7:memory\n3:cpu,memory:\n");
	ck_assert_uint_eq(machine_memory(list, root), all());
}
END_TEST

START_TEST(the_tightest_group_counts)
{
	put("list", "0::/a/b/c\n");
	put("a/b/c/memory.max", "max\n");
	ck_assert_uint_eq(machine_memory(list, root), all());
	put("a/b/memory.max", "268435456\n");
	ck_assert_uint_eq(machine_memory(list, root), 256 * MIB);
	put("a/memory.max", "134217728\n");
	ck_assert_uint_eq(machine_memory(list, root), 128 * MIB);
	put("memory.max", "67108864\n");
	ck_assert_uint_eq(machine_memory(list, root), 64 * MIB);
}
END_TEST

START_TEST(a_container_s_own_group_is_the_root)
{
	put("list", "0::/\n");
	put("memory.max", "67108864\n");
	ck_assert_uint_eq(machine_memory(list, root), 64 * MIB);
}
END_TEST

START_TEST(the_first_version_is_understood)
{
	put("list", "5:cpu,cpuacct:/x\n4:blkio,memory:/a\n0::/\n");
	put("memory/a/memory.limit_in_bytes", "134217728\n");
	put("memory/memory.limit_in_bytes", "9223372036854771712\n");
	ck_assert_uint_eq(machine_memory(list, root), 128 * MIB);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_groups_it_is_the_machine_s);
	tcase_add_test(tc, the_tightest_group_counts);
	tcase_add_test(tc, a_container_s_own_group_is_the_root);
	tcase_add_test(tc, the_first_version_is_understood);
	return run_case("machine", tc);
}
