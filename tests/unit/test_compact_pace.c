/* SPDX-License-Identifier: ISC */
/* When a compaction that is not urgent goes on. */
#include <check.h>
#include <stdlib.h>

#include "engine/compact/compact_pace.h"
#include "engine/state/work_signal.h"
#include "engine/state/write_delay.h"
#include "engine/tree/version.h"
#include "support/suite.h"
#include "util/clock.h"
#include "util/stats.h"

#define MIB (1ull << 20)

static struct compact_state compact;
static struct flush_state flush;
static struct write_delay delay;
static struct room_state room;
static struct counter slept_ns;
static struct compact_pace pace;

static void
setup(void)
{
	const struct pace_state state = { &compact, &delay, &room, &slept_ns };

	atomic_store(&delay.last_commit_ns, clock_now_ns());
	compact_pace_begin(&pace, &state, 64 * MIB);
	atomic_store(&compact.slow_at_ns, pace.start_ns + 2 * NS_PER_S);
}

/* Milliseconds from the beginning until so much may be done. */
static uint64_t
due_ms(uint64_t done)
{
	uint64_t due = compact_pace_due_ns(&pace, done);

	return due != 0 ? (due - pace.start_ns + 500000) / 1000000 : 0;
}

START_TEST(a_job_takes_half_of_the_time_that_is_left)
{
	ck_assert_uint_eq(due_ms(16 * MIB), 250);
	ck_assert_uint_eq(due_ms(32 * MIB), 500);
	ck_assert_uint_eq(due_ms(64 * MIB), 1000);
	/* There is less time than it seemed. */
	atomic_store(&compact.slow_at_ns, pace.start_ns + NS_PER_S);
	ck_assert_uint_eq(due_ms(32 * MIB), 250);
}
END_TEST

START_TEST(and_is_not_stretched_without_end)
{
	atomic_store(&compact.slow_at_ns, pace.start_ns + 3600 * NS_PER_S);
	ck_assert_uint_eq(due_ms(16 * MIB), 500);
	ck_assert_uint_eq(due_ms(64 * MIB), 2000);
}
END_TEST

START_TEST(it_goes_at_full_speed_when_that_is_needed)
{
	ck_assert_uint_ne(due_ms(32 * MIB), 0);
	atomic_store(&delay.ns_per_kib, 1);
	ck_assert_uint_eq(due_ms(32 * MIB), 0);
	atomic_store(&delay.ns_per_kib, 0);
	atomic_store(&room.is_short, true);
	ck_assert_uint_eq(due_ms(32 * MIB), 0);
	atomic_store(&room.is_short, false);
	atomic_store(&compact.abandon, true);
	ck_assert_uint_eq(due_ms(32 * MIB), 0);
	atomic_store(&compact.abandon, false);
	ck_assert_uint_ne(due_ms(32 * MIB), 0);
	atomic_store(&delay.last_commit_ns, clock_now_ns() - 2 * IDLE_NS);
	ck_assert_uint_eq(due_ms(32 * MIB), 0);
	atomic_store(&delay.last_commit_ns, clock_now_ns());
	atomic_store(&compact.slow_at_ns, 0);
	ck_assert_uint_eq(due_ms(32 * MIB), 0);
}
END_TEST

START_TEST(who_is_ahead_of_time_sleeps)
{
	/* 10 ms for all of it. */
	atomic_store(&compact.slow_at_ns, clock_now_ns() + NS_PER_S / 50);
	pace.start_ns = clock_now_ns();
	compact_pace(&pace, pace.total / 2);
	compact_pace(&pace, pace.total / 2);
	ck_assert_uint_eq(atomic_load(&pace.done), pace.total);
	ck_assert_uint_gt(counter_read(&slept_ns), 0);
	ck_assert_uint_ge(clock_now_ns() + PACE_SLEEP_MIN_NS,
	    compact_pace_due_ns(&pace, pace.total));
}
END_TEST

static uint64_t
slow_in_ms(void)
{
	uint64_t at = atomic_load(&compact.slow_at_ns);

	return at != 0 ? (at - flush.ended_ns) / 1000000 : 0;
}

START_TEST(writers_are_slowed_down_after_as_many_flushes_as_there_is_room_for)
{
	static struct table_file file = { .props.entries = 100 };
	static struct table_file *files[L0_SLOWDOWN_FILES];
	static struct level level = { .files = files }, *l0 = &level;

	for (size_t i = 0; i < L0_SLOWDOWN_FILES; i++)
		files[i] = &file;
	/* The first flush tells nothing. */
	compact_pace_flushed(&flush, &compact, l0);
	ck_assert_uint_eq(slow_in_ms(), 0);
	flush.ended_ns -= NS_PER_S;
	l0->count = L0_SLOWDOWN_FILES - 4;
	compact_pace_flushed(&flush, &compact, l0);
	/* Half of a second by now, four times. */
	ck_assert_uint_ge(slow_in_ms(), 2000);
	ck_assert_uint_lt(slow_in_ms(), 3000);
	/* Nobody is to walk over many deletions. */
	file.props.deletes = 51;
	compact_pace_flushed(&flush, &compact, l0);
	ck_assert_uint_eq(slow_in_ms(), 0);
	file.props.deletes = 50;
	flush.ended_ns -= NS_PER_S;
	compact_pace_flushed(&flush, &compact, l0);
	ck_assert_uint_ne(slow_in_ms(), 0);
	l0->count = L0_SLOWDOWN_FILES;
	compact_pace_flushed(&flush, &compact, l0);
	ck_assert_uint_eq(slow_in_ms(), 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_job_takes_half_of_the_time_that_is_left);
	tcase_add_test(tc, and_is_not_stretched_without_end);
	tcase_add_test(tc, it_goes_at_full_speed_when_that_is_needed);
	tcase_add_test(tc, who_is_ahead_of_time_sleeps);
	tcase_add_test(tc,
	    writers_are_slowed_down_after_as_many_flushes_as_there_is_room_for);
	return run_case("compact_pace", tc);
}
