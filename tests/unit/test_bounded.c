/* SPDX-License-Identifier: ISC */
/* Calls in a child process, which may take only so long. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/suite.h"
#include "util/bounded.h"
#include "util/clock.h"
#include "util/mutex.h"

static int
give(void *arg)
{
	return *(int *)arg;
}

static int
stand_still(void *arg)
{
	(void)arg;
	while (pause() < 0)
		;
	return 0;
}

/* It has none of our files. */
static int
try_file(void *arg)
{
	return fcntl(*(int *)arg, F_GETFD) < 0 ? 0 : -EEXIST;
}

START_TEST(results_come_back)
{
	static int values[] = { 0, -EBUSY, -EOWNERDEAD };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		ck_assert_int_eq(bounded_call(give, &values[i], -1), values[i]);
}
END_TEST

START_TEST(time_is_bounded)
{
	uint64_t start = clock_now_ns();

	ck_assert_int_eq(bounded_call(stand_still, NULL, 50), -ETIMEDOUT);
	ck_assert_uint_ge(clock_now_ns() - start, 45000000);
}
END_TEST

START_TEST(files_stay_here)
{
	int fd = open("/dev/null", O_RDWR);

	ck_assert_int_gt(fd, 2);
	ck_assert_int_eq(bounded_call(try_file, &fd, -1), 0);
	close(fd);
}
END_TEST

START_TEST(opens_as_open_does)
{
	char dir[] = "/tmp/kvfs-bounded.XXXXXX", fifo[64];
	struct stat a, b;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	fd = bounded_open(dir, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &a), 0);
	ck_assert_int_eq(stat(dir, &b), 0);
	ck_assert_uint_eq(a.st_ino, b.st_ino);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	/* Nobody writes to it: opening it never ends. */
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	ck_assert_int_eq(bounded_open(fifo, O_RDONLY), -ENOENT);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(bounded_open(fifo, O_RDONLY), -ETIMEDOUT);
	unlink(fifo);
	rmdir(dir);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, results_come_back);
	tcase_add_test(tc, time_is_bounded);
	tcase_add_test(tc, files_stay_here);
	tcase_add_test(tc, opens_as_open_does);
	return run_case("bounded", tc);
}
