/* SPDX-License-Identifier: ISC */
/* What the sync modes promise while many commit at once, on a real disk. */
#include <check.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/log/wal_format.h"
#include "engine/log/wal_writer.h"
#include "engine/state/db_state.h"
#include "engine/state/durability.h"
#include "engine/state/log_set.h"
#include "engine/store/db.h"
#include "engine/work/flush.h"
#include "support/suite.h"

#define WRITERS 8
#define COMMITS 300
#define AHEAD 10

static char dir[PATH_MAX];
static struct kv *kv;
static atomic_uint_fast64_t farthest;

static void
setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/kvfs-sync.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void
teardown(void)
{
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Commits that a power cut would take now. */
static uint64_t
not_durable(void)
{
	struct db *db = db_of(kv);
	/* In this order it may only come out too small. */
	uint64_t count = atomic_load(&db->commits.count);
	uint64_t durable = atomic_load(&db->dur.commits);

	return count > durable ? count - durable : 0;
}

static void *
writer(void *arg)
{
	uint64_t id = (uint64_t)(uintptr_t)arg;

	for (unsigned i = 0; i < COMMITS; i++) {
		struct kv_key key = { 1, id, slice_make(&i, sizeof(i)) };
		struct kv_batch b;
		uint64_t n, old = atomic_load(&farthest);

		kv_batch_init(&b);
		kv_batch_put(&b, &key, slice_str("value"));
		if (kv_commit(kv, &b, NULL) < 0)
			abort();
		kv_batch_fini(&b);
		n = not_durable();
		while (n > old &&
		    !atomic_compare_exchange_weak(&farthest, &old, n))
			;
	}
	return NULL;
}

/* Nobody may run on by another AHEAD while the sync of the first is under
 * way: the table in kvfs(1) says how many commits may be lost in all. */
START_TEST(no_more_commits_wait_than_the_mode_says)
{
	pthread_t threads[WRITERS];
	struct kv_options opts;
	uint64_t most;

	kv_options_init(&opts);
	opts.sync = _i == 0 ? KV_SYNC_EVERY : KV_SYNC_HYBRID;
	opts.sync_commits = AHEAD;
	opts.sync_ms = 1000000;
	ck_assert_int_eq(db_open(env_posix(), dir, &opts, &kv), 0);
	atomic_store(&farthest, 0);
	for (uintptr_t i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, writer,
				     (void *)i),
		    0);
	for (size_t i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	/* Those that have returned, and one under way for each writer. */
	most = atomic_load(&farthest);
	ck_assert_uint_lt(most, AHEAD + WRITERS);
	ck_assert_uint_lt(not_durable(), AHEAD);
	ck_assert_int_eq(kv_close(kv), 0);
}
END_TEST

static atomic_bool has_gone_on;

static void *
yielder(void *arg)
{
	(void)arg;
	db_yield_to_sync(db_of(kv));
	atomic_store(&has_gone_on, true);
	return NULL;
}

START_TEST(background_work_waits_for_a_sync_unless_it_lags_behind)
{
	struct kv_options opts;
	struct db *db;
	pthread_t thread;

	kv_options_init(&opts);
	opts.sync = KV_SYNC_OFF;
	ck_assert_int_eq(db_open(env_posix(), dir, &opts, &kv), 0);
	db = db_of(kv);
	db_yield_to_sync(db); /* there is none */
	atomic_store(&db->dur.role, 1);
	atomic_store(&db->delay.ns_per_kib, 1);
	db_yield_to_sync(db); /* nobody would end it */
	atomic_store(&db->delay.ns_per_kib, 0);
	atomic_store(&has_gone_on, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, yielder, NULL), 0);
	/* As often as it takes: it may not be waiting yet. */
	while (!atomic_load(&has_gone_on))
		event_wake(&db->dur.done);
	pthread_join(thread, NULL);
	atomic_store(&db->dur.role, 0);
	ck_assert_int_eq(kv_close(kv), 0);
}
END_TEST

static void
put_one(uint64_t id)
{
	struct kv_key key = { 1, id, slice_str("name") };
	struct kv_batch b;

	kv_batch_init(&b);
	kv_batch_put(&b, &key, slice_str("value"));
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
}

/* Also when the timer already runs for what an fsync has covered since. */
START_TEST(a_shorter_interval_counts_from_the_next_commit_on)
{
	struct kv_options opts;
	struct event *done;

	kv_options_init(&opts);
	opts.sync = KV_SYNC_INTERVAL;
	opts.sync_ms = 1000000;
	ck_assert_int_eq(db_open(env_posix(), dir, &opts, &kv), 0);
	put_one(1);
	ck_assert_int_eq(kv_sync(kv, UINT64_MAX), 0);
	put_one(2);
	ck_assert_int_eq(kv_set_sync(kv, KV_SYNC_INTERVAL, 0, 1), 0);
	put_one(3);
	done = &db_of(kv)->dur.done;
	for (;;) {
		uint32_t seen = event_seen(done);

		if (not_durable() == 0)
			break;
		event_wait(done, seen);
	}
	ck_assert_int_eq(kv_close(kv), 0);
}
END_TEST

