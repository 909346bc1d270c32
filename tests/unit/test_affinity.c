/* SPDX-License-Identifier: ISC */
/*
 * Serving on the processor of the caller: when it begins and ends, and that
 * no thread is left with a policy or a processor that is not its own.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fuse/serve/affinity.h"
#include "support/suite.h"
#include "util/clock.h"

static struct affinity a;
static struct affinity_thread place;

static void
setup(void)
{
	affinity_init(&a, true);
	affinity_thread_init(&place, &a);
}

/* On one processor, or without the right to change policies, there is
 * nothing to test but that nothing happens. */
static bool
is_able(void)
{
	if (a.able)
		return true;
	affinity_received(&place, (uint32_t)gettid(), true);
	ck_assert(!affinity_is_held(&place));
	return false;
}

static void
receive(int n, bool behind)
{
	for (int i = 0; i < n; i++) {
		affinity_note_queue(&a, behind);
		affinity_received(&place, (uint32_t)gettid(), true);
	}
}

static int
own_policy(void)
{
	struct sched_param param;
	int policy = -1;

	ck_assert_int_eq(pthread_getschedparam(pthread_self(), &policy, &param),
	    0);
	return policy;
}

static int
processors(void)
{
	cpu_set_t set;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	return CPU_COUNT(&set);
}

START_TEST(test_next)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(2, &set);
	ck_assert_int_eq(affinity_next_cpu(&set, 2), 2);
	CPU_SET(0, &set);
	CPU_SET(CPU_SETSIZE - 1, &set);
	ck_assert_int_eq(affinity_next_cpu(&set, 0), 2);
	ck_assert_int_eq(affinity_next_cpu(&set, 2), CPU_SETSIZE - 1);
	ck_assert_int_eq(affinity_next_cpu(&set, CPU_SETSIZE - 1), 0);
	/* Unknown. */
	ck_assert_int_eq(affinity_next_cpu(&set, -1), 0);
}
END_TEST

START_TEST(test_one_at_a_time)
{
	int before = processors();

	if (!is_able())
		return;
	receive(AFFINITY_ALONE_MIN - 1, false);
	ck_assert(!affinity_is_held(&place));
	receive(1, false);
	ck_assert(affinity_is_held(&place));
	ck_assert_int_eq(processors(), 1);
	ck_assert_int_eq(sched_getcpu(), place.cpu);
	ck_assert_uint_eq(counter_read(&a.moves), 1);

	/* Some company is borne, much is not. */
	receive(AFFINITY_COST_MAX / AFFINITY_COST_STEP, true);
	receive(AFFINITY_COST_STEP, false);
	receive(1, true);
	ck_assert(affinity_is_held(&place));
	receive(AFFINITY_COST_MAX / AFFINITY_COST_STEP + 1, true);
	ck_assert(!affinity_is_held(&place));
	ck_assert_int_eq(processors(), before);

	/* And requests that are never alone do not begin it. */
	for (int i = 0; i < 10; i++) {
		receive(AFFINITY_ALONE_MIN - 1, false);
		receive(1, true);
	}
	ck_assert(!affinity_is_held(&place));
}
END_TEST

static long
count_preemptions(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_THREAD, &usage), 0);
	return usage.ru_nivcsw;
}

/* Nobody has taken the processor since the last request: not that we know
 * of. */
static void
receive_undisturbed(uint32_t caller)
{
	place.preemptions = count_preemptions();
	affinity_received(&place, caller, false);
}

START_TEST(test_follow)
{
	const uint32_t caller = 1000;
	int cpu;

	if (!is_able())
		return;
	receive(AFFINITY_ALONE_MIN, false);
	cpu = place.cpu;

	/* Of a new caller nothing is known; his second request tells. */
	receive_undisturbed(caller);
	ck_assert_int_eq(place.cpu, cpu);
	for (int i = 0; i < 10 && place.cpu == cpu; i++)
		receive_undisturbed(caller);
	ck_assert_int_ne(place.cpu, cpu);
	ck_assert_int_eq(sched_getcpu(), place.cpu);

	/* Who has the processor after his answer runs here. */
	cpu = place.cpu;
	for (int i = 0; i < 100; i++) {
		place.preemptions = count_preemptions() - 1;
		affinity_received(&place, caller, false);
	}
	ck_assert_int_eq(place.cpu, cpu);
	/* So does one whose request is there already. */
	for (int i = 0; i < 100; i++) {
		place.preemptions = count_preemptions();
		affinity_received(&place, caller, true);
	}
	ck_assert_int_eq(place.cpu, cpu);
}
END_TEST

