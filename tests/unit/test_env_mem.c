/* SPDX-License-Identifier: ISC */
/*
 * The envs that tests stand on: crashes of the one in memory lose what they
 * may lose and nothing else; calls fail when they are told to.
 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/env_fault.h"
#include "support/env_path.h"
#include "support/env_mem.h"
#include "support/suite.h"

static struct env *env;
static const char dir[] = "/d";
static uint64_t seed;

static const char *
in_dir(const char *name)
{
	static _Thread_local char paths[4][128];
	static _Thread_local unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void
use_mem(void)
{
	env = env_mem_create(seed);
	ck_assert_int_eq(env_path_mkdir(env, dir), 0);
}

static void
drop_mem(void)
{
	env_mem_destroy(env);
}

static struct env_file *
create(const char *name)
{
	struct env_file *f;

	ck_assert_int_eq(env_path_open(env, in_dir(name),
			     ENV_WRITE | ENV_CREATE, &f),
	    0);
	return f;
}

static struct iovec
vec(const char *text)
{
	return (struct iovec){ (void *)text, strlen(text) };
}

static int
put(struct env_file *f, const char *text, uint64_t off)
{
	struct iovec iov = vec(text);

	return env_write(f, &iov, 1, off);
}

/* Is text all that stands at off? */
static bool
holds(struct env_file *f, const char *text, uint64_t off)
{
	char buf[256];
	ssize_t n = env_read(f, buf, sizeof(buf), off);

	return n == (ssize_t)strlen(text) && memcmp(buf, text, (size_t)n) == 0;
}

static bool
exists(const char *name)
{
	struct env_file *f;
	int rc = env_path_open(env, in_dir(name), ENV_READ, &f);

	env_close(f);
	ck_assert(rc == 0 || rc == -ENOENT);
	return rc == 0;
}

static uint64_t
size_of(struct env_file *f)
{
	uint64_t size;

	ck_assert_int_eq(env_size(f, &size), 0);
	return size;
}

/* ---- Crashes ---- */

START_TEST(what_was_synced_survives_and_a_name_needs_its_directory)
{
	struct env_file *f = create("synced");

	ck_assert_int_eq(put(f, "data", 0), 0);
	ck_assert_int_eq(env_sync(f), 0);
	ck_assert_int_eq(env_path_sync(env, dir), 0);
	ck_assert_int_eq(put(f, "more", 4), 0);
	env_close(f);
	f = create("nameless");
	ck_assert_int_eq(put(f, "data", 0), 0);
	ck_assert_int_eq(env_sync(f), 0);
	env_mem_crash(env, ENV_MEM_DROP);
	ck_assert_int_eq(put(f, "x", 0), -EIO);
	ck_assert_int_eq(env_sync(f), -EIO);
	env_close(f);
	ck_assert(!exists("nameless"));
	ck_assert_int_eq(env_path_open(env, in_dir("synced"), ENV_READ, &f), 0);
	ck_assert(holds(f, "data", 0));
	env_close(f);
}
END_TEST

