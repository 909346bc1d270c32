/* SPDX-License-Identifier: ISC */
/* Invariants of an open store's parts: what they accept and what they tell. */
#include <check.h>

#include "engine/state/state_check.h"
#include "support/aborts.h"
#include "support/suite.h"

static struct mutex mu;

static void
setup(void)
{
	mutex_init(&mu);
}

static void
teardown(void)
{
	mutex_fini(&mu);
}

/* ---- Segments ---- */

static void
check_segments(void *arg) NO_THREAD_SAFETY
{
	segment_set_check(arg);
}

START_TEST(segments)
{
	struct segment_set set = { 0 };
	struct segment_ref a = { .number = 4, .refs = 1, .sealed = true };
	struct segment_ref b = { .number = 9, .refs = 1, .sealed = true };

	mutex_init(&set.mu);
	mutex_lock(&set.mu);
	RB_INIT(&set.tree);
	segment_set_check(&set);
	RB_INSERT(segment_tree, &set.tree, &b);
	RB_INSERT(segment_tree, &set.tree, &a);
	segment_set_check(&set);
	a.live_bytes -= 10;
	ck_assert(aborts_with("segments: 4 has fewer than 0 live bytes",
	    check_segments, &set));
	a.live_bytes = 0;
	b.users = 2;
	ck_assert(aborts_with("segments: 9 has more uses than references",
	    check_segments, &set));
	b.users = 0;
	b.sealed = false;
	ck_assert(aborts_with("segments: 9 takes appends and has no writer",
	    check_segments, &set));
	b.sealed = true;
	set.active = &b;
	ck_assert(aborts_with("segments: the active one is sealed",
	    check_segments, &set));
	b.number = 3;
	ck_assert(
	    aborts_with("segments: 3 comes after 4", check_segments, &set));
	mutex_unlock(&set.mu);
	mutex_fini(&set.mu);
}
END_TEST

/* ---- Logs ---- */

static void
check_logs(void *arg)
{
	log_set_check(arg);
}

START_TEST(logs)
{
	static struct db_log a = { .number = 4 }, b = { .number = 6 };
	struct db_log *all[] = { &a, &b };
	struct log_set set = { .all = all, .count = 2, .cap = 2 };

	a.refs = b.refs = 1;
	log_set_check(&set);
	all[0] = &b;
	all[1] = &a;
	ck_assert(aborts_with("logs: 4 comes after 6", check_logs, &set));
	all[0] = &a;
	all[1] = &b;
	b.refs = 0;
	ck_assert(aborts_with("logs: nobody holds 6", check_logs, &set));
	set.cap = 1;
	ck_assert(aborts_with("logs: 2, with room for 1", check_logs, &set));
}
END_TEST

/* ---- Snapshots ---- */

static void
check_snapshots(void *arg)
{
	snapshots_check_locked(arg);
}

START_TEST(snapshots)
{
	struct snapshots list;
	struct kv_snapshot a = { .seq = 5 }, b = { .seq = 8 };

	snapshots_init(&list, &mu);
	mutex_lock(&mu);
	snapshots_check_locked(&list);
	list.head.next = &a;
	a.prev = &list.head;
	a.next = &b;
	b.prev = &a;
	b.next = &list.head;
	list.head.prev = &b;
	snapshots_check_locked(&list);
	b.seq = 4;
	ck_assert(
	    aborts_with("snapshots: 4 comes after 5", check_snapshots, &list));
	b.prev = &b;
	ck_assert(aborts_with("snapshots: the ring is broken at 5",
	    check_snapshots, &list));
	mutex_unlock(&mu);
}
END_TEST

/* ---- Figures ---- */

static void
check_delay(void *arg)
{
	write_delay_check(arg);
}

START_TEST(delay_of_writers)
{
	struct write_delay d = { .ns_per_kib = 1000000 };

	write_delay_check(&d);
	d.ns_per_kib = 1000001;
	ck_assert(aborts_with("write delay: 1000001 ns for each KiB",
	    check_delay, &d));
}
END_TEST

static void
check_idle_memory(void *arg)
{
	memory_use_check(arg, true);
}

START_TEST(memory)
{
	struct memory_use use = { .waiting_bytes = 5 };

	memory_use_check(&use, true);
	use.work_bytes = 7;
	memory_use_check(&use, false);
	ck_assert(aborts_with("no job runs, and jobs have 7 bytes",
	    check_idle_memory, &use));
	use.waiting_bytes -= 6;
	ck_assert(aborts_with("full memtables have fewer than 0 bytes",
	    check_idle_memory, &use));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("state_check");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, segments);
	tcase_add_test(tc, logs);
	tcase_add_test(tc, snapshots);
	tcase_add_test(tc, delay_of_writers);
	tcase_add_test(tc, memory);
	return run_case("state_check", tc);
}