/* A caller that is nowhere is not looked for at each request. */
START_TEST(test_nowhere)
{
	const int requests = 2000;
	uint64_t moves;

	if (!is_able())
		return;
	receive(AFFINITY_ALONE_MIN, false);
	moves = counter_read(&a.moves);
	for (int i = 0; i < requests; i++)
		receive_undisturbed(1000);
	ck_assert(affinity_is_held(&place));
	ck_assert_uint_gt(counter_read(&a.moves), moves);
	ck_assert_uint_lt(counter_read(&a.moves) - moves, requests / 4);
	affinity_release(&place);
	ck_assert_uint_eq(place.skips, 0);
}
END_TEST

/* A thread that may run on one processor goes to no other. */
START_TEST(test_bound)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	if (!is_able())
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(set), &set), 0);
	receive(AFFINITY_ALONE_MIN, false);
	for (int i = 0; i < 100; i++)
		receive_undisturbed(1000);
	ck_assert_int_eq(sched_getcpu(), cpu);
	ck_assert_uint_le(counter_read(&a.moves), 1);
	affinity_release(&place);
	ck_assert_int_eq(processors(), 1);
}
END_TEST

START_TEST(test_release)
{
	cpu_set_t set;
	int before = processors();

	if (!is_able())
		return;
	receive(AFFINITY_ALONE_MIN, false);
	affinity_release(&place);
	ck_assert(!affinity_is_held(&place));
	ck_assert_int_eq(processors(), before);

	/* What somebody else has decided meanwhile stays. */
	receive(1, false);
	ck_assert(affinity_is_held(&place));
	set = place.allowed;
	CPU_CLR(place.cpu, &set);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(set), &set), 0);
	affinity_release(&place);
	ck_assert_int_eq(processors(), before - 1);
}
END_TEST

/* End a request that was answered so long before; negative: the clock of the
 * answer is ahead, so that the test may take its time. */
static void
end_after(int64_t ns)
{
	place.answered_ns = (uint64_t)((int64_t)clock_now_ns() - ns);
	ck_assert_uint_eq(affinity_end(&place), place.answered_ns);
}

#define SECOND_NS 1000000000

