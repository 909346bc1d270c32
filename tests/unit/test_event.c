/* SPDX-License-Identifier: ISC */
/* Eventcounts: no wake is missed, whoever is faster. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "support/suite.h"
#include "util/clock.h"
#include "util/event.h"
#include "util/mutex.h"

#define THREADS 8
#define ROUNDS 20000

static struct event turn;
static _Atomic unsigned ticket;

/* Each thread waits for its turn, and gives it to the next: one wake that
 * gets lost stops them all. */
static void *
take_turns(void *arg)
{
	unsigned mine = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < ROUNDS / THREADS; i++) {
		for (;;) {
			uint32_t seen = event_seen(&turn);

			if (atomic_load(&ticket) % THREADS == mine)
				break;
			event_wait(&turn, seen);
		}
		atomic_fetch_add(&ticket, 1);
		event_wake(&turn);
	}
	return NULL;
}

START_TEST(no_wake_is_missed)
{
	pthread_t threads[THREADS];

	event_init(&turn);
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_turns,
				     (void *)i),
		    0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_eq(atomic_load(&ticket), ROUNDS);
}
END_TEST

START_TEST(a_wake_between_the_look_and_the_wait_counts)
{
	uint32_t seen;

	event_init(&turn);
	seen = event_seen(&turn);
	event_wake(&turn);
	event_wait(&turn, seen); /* would wait for ever */
}
END_TEST

START_TEST(a_wait_with_a_deadline_ends_at_it_and_not_before)
{
	uint64_t deadline = clock_now_ns() + 2000000;
	uint32_t seen;

	event_init(&turn);
	seen = event_seen(&turn);
	/* A signal may end it early, without a wake. */
	while (event_wait_until(&turn, seen, deadline))
		ck_assert_uint_eq(event_seen(&turn), seen);
	ck_assert_uint_ge(clock_now_ns(), deadline);
	/* Once it has passed there is nothing to wait for. */
	ck_assert(!event_wait_until(&turn, seen, deadline));
	event_wake(&turn);
	ck_assert(event_wait_until(&turn, seen, UINT64_MAX / 2));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, no_wake_is_missed);
	tcase_add_test(tc, a_wake_between_the_look_and_the_wait_counts);
	tcase_add_test(tc, a_wait_with_a_deadline_ends_at_it_and_not_before);
	return run_case("event", tc);
}
