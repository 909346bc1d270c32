/* SPDX-License-Identifier: ISC */
/*
 * Requests that are not answered in time: told of once, counted, and nobody
 * is woken when there are none.
 */
#include <check.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "fuse/serve/overdue.h"
#include "fuse/serve/thread_wait.h"
#include "support/suite.h"
#include "util/clock.h"
#include "util/log.h"

static struct overdue *o;
static atomic_uint ticks, lines;
static char last_line[5000];

static void
tick(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ticks, 1);
}

static void
keep(enum log_level level, const char *line)
{
	(void)level;
	strlcpy(last_line, line, sizeof(last_line));
	atomic_fetch_add(&lines, 1);
}

static void
setup(void)
{
	log_set_sink(keep);
	ck_assert_int_eq(overdue_start(3, tick, NULL, &o), 0);
}

static void
teardown(void)
{
	overdue_stop(o);
}

static void
begin(unsigned i, uint32_t opcode, uint64_t ino, uint64_t ago_ns)
{
	struct fuse_in_header in = { .opcode = opcode, .nodeid = ino };
	struct request_slot *slot = overdue_slot(o, i);

	atomic_store(&slot->thread, gettid());
	overdue_begin(o, slot, &in, sizeof(in));
	atomic_fetch_sub(&slot->since_ns, ago_ns);
}

static void
await(atomic_uint *count, unsigned n)
{
	while (atomic_load(count) < n)
		usleep(1000);
}

START_TEST(one_is_told_of_once)
{
	uint64_t oldest;

	begin(0, FUSE_WRITE, 42, OVERDUE_NS);
	begin(1, FUSE_READ, 43, OVERDUE_NS / 2);
	await(&lines, 1);
	ck_assert_ptr_nonnull(
	    strstr(last_line, "write (FUSE 16) of inode 42: no answer for 1"));
	ck_assert_uint_eq(overdue_count(o, clock_now_ns(), &oldest), 1);
	ck_assert_uint_ge(oldest, OVERDUE_NS);
	await(&ticks, 2);
	ck_assert_uint_eq(atomic_load(&lines), 1);
	ck_assert_uint_eq(overdue_reported(o), 1);

	/* The next one of the same thread is another. */
	overdue_end(overdue_slot(o, 0));
	ck_assert_uint_eq(overdue_count(o, clock_now_ns(), &oldest), 0);
	begin(0, FUSE_FSYNC, 44, 2 * OVERDUE_NS);
	await(&lines, 2);
	ck_assert_ptr_nonnull(
	    strstr(last_line, "fsync (FUSE 20) of inode 44: no answer for 2"));
}
END_TEST

START_TEST(all_are_told_of_as_such)
{
	for (unsigned i = 0; i < 3; i++)
		begin(i, FUSE_WRITE, i, OVERDUE_NS);
	await(&lines, 4);
	ck_assert_ptr_nonnull(strstr(last_line, "all 3 threads"));
	await(&ticks, 2);
	ck_assert_uint_eq(atomic_load(&lines), 4);
}
END_TEST

START_TEST(without_requests_it_rests)
{
	unsigned n;

	begin(0, FUSE_WRITE, 1, 0);
	await(&ticks, 1);
	overdue_end(overdue_slot(o, 0));
	while (!overdue_is_asleep(o))
		usleep(1000);
	n = atomic_load(&ticks);
	usleep(OVERDUE_CHECK_NS / 1000 * 3 / 2);
	ck_assert_uint_eq(atomic_load(&ticks), n);
	/* And is woken by the next. */
	begin(1, FUSE_WRITE, 1, 0);
	await(&ticks, n + 1);
}
END_TEST

static void *
read_pipe(void *arg)
{
	const int *fds = arg;
	char byte;
	pid_t self = gettid();
	ssize_t n = write(fds[3], &self, sizeof(self));

	ck_assert_int_eq(n, sizeof(self));
	ck_assert_int_eq(read(fds[0], &byte, 1), 1);
	return NULL;
}

START_TEST(what_a_thread_waits_for)
{
	char text[5000] = "";
	pthread_t thread;
	pid_t waiter;
	int fds[4];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(pipe(fds + 2), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, read_pipe, fds), 0);
	ck_assert_int_eq(read(fds[2], &waiter, sizeof(waiter)), sizeof(waiter));
	while (strstr(text, "it waits in read of pipe:") == NULL)
		thread_wait_describe(waiter, text, sizeof(text));
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	pthread_join(thread, NULL);
	thread_wait_describe(gettid(), text, sizeof(text));
	ck_assert_str_eq(text, "it is running");
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("overdue");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_is_told_of_once);
	tcase_add_test(tc, all_are_told_of_as_such);
	tcase_add_test(tc, without_requests_it_rests);
	tcase_add_test(tc, what_a_thread_waits_for);
	return run_case("overdue", tc);
}