START_TEST(test_answer)
{
	struct iovec iov = { (void *)"answer", 6 };
	char got[16];
	int fds[2];

	if (!is_able())
		return;
	ck_assert_int_eq(pipe(fds), 0);
	receive(AFFINITY_ALONE_MIN, false);
	affinity_begin(&place, (uint32_t)gettid());
	ck_assert_int_eq(affinity_writev(fds[1], &iov, 1), 6);
	end_after(-SECOND_NS);
	ck_assert_uint_eq(counter_read(&a.served), 1);
	ck_assert_int_eq(read(fds[0], got, sizeof(got)), 6);

	/* The policy stays until the next request is not there yet. */
	ck_assert_int_eq(own_policy(), SCHED_IDLE);
	ck_assert(affinity_is_idle(&place));
	affinity_begin(&place, (uint32_t)gettid());
	ck_assert_int_eq(affinity_writev(fds[1], &iov, 1), 6);
	end_after(-SECOND_NS);
	ck_assert_int_eq(own_policy(), SCHED_IDLE);
	affinity_leave_idle(&place);
	ck_assert_int_eq(own_policy(), a.policy);
	ck_assert(!affinity_is_idle(&place));
	ck_assert_uint_eq(counter_read(&a.served), 2);

	/* Nor does it after a long absence. */
	affinity_begin(&place, (uint32_t)gettid());
	ck_assert_int_eq(affinity_writev(fds[1], &iov, 1), 6);
	ck_assert_int_eq(own_policy(), SCHED_IDLE);
	end_after(SECOND_NS);
	ck_assert_int_eq(own_policy(), a.policy);
	ck_assert_uint_eq(counter_read(&a.served), 3);

	/* Nobody waits: a plain writev(2). */
	affinity_begin(&place, 0);
	ck_assert_int_eq(affinity_writev(fds[1], &iov, 1), 6);
	ck_assert_uint_gt(affinity_end(&place), 0);
	ck_assert_uint_eq(place.answered_ns, 0);
	ck_assert_uint_eq(counter_read(&a.served), 3);

	/* A failure is told, and costs nothing else. */
	affinity_begin(&place, (uint32_t)gettid());
	ck_assert_int_eq(affinity_writev(-1, &iov, 1), -1);
	ck_assert_int_eq(errno, EBADF);
	affinity_end(&place);
	affinity_release(&place);
	ck_assert_int_eq(own_policy(), a.policy);

	/* One that was replaced is not watched: it keeps its policy. */
	receive(AFFINITY_ALONE_MIN, false);
	affinity_begin(&place, (uint32_t)gettid());
	ck_assert(!affinity_lost(&place, pthread_self()));
	ck_assert_int_eq(affinity_writev(fds[1], &iov, 1), 6);
	affinity_end(&place);
	ck_assert_int_eq(own_policy(), a.policy);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

struct answerer {
	pthread_t thread;
	struct affinity_thread affinity;
	int fd;
	_Atomic int policy_after;
};

/* More than a pipe holds, so that it is not done before it is read. */
static char much[1 << 20], got_back[1 << 20];

static void *
answer(void *arg)
{
	struct answerer *w = arg;
	struct iovec iov = { much, sizeof(much) };

	for (int i = 0; i < AFFINITY_ALONE_MIN; i++)
		affinity_received(&w->affinity, (uint32_t)gettid(), true);
	affinity_begin(&w->affinity, (uint32_t)gettid());
	ck_assert_int_eq(affinity_writev(w->fd, &iov, 1), sizeof(much));
	affinity_end(&w->affinity);
	affinity_release(&w->affinity);
	w->policy_after = own_policy();
	return NULL;
}

static int
policy_of(pthread_t thread)
{
	struct sched_param param;
	int policy = -1;

	ck_assert_int_eq(pthread_getschedparam(thread, &policy, &param), 0);
	return policy;
}

/* The thread is held up under SCHED_IDLE, as far as anybody can tell. */
static void
lose(struct answerer *w)
{
	w->affinity.has_idle_policy = true;
	ck_assert(affinity_lost(&w->affinity, w->thread));
	ck_assert(!affinity_lost(&w->affinity, w->thread));
}

START_TEST(test_lost)
{
	struct answerer w = { .policy_after = -1 };
	uint64_t cooldown = COOLDOWN_MIN_NS;
	int fds[2];

	if (!is_able())
		return;
	ck_assert(!affinity_lost(&place, pthread_self()));
	ck_assert_int_eq(pipe(fds), 0);
	w.fd = fds[1];
	affinity_thread_init(&w.affinity, &a);
	receive(AFFINITY_ALONE_MIN, false);
	affinity_release(&place);
	ck_assert_int_eq(pthread_create(&w.thread, NULL, answer, &w), 0);
	while (
	    !affinity_is_idle(&w.affinity) || policy_of(w.thread) != SCHED_IDLE)
		sched_yield();
	ck_assert(affinity_lost(&w.affinity, w.thread));
	ck_assert_int_eq(policy_of(w.thread), a.policy);
	ck_assert(affinity_is_active(&a));

	/* When it happens often, not again for a while; then for longer. */
	for (int i = 1; i < AFFINITY_LOST_MAX; i++)
		lose(&w);
	ck_assert(!affinity_is_active(&a));
	ck_assert_uint_eq(a.cooldown.length_ns, cooldown);
	receive(10 * AFFINITY_ALONE_MIN, false);
	ck_assert(!affinity_is_held(&place));
	for (int i = 0; i < AFFINITY_LOST_MAX; i++)
		lose(&w);
	ck_assert_uint_eq(a.cooldown.length_ns, 2 * cooldown);
	ck_assert_uint_eq(counter_read(&a.lost), 2 * AFFINITY_LOST_MAX);

	/* Seldom is not often. */
	a.cooldown.until_ns = 0;
	receive(AFFINITY_ALONE_MIN, false);
	for (int i = 0; i < 3 * AFFINITY_LOST_MAX; i++) {
		lose(&w);
		a.lost_window_ns -= AFFINITY_LOST_WITHIN_NS + 1;
	}
	ck_assert(affinity_is_active(&a));

	for (size_t n = 0; n < sizeof(much);) {
		ssize_t got = read(fds[0], got_back, sizeof(got_back));

		ck_assert_int_gt(got, 0);
		n += (size_t)got;
	}
	pthread_join(w.thread, NULL);
	ck_assert_int_eq(w.policy_after, a.policy);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(test_not_wanted)
{
	affinity_init(&a, false);
	receive(10 * AFFINITY_ALONE_MIN, false);
	ck_assert(!affinity_is_held(&place));
	ck_assert_uint_eq(counter_read(&a.moves), 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("affinity");
	int status;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, test_next);
	tcase_add_test(tc, test_one_at_a_time);
	tcase_add_test(tc, test_follow);
	tcase_add_test(tc, test_nowhere);
	tcase_add_test(tc, test_bound);
	tcase_add_test(tc, test_release);
	tcase_add_test(tc, test_answer);
	tcase_add_test(tc, test_lost);
	tcase_add_test(tc, test_not_wanted);
	status = run_case("affinity", tc);
	affinity_init(&a, true);
	if (status == EXIT_SUCCESS && !a.able) {
		puts("all but the parts that need affinity");
		return EXIT_SKIPPED;
	}
	return status;
}
