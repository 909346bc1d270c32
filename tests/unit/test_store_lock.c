/* SPDX-License-Identifier: ISC */
/* Who may use a store: one that writes or many that read, whatever becomes
 * of the file LOCK; and what those who must wait are told. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/state/store_lock.h"
#include "support/env_fault.h"
#include "support/env_mem.h"
#include "support/env_path.h"
#include "support/suite.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mutex.h"

#define DIR "/store"
#define LOCK DIR "/LOCK"

static struct env *env;
static struct env_dir *mine, *other;
static struct store_lock writer, second;
static char logged[4096];

static void
note_line(enum log_level level, const char *line)
{
	(void)level;
	strlcat(logged, line, sizeof(logged));
	strlcat(logged, "\n", sizeof(logged));
}

static void
setup(void)
{
	env = env_mem_create(1);
	ck_assert_int_eq(env_dir_make(env, DIR, &mine), 0);
	other = env_path_dir(env, DIR);
	logged[0] = '\0';
	log_set_sink(note_line);
}

static void
teardown(void)
{
	store_lock_drop(&writer);
	store_lock_drop(&second);
	env_dir_close(mine);
	env_dir_close(other);
	env_mem_destroy(env);
	log_set_sink(NULL);
}

static int
take(struct store_lock *l, struct env_dir *dir, enum env_lock_mode mode)
{
	return store_lock_take(l, dir, mode, "a note", 0);
}

static void
expect_text(const char *want)
{
	struct env_file *f;
	char text[200] = "";

	ck_assert_int_eq(env_path_open(env, LOCK, ENV_READ, &f), 0);
	ck_assert_int_ge(env_read(f, text, sizeof(text) - 1, 0), 0);
	ck_assert_str_eq(text, want);
	env_close(f);
}

static void
expect_own_text(void)
{
	char want[200];

	snprintf(want, sizeof(want), "%d\na note\n", (int)getpid());
	expect_text(want);
}

START_TEST(one_writes_or_many_read)
{
	ck_assert_int_eq(take(&writer, mine, ENV_LOCK_EXCLUSIVE), 0);
	expect_own_text();
	ck_assert_int_eq(take(&second, other, ENV_LOCK_EXCLUSIVE), -EBUSY);
	ck_assert_ptr_nonnull(strstr(logged, "in use by process"));
	ck_assert_ptr_nonnull(strstr(logged, "(a note)"));
	ck_assert_int_eq(take(&second, other, ENV_LOCK_SHARED), -EBUSY);
	store_lock_drop(&writer);
	ck_assert_int_eq(take(&writer, mine, ENV_LOCK_SHARED), 0);
	ck_assert_int_eq(take(&second, other, ENV_LOCK_SHARED), 0);
}
END_TEST

START_TEST(a_lock_stays_when_its_file_is_removed)
{
	ck_assert_int_eq(take(&writer, mine, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(env_path_unlink(env, LOCK), 0);
	ck_assert_int_eq(take(&second, other, ENV_LOCK_EXCLUSIVE), -EBUSY);
	ck_assert_int_eq(take(&second, other, ENV_LOCK_SHARED), -EBUSY);
	/* Its owner notices, and says who it is once more. */
	ck_assert_int_eq(store_lock_check(&writer), 1);
	expect_own_text();
	ck_assert_int_eq(store_lock_check(&writer), 0);
	ck_assert_int_eq(take(&second, other, ENV_LOCK_EXCLUSIVE), -EBUSY);
}
END_TEST

