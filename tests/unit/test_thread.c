/* SPDX-License-Identifier: ISC */
/* Threads that are started on demand, by one that is bound and demoted. */
#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/suite.h"
#include "util/thread.h"

struct place {
	int policy, processors;
};

/* Without rights nobody leaves SCHED_IDLE, nor do the threads he starts. */
static bool may_leave;

static void
set_policy(int policy, bool *okp)
{
	const struct sched_param none = { 0 };

	*okp = pthread_setschedparam(pthread_self(), policy, &none) == 0;
}

static void *
note_place(void *arg)
{
	struct place *place = arg;
	cpu_set_t set;

	place->policy = sched_getscheduler(0);
	place->processors = sched_getaffinity(0, sizeof(set), &set) == 0 ?
	    CPU_COUNT(&set) :
	    -1;
	return arg;
}

/* Bind this thread to one processor, under SCHED_IDLE, and start one. */
static void *
start_from_below(void *arg)
{
	pthread_t thread;
	cpu_set_t set;
	bool ok;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(set), &set), 0);
	set_policy(SCHED_IDLE, &ok);
	ck_assert(ok);
	set_policy(SCHED_OTHER, &may_leave);
	set_policy(SCHED_IDLE, &ok);
	ck_assert(ok);
	ck_assert_int_eq(thread_start(&thread, false, note_place, arg), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	return NULL;
}

START_TEST(it_runs_where_and_as_the_first_thread_does)
{
	struct place first, got = { -1, -1 };
	pthread_t thread;

	note_place(&first);
	ck_assert_int_eq(pthread_create(&thread, NULL, start_from_below, &got),
	    0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(got.policy, may_leave ? first.policy : SCHED_IDLE);
	ck_assert_int_eq(got.processors, first.processors);
}
END_TEST

/* As systemd's SystemCallFilter=~@resources does. For the process: each test
 * runs in one of its own. */
static void
forbid_scheduling(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_setaffinity, 1,
		    0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_setscheduler, 0,
		    1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]),
		filter };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program),
	    0);
}

START_TEST(a_sandbox_that_forbids_both_is_no_obstacle)
{
	struct place got = { -1, -1 };
	pthread_t thread;

	forbid_scheduling();
	ck_assert_int_eq(thread_start(&thread, false, note_place, &got), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_gt(got.processors, 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, it_runs_where_and_as_the_first_thread_does);
	tcase_add_test(tc, a_sandbox_that_forbids_both_is_no_obstacle);
	return run_case("thread", tc);
}
