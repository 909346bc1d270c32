/* SPDX-License-Identifier: ISC */
/* Locks, conditions and their deadlines. */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/aborts.h"
#include "support/suite.h"
#include "util/clock.h"
#include "util/mutex.h"

#define MS 1000000ull
#define THREADS 6
#define ROUNDS 20000

static struct mutex mu;
static struct cond changed;
static unsigned state;
static uint64_t sum;

static void
setup(void)
{
	mutex_init(&mu);
	cond_init(&changed);
}

static void
teardown(void)
{
	cond_fini(&changed);
	mutex_fini(&mu);
}

static void *
add_up(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		mutex_lock(&mu);
		mutex_assert_held(&mu);
		sum++;
		mutex_unlock(&mu);
	}
	return arg;
}

START_TEST(one_thread_at_a_time_holds_it)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, add_up,
				     NULL),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(sum, THREADS * ROUNDS);
}
END_TEST

/* The analysis would refuse to try a lock that is held. */
static void
try_held_lock(void) NO_THREAD_SAFETY
{
	ck_assert(mutex_trylock(&mu));
	ck_assert(!mutex_trylock(&mu));
	mutex_unlock(&mu);
	ck_assert(mutex_trylock(&mu));
	mutex_unlock(&mu);
}

START_TEST(trying_a_held_lock_says_no)
{
	try_held_lock();
}
END_TEST

START_TEST(the_clock_does_not_go_back)
{
	uint64_t last = clock_now_ns();

	ck_assert_uint_gt(last, 0);
	for (int i = 0; i < 10000; i++) {
		uint64_t now = clock_now_ns();

		ck_assert_uint_ge(now, last);
		last = now;
	}
}
END_TEST

START_TEST(a_deadline_ends_a_wait_and_not_before_its_time)
{
	uint64_t deadline = clock_now_ns() + 20 * MS;

	mutex_lock(&mu);
	/* A wakeup without cause is allowed. */
	while (cond_wait_until(&changed, &mu, deadline))
		ck_assert_uint_lt(clock_now_ns(), deadline + 1000 * MS);
	mutex_assert_held(&mu);
	mutex_unlock(&mu);
	ck_assert_uint_ge(clock_now_ns(), deadline);
}
END_TEST

START_TEST(a_deadline_in_the_past_does_not_wait)
{
	uint64_t began = clock_now_ns();

	mutex_lock(&mu);
	ck_assert(!cond_wait_until(&changed, &mu, 0));
	ck_assert(!cond_wait_until(&changed, &mu, began));
	mutex_assert_held(&mu);
	mutex_unlock(&mu);
	ck_assert_uint_lt(clock_now_ns() - began, 5000 * MS);
}
END_TEST

/* Wait for state to become 1, then make it 2; long before the deadline. */
static void *
answer(void *arg)
{
	uint64_t deadline = clock_now_ns() + 60000 * MS;

	mutex_lock(&mu);
	while (state != 1)
		ck_assert(cond_wait_until(&changed, &mu, deadline));
	state = 2;
	cond_broadcast(&changed);
	mutex_unlock(&mu);
	return arg;
}

START_TEST(a_signal_ends_a_wait_before_its_deadline)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, answer, NULL), 0);
	mutex_lock(&mu);
	state = 1;
	cond_signal(&changed);
	while (state != 2)
		cond_wait(&changed, &mu);
	mutex_unlock(&mu);
	pthread_join(thread, NULL);
}
END_TEST

static void *
wait_for_start(void *arg)
{
	mutex_lock(&mu);
	while (state == 0)
		cond_wait(&changed, &mu);
	sum++;
	mutex_unlock(&mu);
	return arg;
}

START_TEST(a_broadcast_reaches_everybody)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
				     wait_for_start, NULL),
		    0);
	mutex_lock(&mu);
	state = 1;
	cond_broadcast(&changed);
	mutex_unlock(&mu);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(sum, THREADS);
}
END_TEST

/* ---- Who holds it: known in builds with checks alone ---- */

#if defined(KVFS_CHECKS)
static atomic_bool is_held, may_end;

static void
assert_held(void *arg)
{
	mutex_assert_held(arg);
}

static void
assert_free(void *arg)
{
	mutex_assert_free(arg);
}

static void
end_it(void *arg)
{
	mutex_fini(arg);
}

/* The analysis would refuse these. */
static void
take_it(void *arg) NO_THREAD_SAFETY
{
	mutex_lock(arg);
}

static void
let_it_go(void *arg) NO_THREAD_SAFETY
{
	mutex_unlock(arg);
}

static void
wait_with_it(void *arg) NO_THREAD_SAFETY
{
	cond_wait_until(&changed, arg, 0);
}

static void *
hold_it(void *arg)
{
	mutex_lock(&mu);
	atomic_store(&is_held, true);
	while (!atomic_load(&may_end))
		sched_yield();
	mutex_unlock(&mu);
	return arg;
}

START_TEST(the_holder_is_known)
{
	mutex_assert_free(&mu);
	ck_assert(aborts_with("mutex: the calling thread does not hold it",
	    assert_held, &mu));
	mutex_lock(&mu);
	mutex_assert_held(&mu);
	ck_assert(
	    aborts_with("mutex: a thread still holds it", assert_free, &mu));
	mutex_unlock(&mu);
	mutex_assert_free(&mu);
	ck_assert(aborts_with("does not hold it", assert_held, &mu));
}
END_TEST

START_TEST(anothers_lock_is_not_ours)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, hold_it, NULL), 0);
	while (!atomic_load(&is_held))
		sched_yield();
	ck_assert(aborts_with("does not hold it", assert_held, &mu));
	ck_assert(aborts_with("does not hold it", let_it_go, &mu));
	ck_assert(aborts_with("does not hold it", wait_with_it, &mu));
	ck_assert(aborts_with("still holds it", assert_free, &mu));
	ck_assert(aborts_with("still holds it", end_it, &mu));
	atomic_store(&may_end, true);
	pthread_join(thread, NULL);
	mutex_assert_free(&mu);
}
END_TEST

START_TEST(a_lock_is_not_taken_twice)
{
	mutex_lock(&mu);
	ck_assert(
	    aborts_with("taken by the thread that holds it", take_it, &mu));
	mutex_unlock(&mu);
}
END_TEST
#else
START_TEST(it_is_a_mutex_and_nothing_more)
{
	ck_assert_uint_eq(sizeof(mu), sizeof(mu.m));
}
END_TEST
#endif

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_thread_at_a_time_holds_it);
	tcase_add_test(tc, trying_a_held_lock_says_no);
	tcase_add_test(tc, the_clock_does_not_go_back);
	tcase_add_test(tc, a_deadline_ends_a_wait_and_not_before_its_time);
	tcase_add_test(tc, a_deadline_in_the_past_does_not_wait);
	tcase_add_test(tc, a_signal_ends_a_wait_before_its_deadline);
	tcase_add_test(tc, a_broadcast_reaches_everybody);
#if defined(KVFS_CHECKS)
	tcase_add_test(tc, the_holder_is_known);
	tcase_add_test(tc, anothers_lock_is_not_ours);
	tcase_add_test(tc, a_lock_is_not_taken_twice);
#else
	tcase_add_test(tc, it_is_a_mutex_and_nothing_more);
#endif
	return run_case("mutex", tc);
}