/* As those did that knew no lock but that of the file. */
START_TEST(an_older_program_is_kept_out_and_keeps_us_out)
{
	struct env_file *f;

	ck_assert_int_eq(take(&writer, mine, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(env_path_open(env, LOCK, ENV_WRITE, &f), 0);
	ck_assert_int_eq(env_lock(f, ENV_LOCK_EXCLUSIVE), -EBUSY);
	store_lock_drop(&writer);
	ck_assert_int_eq(env_lock(f, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(take(&writer, mine, ENV_LOCK_EXCLUSIVE), -EBUSY);
	ck_assert_int_eq(take(&writer, mine, ENV_LOCK_SHARED), -EBUSY);
	/* Nothing stays behind of what did not succeed. */
	env_close(f);
	ck_assert_int_eq(take(&second, other, ENV_LOCK_EXCLUSIVE), 0);
}
END_TEST

START_TEST(a_file_that_another_has_put_there_and_locked_is_told)
{
	struct env_file *f;

	ck_assert_int_eq(take(&writer, mine, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(env_path_unlink(env, LOCK), 0);
	ck_assert_int_eq(env_path_open(env, LOCK, ENV_WRITE | ENV_CREATE, &f),
	    0);
	ck_assert_int_eq(env_lock(f, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(store_lock_check(&writer), -EBUSY);
	env_close(f);
	ck_assert_int_eq(store_lock_check(&writer), 1);
	expect_own_text();
}
END_TEST

static int
count_name(void *arg, const char *name)
{
	(void)name;
	++*(int *)arg;
	return 0;
}

START_TEST(those_who_read_change_nothing)
{
	struct env_file *f;
	uint64_t written;
	int names = 0;

	ck_assert_int_eq(take(&second, other, ENV_LOCK_SHARED), 0);
	store_lock_drop(&second);
	ck_assert_int_eq(env_path_list(env, DIR, count_name, &names), 0);
	ck_assert_int_eq(names, 0);
	ck_assert_int_eq(env_path_open(env, LOCK, ENV_WRITE | ENV_CREATE, &f),
	    0);
	ck_assert_int_eq(env_write(f, &(struct iovec){ (char[]){ "old" }, 3 },
			     1, 0),
	    0);
	env_close(f);
	written = env_mem_bytes_written(env);
	ck_assert_int_eq(take(&second, other, ENV_LOCK_SHARED), 0);
	expect_text("old");
	ck_assert_uint_eq(env_mem_bytes_written(env), written);
}
END_TEST

START_TEST(on_a_full_disk_a_lock_needs_no_file)
{
	struct env *faulty = env_fault_create(env);
	struct env_fault_rule rule = { .calls = ENV_CALL_BIT(ENV_CALL_CREATE),
		.nth = 1,
		.error = ENOSPC,
		.lasts = true };
	struct env_dir *d = env_path_dir(faulty, DIR);

	env_fault_arm(faulty, &rule);
	ck_assert_int_eq(take(&writer, d, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(take(&second, other, ENV_LOCK_SHARED), -EBUSY);
	/* When there is room it is made. */
	env_fault_disarm(faulty);
	ck_assert_int_eq(store_lock_check(&writer), 1);
	expect_own_text();
	store_lock_drop(&writer);
	env_dir_close(d);
	env_fault_destroy(faulty);
}
END_TEST

static void *
end_soon(void *arg)
{
	usleep(100000);
	store_lock_drop(arg);
	return NULL;
}

/* _i 0: a writer waits for one that reads, unasked; 1: for one that writes,
 * as long as it was asked to; 2: one that reads the same. */
START_TEST(who_is_in_the_way_is_waited_for)
{
	static const enum env_lock_mode has[] = { ENV_LOCK_SHARED,
		ENV_LOCK_EXCLUSIVE, ENV_LOCK_EXCLUSIVE },
					wants[] = { ENV_LOCK_EXCLUSIVE,
						ENV_LOCK_EXCLUSIVE,
						ENV_LOCK_SHARED };
	uint64_t start = clock_now_ns();
	pthread_t thread;

	ck_assert_int_eq(take(&second, other, has[_i]), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, end_soon, &second), 0);
	ck_assert_int_eq(store_lock_take(&writer, mine, wants[_i], NULL,
			     _i == 0 ? 0 : 4000),
	    0);
	ck_assert_uint_ge(clock_now_ns() - start, 90000000);
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(the_owner_is_told_whoever_removes_the_file)
{
	struct kv_owner owner;

	ck_assert_int_eq(store_lock_owner(mine, &owner), -ENOENT);
	ck_assert_int_eq(take(&writer, mine, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(store_lock_owner(other, &owner), 1);
	ck_assert_int_eq(owner.pid, getpid());
	ck_assert_str_eq(owner.note, "a note");
	ck_assert_int_eq(env_path_unlink(env, LOCK), 0);
	ck_assert_int_eq(store_lock_owner(other, &owner), 1);
	ck_assert_int_eq(owner.pid, 0);
	ck_assert_int_eq(store_lock_check(&writer), 1);
	store_lock_drop(&writer);
	/* Its text stays, nobody is there. */
	ck_assert_int_eq(store_lock_owner(other, &owner), 0);
	/* Nor is one that only reads an owner. */
	ck_assert_int_eq(take(&second, mine, ENV_LOCK_SHARED), 0);
	ck_assert_int_eq(store_lock_owner(other, &owner), 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("store_lock");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_writes_or_many_read);
	tcase_add_test(tc, a_lock_stays_when_its_file_is_removed);
	tcase_add_test(tc, an_older_program_is_kept_out_and_keeps_us_out);
	tcase_add_test(tc,
	    a_file_that_another_has_put_there_and_locked_is_told);
	tcase_add_test(tc, those_who_read_change_nothing);
	tcase_add_test(tc, on_a_full_disk_a_lock_needs_no_file);
	tcase_add_loop_test(tc, who_is_in_the_way_is_waited_for, 0, 3);
	tcase_add_test(tc, the_owner_is_told_whoever_removes_the_file);
	return run_case("store_lock", tc);
}