static uint64_t
log_used(struct db *db, bool *marked)
{
	uint64_t used;

	mutex_lock(&db->commits.mu);
	used = wal_writer_used(db->logs.current->writer);
	*marked = db->dur.timer.marked_seq ==
	    atomic_load(&db->commits.last_seq);
	mutex_unlock(&db->commits.mu);
	return used;
}

/* Else damage to the last frame would look like the tail of a crash. */
START_TEST(a_sync_that_nothing_follows_leaves_a_mark)
{
	struct kv_options opts;
	uint64_t before, used;
	bool marked;

	kv_options_init(&opts);
	opts.sync = KV_SYNC_FULL;
	ck_assert_int_eq(db_open(env_posix(), dir, &opts, &kv), 0);
	for (uint64_t i = 0; i < 3; i++) {
		put_one(i);
		before = log_used(db_of(kv), &marked);
		if (marked)
			before -= WAL_FRAME_HEADER_LEN;
		do {
			sched_yield();
			used = log_used(db_of(kv), &marked);
		} while (!marked);
		ck_assert_uint_eq(used, before + WAL_FRAME_HEADER_LEN);
	}
	/* One is enough. */
	ck_assert_int_eq(kv_sync(kv, UINT64_MAX), 0);
	ck_assert_uint_eq(log_used(db_of(kv), &marked), used);
	ck_assert_int_eq(kv_close(kv), 0);
}
END_TEST

/* Each with another number of commits: a crowd that was larger a moment ago
 * must not keep the last ones waiting. */
static void *
durable_writer(void *arg)
{
	uint64_t id = (uint64_t)(uintptr_t)arg;

	for (unsigned i = 0; i < COMMITS / (id + 1); i++) {
		struct kv_key key = { 1, id, slice_make(&i, sizeof(i)) };
		struct kv_batch b;
		uint64_t seq;

		kv_batch_init(&b);
		kv_batch_put(&b, &key, slice_str("value"));
		if (kv_commit(kv, &b, &seq) < 0 ||
		    atomic_load(&db_of(kv)->dur.seq) < seq)
			abort();
		kv_batch_fini(&b);
	}
	return NULL;
}

START_TEST(each_commit_is_durable_when_it_returns)
{
	pthread_t threads[WRITERS];
	struct kv_options opts;

	kv_options_init(&opts);
	opts.sync = KV_SYNC_FULL;
	ck_assert_int_eq(db_open(env_posix(), dir, &opts, &kv), 0);
	for (uintptr_t i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
				     durable_writer, (void *)i),
		    0);
	/* Who waits may find it done by a flush. */
	for (unsigned i = 0; i < 20; i++)
		ck_assert_int_eq(db_flush_all(db_of(kv)), 0);
	for (size_t i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(kv_close(kv), 0);
}
END_TEST

static uint64_t
log_waiting(struct db *db)
{
	uint64_t n;

	mutex_lock(&db->commits.mu);
	n = wal_writer_waiting(db->logs.current->writer);
	mutex_unlock(&db->commits.mu);
	return n;
}

/* It could be lost with the process. */
START_TEST(a_commit_that_does_not_wait_leaves_nothing_in_memory)
{
	struct kv_options opts;

	kv_options_init(&opts);
	opts.sync = KV_SYNC_FULL;
	ck_assert_int_eq(db_open(env_posix(), dir, &opts, &kv), 0);
	put_one(1);
	ck_assert_uint_eq(log_waiting(db_of(kv)), 0);
	/* In the log that was begun to gather in memory. */
	ck_assert_int_eq(kv_set_sync(kv, KV_SYNC_INTERVAL, 0, 1000000), 0);
	put_one(2);
	ck_assert_uint_eq(log_waiting(db_of(kv)), 0);
	ck_assert_int_eq(kv_set_wal_buffer(kv, 65536), 0);
	put_one(3);
	ck_assert_uint_ne(log_waiting(db_of(kv)), 0);
	ck_assert_int_eq(kv_set_sync(kv, KV_SYNC_FULL, 0, 0), 0);
	ck_assert_uint_eq(log_waiting(db_of(kv)), 0);
	ck_assert_int_eq(kv_close(kv), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("db_sync");
	TCase *tc = tcase_create("db_sync");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    background_work_waits_for_a_sync_unless_it_lags_behind);
	tcase_add_test(tc, a_shorter_interval_counts_from_the_next_commit_on);
	tcase_add_test(tc, a_sync_that_nothing_follows_leaves_a_mark);
	tcase_add_test(tc, each_commit_is_durable_when_it_returns);
	tcase_add_test(tc,
	    a_commit_that_does_not_wait_leaves_nothing_in_memory);
	tcase_add_loop_test(tc, no_more_commits_wait_than_the_mode_says, 0, 2);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
