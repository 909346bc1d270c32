/* SPDX-License-Identifier: ISC */
/* Views, taken and given back by many threads while new ones come. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "engine/memtable/memtable.h"
#include "engine/state/view.h"
#include "engine/tree/version.h"
#include "support/suite.h"

/* More than there are slots, in all. */
#define READERS 9
#define INSTALLS 400
#define MEM_MARK 1000000

static struct mutex mu;
static struct views views;
static _Atomic uint64_t installed; /* number of the newest view */
static _Atomic unsigned memtables_freed;
static atomic_bool done;

static void
drop(void *arg, struct table_file *f)
{
	(void)arg;
	(void)f;
	ck_abort_msg("there was no table");
}

static void
count_free(void *arg, struct memtable *m)
{
	(void)arg;
	/* Whoever reads it now is told by the sanitizer. */
	m->first_log = 0;
	atomic_fetch_add(&memtables_freed, 1);
}

static struct memtable *
memtable_of(uint64_t number)
{
	struct memtable *m = memtable_create(number, 0);

	ck_assert_ptr_nonnull(m);
	m->on_free = count_free;
	return m;
}

/* View n: memtable n, and n + MEM_MARK behind it. */
static void
install(uint64_t n)
{
	struct memtable *mem = memtable_of(n), *imm = memtable_of(n + MEM_MARK);
	struct version *v = version_create(drop, NULL);

	ck_assert_ptr_nonnull(v);
	mutex_lock(&mu);
	ck_assert_int_eq(view_install_locked(&views, mem, &imm, 1, v), 0);
	mutex_unlock(&mu);
	atomic_store(&installed, n);
	memtable_unref(mem);
	memtable_unref(imm);
	version_unref(v);
}

static void
setup(void)
{
	mutex_init(&mu);
	views_init(&views, &mu);
	install(1);
}

static void
teardown(void)
{
	view_clear_slots(&views);
	view_unref(views.current);
	mutex_fini(&mu);
}

START_TEST(a_view_given_back_is_had_again)
{
	struct view *v = view_acquire(&views);

	ck_assert_uint_eq(v->mem->first_log, 1);
	view_release(&views, v);
	ck_assert_ptr_eq(view_acquire(&views), v);
	view_release(&views, v);
	ck_assert_ptr_eq(v, views.current);
	/* The store's and the slot's. */
	ck_assert_uint_eq(v->refs, 2);
}
END_TEST

START_TEST(a_held_view_stays_whole_and_goes_with_its_last_holder)
{
	struct view *v = view_acquire(&views);

	install(2);
	ck_assert_uint_eq(memtables_freed, 0);
	ck_assert_uint_eq(v->mem->first_log, 1);
	ck_assert_uint_eq(v->imm[0]->first_log, 1 + MEM_MARK);
	view_release(&views, v);
	ck_assert_uint_eq(memtables_freed, 2);
	v = view_acquire(&views);
	ck_assert_uint_eq(v->mem->first_log, 2);
	view_release(&views, v);
	install(3);
	ck_assert_uint_eq(memtables_freed, 4);
}
END_TEST

START_TEST(the_current_view_can_be_had_under_the_lock)
{
	struct view *v;

	mutex_lock(&mu);
	v = view_current_locked(&views);
	mutex_unlock(&mu);
	install(2);
	ck_assert_uint_eq(v->mem->first_log, 1);
	view_unref(v);
	ck_assert_uint_eq(memtables_freed, 2);
	view_unref(NULL);
}
END_TEST

static void *
read_views(void *arg)
{
	uint64_t last = 0;
	unsigned rounds = 0;

	while (!atomic_load(&done) || rounds++ < 10) {
		uint64_t before = atomic_load(&installed);
		struct view *v = view_acquire(&views);
		uint64_t n = v->mem->first_log;

		if (n < before || n < last)
			ck_abort_msg("view %llu after view %llu",
			    (unsigned long long)n, (unsigned long long)before);
		if (v->imm_count != 1 || v->imm[0]->first_log != n + MEM_MARK)
			ck_abort_msg("parts of different views");
		last = n;
		view_release(&views, v);
	}
	return arg;
}

START_TEST(no_thread_ever_reads_an_older_view_than_it_could)
{
	pthread_t threads[READERS];
	uint64_t n = 1;

	/* Threads that come and go take all slots, so that some share one. */
	for (int wave = 0; wave < 8; wave++) {
		atomic_store(&done, false);
		for (int i = 0; i < READERS; i++)
			ck_assert_int_eq(pthread_create(&threads[i], NULL,
					     read_views, NULL),
			    0);
		for (int i = 0; i < INSTALLS / 8; i++)
			install(++n);
		atomic_store(&done, true);
		for (int i = 0; i < READERS; i++)
			pthread_join(threads[i], NULL);
	}
	view_clear_slots(&views);
	ck_assert_uint_eq(memtables_freed, 2 * (n - 1));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_view_given_back_is_had_again);
	tcase_add_test(tc,
	    a_held_view_stays_whole_and_goes_with_its_last_holder);
	tcase_add_test(tc, the_current_view_can_be_had_under_the_lock);
	tcase_add_test(tc, no_thread_ever_reads_an_older_view_than_it_could);
	return run_case("view", tc);
}