START_TEST(a_kill_loses_nothing_but_the_power_cut_after_it_does)
{
	struct env_dir *d = env_path_dir(env, dir), *after;
	struct env_file *f = create("a");

	ck_assert_int_eq(put(f, "data", 0), 0);
	ck_assert_int_eq(env_lock(f, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(env_dir_lock(d, ENV_LOCK_EXCLUSIVE), 0);
	env_mem_crash(env, ENV_MEM_KILL);
	ck_assert(!holds(f, "data", 0));
	ck_assert_int_eq(env_dir_sync(d), -EIO);
	after = env_path_dir(env, dir);
	ck_assert_int_eq(env_dir_lock(after, ENV_LOCK_EXCLUSIVE), 0);
	env_dir_close(d);
	ck_assert_int_eq(env_dir_lock(after, ENV_LOCK_EXCLUSIVE), 0);
	env_dir_close(after);
	env_close(f);
	ck_assert_int_eq(env_path_open(env, in_dir("a"), ENV_WRITE, &f), 0);
	ck_assert_int_eq(env_lock(f, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert(holds(f, "data", 0));
	env_close(f);
	env_mem_crash(env, ENV_MEM_DROP);
	ck_assert(!exists("a"));
}
END_TEST

START_TEST(a_copy_crashes_while_the_original_goes_on)
{
	struct env *original = env;
	struct env_file *f = create("a");
	struct env *copy;

	ck_assert_int_eq(env_path_sync(env, dir), 0);
	ck_assert_int_eq(put(f, "1", 0), 0);
	copy = env_mem_crash_copy(env, ENV_MEM_DROP, 1);
	ck_assert_int_eq(put(f, "2", 1), 0);
	ck_assert(holds(f, "12", 0));
	env_close(f);
	env = copy;
	ck_assert_int_eq(env_path_open(env, in_dir("a"), ENV_READ, &f), 0);
	ck_assert(holds(f, "", 0));
	env_close(f);
	env_mem_destroy(copy);
	env = original;
}
END_TEST

/* Three generations of two sectors, the first synced: sector by sector some
 * generation, never a mixture; over many crashes, each of them. */
START_TEST(sectors_tear_but_stay_consistent)
{
	struct env_file *f = create("a"), *g;
	unsigned seen[2][4] = { { 0 } };
	struct env *original = env;
	char block[1024];
	struct iovec iov = { block, sizeof(block) };

	for (int gen = 1; gen <= 3; gen++) {
		memset(block, gen, sizeof(block));
		ck_assert_int_eq(env_write(f, &iov, 1, 0), 0);
		if (gen == 1)
			ck_assert_int_eq(env_sync(f), 0);
	}
	ck_assert_int_eq(put(f, "tail", 1024), 0);
	ck_assert_int_eq(env_path_sync(env, dir), 0);
	for (unsigned i = 0; i < 400; i++) {
		env = env_mem_crash_copy(original, ENV_MEM_HOSTILE, seed + i);
		ck_assert_int_eq(env_path_open(env, in_dir("a"), ENV_READ, &g),
		    0);
		ck_assert_uint_ge(size_of(g), 1024);
		ck_assert_int_eq(env_read(g, block, 1024, 0), 1024);
		for (int s = 0; s < 2; s++) {
			int gen = block[s * 512];

			ck_assert(gen >= 1 && gen <= 3);
			for (int j = 0; j < 512; j++)
				ck_assert_int_eq(block[s * 512 + j], gen);
			seen[s][gen]++;
		}
		env_close(g);
		env_mem_destroy(env);
	}
	env = original;
	for (int gen = 1; gen <= 3; gen++)
		ck_assert(seen[0][gen] > 0 && seen[1][gen] > 0);
	env_close(f);
}
END_TEST

START_TEST(directory_changes_survive_as_prefix_or_in_any_selection)
{
	struct env *original = env;
	bool has_hole = false, has_all = false, has_none = false;

	for (int i = 0; i < 3; i++)
		env_close(create((char[]){ (char)('a' + i), 0 }));
	for (unsigned i = 0; i < 300; i++) {
		bool a, b, c;
		bool is_ordered = i % 2 == 0;

		env = env_mem_crash_copy(original,
		    is_ordered ? ENV_MEM_ORDERED : ENV_MEM_HOSTILE, seed + i);
		a = exists("a"), b = exists("b"), c = exists("c");
		if (is_ordered)
			ck_assert((a || !b) && (b || !c));
		has_hole |= !a && c;
		has_all |= a && b && c;
		has_none |= !a && !b && !c;
		env_mem_destroy(env);
	}
	env = original;
	ck_assert(has_hole && has_all && has_none);
}
END_TEST

/* The way a file is replaced: whatever survives, the name leads to the old
 * or the new contents. */
START_TEST(a_rename_is_atomic_in_every_crash)
{
	struct env *original = env;
	struct env_dir *d = env_path_dir(env, dir);
	struct env_file *f = create("cfg"), *g;
	bool seen_old = false, seen_new = false;

	ck_assert_int_eq(put(f, "old", 0), 0);
	ck_assert_int_eq(env_sync(f), 0);
	env_close(f);
	ck_assert_int_eq(env_path_sync(env, dir), 0);
	f = create("tmp");
	ck_assert_int_eq(put(f, "newer", 0), 0);
	ck_assert_int_eq(env_sync(f), 0);
	env_close(f);
	ck_assert_int_eq(env_rename(d, "tmp", "cfg"), 0);
	env_dir_close(d);
	for (unsigned i = 0; i < 200; i++) {
		env = env_mem_crash_copy(original, ENV_MEM_HOSTILE, seed + i);
		ck_assert_int_eq(env_path_open(env, in_dir("cfg"), ENV_READ,
				     &g),
		    0);
		if (holds(g, "newer", 0))
			seen_new = true;
		else if (holds(g, "old", 0))
			seen_old = true;
		else
			ck_abort_msg("neither old nor new, seed %" PRIu64,
			    seed + i);
		env_close(g);
		env_mem_destroy(env);
	}
	env = original;
	ck_assert(seen_old && seen_new);
}
END_TEST

START_TEST(a_cut_that_is_sure_brings_nothing_back)
{
	struct env *original = env;
	struct env_file *f = create("a"), *g;
	char block[2048];
	struct iovec iov = { block, sizeof(block) };

	ck_assert_int_eq(env_path_sync(env, dir), 0);
	memset(block, 'o', sizeof(block));
	ck_assert_int_eq(env_write(f, &iov, 1, 0), 0);
	ck_assert_int_eq(env_sync(f), 0);
	ck_assert_int_eq(env_truncate(f, 100), 0);
	ck_assert_int_eq(env_sync(f), 0);
	ck_assert_int_eq(put(f, "x", 2047), 0);
	for (unsigned i = 0; i < 100; i++) {
		env = env_mem_crash_copy(original, ENV_MEM_HOSTILE, seed + i);
		ck_assert_int_eq(env_path_open(env, in_dir("a"), ENV_READ, &g),
		    0);
		ssize_t n = env_read(g, block, sizeof(block), 0);

		ck_assert(n == 100 || n == 2048);
		for (ssize_t j = 100; j < n; j++)
			ck_assert(
			    block[j] == 0 || (j == 2047 && block[j] == 'x'));
		env_close(g);
		env_mem_destroy(env);
	}
	env = original;
	env_close(f);
}
END_TEST

START_TEST(a_full_disk_is_told_and_passes)
{
	struct env_file *f = create("a"), *g = create("b");
	struct env_space space;
	char block[8192] = { 1 };
	struct iovec iov = { block, sizeof(block) };

	env_mem_set_free(env, 4096 * 3);
	ck_assert_int_eq(env_write(f, &iov, 1, 0), 0);
	ck_assert_int_eq(env_write(f, &iov, 1, 8192), -ENOSPC);
	ck_assert_uint_eq(size_of(f), 12288);
	ck_assert_int_eq(env_write(f, &iov, 1, 0), 0);
	ck_assert_int_eq(env_allocate(g, 1, false), -ENOSPC);
	env_path_space(env, dir, &space);
	ck_assert_uint_eq(space.free_bytes, 0);
	ck_assert_int_eq(env_path_unlink(env, in_dir("a")), 0);
	ck_assert_int_eq(env_allocate(g, 1, false), -ENOSPC);
	env_close(f);
	ck_assert_int_eq(env_allocate(g, 8192, false), 0);
	env_close(g);
}
END_TEST

struct hook_state {
	struct env *env;
	unsigned calls;
};

static void
crash_at_call(void *arg, enum env_call call)
{
	struct hook_state *h = arg;

	ck_assert(ENV_CALL_BIT(call) & ENV_CALL_CHANGING);
	h->calls++;
	env_mem_destroy(env_mem_crash_copy(h->env, ENV_MEM_HOSTILE, h->calls));
}

START_TEST(a_hook_sees_every_change_and_may_crash)
{
	struct hook_state h = { env, 0 };
	struct env_file *f;

	env_mem_set_hook(env, crash_at_call, &h);
	f = create("a");
	ck_assert_int_eq(put(f, "x", 0), 0);
	ck_assert_int_eq(env_sync(f), 0);
	ck_assert(holds(f, "x", 0));
	env_close(f);
	ck_assert_uint_eq(h.calls, 3);
	ck_assert_uint_eq(env_mem_calls(env, ENV_CALL_SYNC), 1);
	ck_assert_uint_eq(env_mem_bytes_written(env), 1);
}
END_TEST

/* ---- Failing calls ---- */

START_TEST(the_nth_call_fails_once_or_from_then_on)
{
	struct env *below = env;
	struct env_fault_rule rule = { ENV_CALL_BIT(ENV_CALL_WRITE), 2, EIO,
		false, false };
	struct env_file *f;

	env = env_fault_create(below);
	f = create("a");
	env_fault_arm(env, &rule);
	ck_assert_int_eq(put(f, "1", 0), 0);
	ck_assert_int_eq(env_sync(f), 0);
	ck_assert_int_eq(put(f, "2", 1), -EIO);
	ck_assert_int_eq(put(f, "3", 1), 0);
	ck_assert(holds(f, "13", 0));
	rule = (struct env_fault_rule){ 0, 1, ENOSPC, true, false };
	env_fault_arm(env, &rule);
	ck_assert_int_eq(put(f, "4", 2), -ENOSPC);
	ck_assert_int_eq(env_sync(f), -ENOSPC);
	ck_assert_int_eq(env_path_unlink(env, in_dir("a")), -ENOSPC);
	ck_assert_uint_eq(env_fault_matched(env), 3);
	ck_assert_uint_eq(env_fault_failed(env), 3);
	env_fault_disarm(env);
	ck_assert(holds(f, "13", 0));
	ck_assert_uint_eq(env_fault_calls(env, ENV_CALL_BIT(ENV_CALL_WRITE)),
	    4);
	env_close(f);
	env_fault_destroy(env);
	env = below;
}
END_TEST

START_TEST(a_failing_write_may_put_its_first_half)
{
	struct env *below = env;
	struct env_fault_rule rule = { ENV_CALL_BIT(ENV_CALL_WRITE), 1, ENOSPC,
		false, true };
	struct iovec iov[3] = { vec("abc"), vec("de"), vec("fgh") };
	struct env_file *f;

	env = env_fault_create(below);
	f = create("a");
	env_fault_arm(env, &rule);
	ck_assert_int_eq(env_write(f, iov, 3, 0), -ENOSPC);
	ck_assert(holds(f, "abcd", 0));
	env_close(f);
	env_fault_destroy(env);
	env = below;
}
END_TEST

int
main(void)
{
	TCase *mem = tcase_create("env_mem");
	const char *given = getenv("KVFS_SEED");

	seed = given != NULL ? strtoull(given, NULL, 0) :
			       (uint64_t)getpid() << 20;
	printf("KVFS_SEED=%" PRIu64 "\n", seed);
	tcase_add_checked_fixture(mem, use_mem, drop_mem);
	tcase_add_test(mem,
	    what_was_synced_survives_and_a_name_needs_its_directory);
	tcase_add_test(mem,
	    a_kill_loses_nothing_but_the_power_cut_after_it_does);
	tcase_add_test(mem, a_copy_crashes_while_the_original_goes_on);
	tcase_add_test(mem, sectors_tear_but_stay_consistent);
	tcase_add_test(mem,
	    directory_changes_survive_as_prefix_or_in_any_selection);
	tcase_add_test(mem, a_rename_is_atomic_in_every_crash);
	tcase_add_test(mem, a_cut_that_is_sure_brings_nothing_back);
	tcase_add_test(mem, a_full_disk_is_told_and_passes);
	tcase_add_test(mem, a_hook_sees_every_change_and_may_crash);
	tcase_add_test(mem, the_nth_call_fails_once_or_from_then_on);
	tcase_add_test(mem, a_failing_write_may_put_its_first_half);
	return run_case("env_mem", mem);
}
