/* SPDX-License-Identifier: ISC */
/*
 * What env.h promises, of the real env and of the one in memory; mapped
 * files and their SIGBUS.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/env/env.h"
#include "support/env_mem.h"
#include "support/suite.h"

static struct env *env;
static struct env_dir *home; /* dir, open */
static char dir[64];

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
use_posix(void)
{
	env = env_posix();
	strcpy(dir, "/tmp/test_env.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(env_dir_open(env, dir, &home), 0);
}

static int
remove_name(void *arg, const char *name)
{
	(void)arg;
	ck_assert_int_eq(unlink(in_dir(name)), 0);
	return 0;
}

static void
drop_posix(void)
{
	/* Deleting while listing is what env.h forbids, readdir(3) allows it
	 * for names that it has given already. */
	while (rmdir(dir) != 0)
		ck_assert_int_eq(env_dir_list(home, remove_name, NULL), 0);
	env_dir_close(home);
}

static void
use_mem(void)
{
	env = env_mem_create(1);
	strcpy(dir, "/d");
	ck_assert_int_eq(env_dir_make(env, dir, &home), 0);
}

static void
drop_mem(void)
{
	env_dir_close(home);
	env_mem_destroy(env);
}

static struct env_file *
create(const char *name)
{
	struct env_file *f;

	ck_assert_int_eq(env_open(home, name, ENV_WRITE | ENV_CREATE, &f), 0);
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
	int rc = env_open(home, name, ENV_READ, &f);

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

/* ---- Every env ---- */

START_TEST(a_file_reads_back_what_was_written)
{
	struct env_file *f = create("a");
	struct iovec iov[3] = { vec("ab"), { NULL, 0 }, vec("cd") };
	char buf[8];

	ck_assert_int_eq(env_write(f, iov, 3, 3), 0);
	ck_assert_uint_eq(size_of(f), 7);
	ck_assert_int_eq(env_read(f, buf, 8, 0), 7);
	ck_assert_mem_eq(buf, "\0\0\0abcd", 7);
	ck_assert_int_eq(env_read(f, buf, 8, 7), 0);
	ck_assert_int_eq(env_read(f, buf, 8, 1000), 0);
	ck_assert_int_lt(env_read(f, buf, 8, UINT64_MAX - 4), 0);
	ck_assert_int_lt(put(f, "x", UINT64_MAX), 0);
	ck_assert_int_eq(env_sync(f), 0);
	ck_assert_int_eq(env_truncate(f, 5), 0);
	ck_assert(holds(f, "ab", 3));
	ck_assert_int_eq(env_truncate(f, 6), 0);
	ck_assert_int_eq(env_read(f, buf, 8, 5), 1);
	ck_assert_int_eq(buf[0], 0);
	env_writeback(f, 0, 5);
	env_advise(f, 0, 0, ENV_ADVICE_DONTNEED);
	env_close(f);
	env_close(NULL);
}
END_TEST

START_TEST(a_write_may_have_more_vectors_than_the_system_takes)
{
	enum { COUNT = IOV_MAX * 2 + 7 };
	struct env_file *f = create("a");
	struct iovec *iov = calloc(COUNT, sizeof(*iov));
	uint8_t bytes[COUNT * 2], back[COUNT * 2 + 1];

	for (int i = 0; i < COUNT; i++) {
		bytes[2 * i] = (uint8_t)i;
		bytes[2 * i + 1] = (uint8_t)(i >> 8);
		iov[i] = (struct iovec){ bytes + 2 * i, 2 };
	}
	ck_assert_int_eq(env_write(f, iov, COUNT, 11), 0);
	ck_assert_int_eq(env_read(f, back, sizeof(back), 11), sizeof(bytes));
	ck_assert_mem_eq(back, bytes, sizeof(bytes));
	free(iov);
	env_close(f);
}
END_TEST

START_TEST(open_tells_missing_existing_and_read_only)
{
	struct env_file *f;

	ck_assert_int_eq(env_open(home, "a", ENV_READ, &f), -ENOENT);
	ck_assert_ptr_null(f);
	f = create("a");
	ck_assert_int_eq(put(f, "x", 0), 0);
	env_close(f);
	ck_assert_int_eq(env_open(home, "a", ENV_WRITE | ENV_CREATE, &f),
	    -EEXIST);
	ck_assert_int_eq(env_open(home, "a", ENV_READ, &f), 0);
	ck_assert(holds(f, "x", 0));
	ck_assert_int_eq(put(f, "y", 0), -EBADF);
	ck_assert_int_eq(env_map(f, 1), -EBADF);
	env_close(f);
	ck_assert_int_eq(env_open(home, "b", ENV_READ, &f), -ENOENT);
}
END_TEST

static int
count_name(void *arg, const char *name)
{
	ck_assert_str_ne(name, ".");
	ck_assert_str_ne(name, "..");
	++*(int *)arg;
	return 0;
}

static int
stop_at_once(void *arg, const char *name)
{
	(void)arg, (void)name;
	return -ECANCELED;
}

START_TEST(names_move_join_and_go)
{
	struct env_file *a = create("a"), *b = create("b");
	int n = 0;

	ck_assert_int_eq(put(a, "A", 0), 0);
	ck_assert_int_eq(put(b, "B", 0), 0);
	ck_assert_int_eq(env_rename(home, "a", "b"), 0);
	ck_assert_int_eq(env_rename(home, "a", "b"), -ENOENT);
	ck_assert(!exists("a") && exists("b"));
	ck_assert(holds(b, "B", 0)); /* still open, without a name */
	ck_assert_int_eq(env_dir_list(home, count_name, &n), 0);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(env_dir_list(home, stop_at_once, &n), -ECANCELED);
	ck_assert_int_eq(env_unlink(home, "b"), 0);
	ck_assert_int_eq(env_unlink(home, "b"), -ENOENT);
	ck_assert_int_eq(env_dir_sync(home), 0);
	env_close(a);
	env_close(b);
}
END_TEST

START_TEST(directories_are_made_once_and_opened_as_often_as_asked)
{
	struct env_dir *sub, *again, *none;
	char path[160];
	struct env_file *f;

	snprintf(path, sizeof(path), "%s/sub", dir);
	ck_assert_int_eq(env_dir_open(env, path, &sub), -ENOENT);
	ck_assert_ptr_null(sub);
	ck_assert_int_eq(env_dir_make(env, path, &sub), 0);
	ck_assert_str_eq(sub->path, path);
	ck_assert_int_eq(env_dir_make(env, path, &none), -EEXIST);
	ck_assert_ptr_null(none);
	ck_assert_int_eq(env_dir_make(env, in_dir("no/sub"), &none), -ENOENT);
	env_close(create("file"));
	ck_assert_int_eq(env_dir_open(env, in_dir("file"), &none), -ENOTDIR);
	ck_assert_int_eq(env_dir_reopen(sub, &again), 0);
	ck_assert_int_eq(env_open(sub, "a", ENV_WRITE | ENV_CREATE, &f), 0);
	env_close(f);
	env_dir_close(sub);
	ck_assert_int_eq(env_open(again, "a", ENV_READ, &f), 0);
	env_close(f);
	ck_assert_int_eq(env_unlink(again, "a"), 0);
	env_dir_close(again);
	if (env == env_posix())
		ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(a_name_is_told_from_the_file_that_had_it)
{
	struct env_file *a = create("a"), *b;

	ck_assert_int_eq(env_names(home, "a", a), 1);
	ck_assert_int_eq(env_names(home, "b", a), 0);
	ck_assert_int_eq(env_unlink(home, "a"), 0);
	ck_assert_int_eq(env_names(home, "a", a), 0);
	b = create("a");
	ck_assert_int_eq(env_names(home, "a", a), 0);
	ck_assert_int_eq(env_names(home, "a", b), 1);
	env_close(a);
	env_close(b);
}
END_TEST

START_TEST(a_file_is_locked_by_one_that_writes_or_many_that_read)
{
	struct env_file *w = create("L"), *r1, *r2, *w2;

	ck_assert_int_eq(env_open(home, "L", ENV_READ, &r1), 0);
	ck_assert_int_eq(env_open(home, "L", ENV_READ, &r2), 0);
	ck_assert_int_eq(env_open(home, "L", ENV_WRITE, &w2), 0);
	ck_assert_int_eq(env_lock(w, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(env_lock(w2, ENV_LOCK_EXCLUSIVE), -EBUSY);
	ck_assert_int_eq(env_lock(r1, ENV_LOCK_SHARED), -EBUSY);
	/* A close of another handle does not let go. */
	env_close(w2);
	ck_assert_int_eq(env_lock(r1, ENV_LOCK_SHARED), -EBUSY);
	env_close(w);
	ck_assert_int_eq(env_lock(r1, ENV_LOCK_SHARED), 0);
	ck_assert_int_eq(env_lock(r2, ENV_LOCK_SHARED), 0);
	ck_assert_int_eq(env_open(home, "L", ENV_WRITE, &w), 0);
	ck_assert_int_eq(env_lock(w, ENV_LOCK_EXCLUSIVE), -EBUSY);
	ck_assert_int_eq(env_lock(r1, ENV_LOCK_NONE), 0);
	ck_assert_int_eq(env_lock(w, ENV_LOCK_EXCLUSIVE), -EBUSY);
	env_close(r2);
	ck_assert_int_eq(env_lock(w, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(env_lock(r1, ENV_LOCK_EXCLUSIVE), -EBADF);
	env_close(r1);
	env_close(w);
}
END_TEST

START_TEST(a_directory_is_locked_by_one_that_writes_or_many_that_read)
{
	struct env_dir *w, *r;

	ck_assert_int_eq(env_dir_reopen(home, &w), 0);
	ck_assert_int_eq(env_dir_reopen(home, &r), 0);
	ck_assert_int_eq(env_dir_lock(w, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(env_dir_lock(r, ENV_LOCK_SHARED), -EBUSY);
	ck_assert_int_eq(env_dir_lock(home, ENV_LOCK_EXCLUSIVE), -EBUSY);
	/* From one to the other. */
	ck_assert_int_eq(env_dir_lock(w, ENV_LOCK_SHARED), 0);
	ck_assert_int_eq(env_dir_lock(r, ENV_LOCK_SHARED), 0);
	ck_assert_int_eq(env_dir_lock(home, ENV_LOCK_EXCLUSIVE), -EBUSY);
	env_dir_close(w);
	ck_assert_int_eq(env_dir_lock(r, ENV_LOCK_NONE), 0);
	ck_assert_int_eq(env_dir_lock(home, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(env_dir_lock(r, ENV_LOCK_SHARED), -EBUSY);
	ck_assert_int_eq(env_dir_lock(home, ENV_LOCK_NONE), 0);
	env_dir_close(r);
}
END_TEST

START_TEST(allocate_grows_and_keeps_what_is_there)
{
	struct env_file *f = create("a");
	struct env_space space;
	char buf[4];

	ck_assert_int_eq(put(f, "abc", 0), 0);
	ck_assert_int_eq(env_allocate(f, 10000, false), 0);
	ck_assert_uint_eq(size_of(f), 10000);
	ck_assert_int_eq(env_allocate(f, (3u << 20) + 5, true), 0);
	ck_assert_uint_eq(size_of(f), (3u << 20) + 5);
	ck_assert_int_eq(env_allocate(f, 100, true), 0);
	ck_assert_uint_eq(size_of(f), (3u << 20) + 5);
	ck_assert_int_eq(env_read(f, buf, 4, 0), 4);
	ck_assert_mem_eq(buf, "abc", 4);
	ck_assert_int_eq(env_dir_space(home, &space), 0);
	ck_assert_uint_gt(space.total_bytes, space.free_bytes);
	env_close(f);
}
END_TEST

START_TEST(a_mapped_file_behaves_like_any_other)
{
	struct env_file *f = create("a"), *g;
	struct iovec iov[2] = { vec("xy"), vec("z") };

	ck_assert_int_eq(env_map(f, 100), -EINVAL);
	ck_assert_int_eq(env_allocate(f, 8192, true), 0);
	ck_assert_int_eq(env_map(f, 8192), 0);
	ck_assert_int_eq(env_map(f, 8192), 0);
	ck_assert_int_eq(env_write(f, iov, 2, 4095), 0);
	ck_assert_int_eq(put(f, "end", 8189), 0);
	ck_assert_int_eq(put(f, "across", 8190), 0);
	ck_assert_uint_eq(size_of(f), 8196);
	ck_assert_int_eq(env_open(home, "a", ENV_READ, &g), 0);
	ck_assert(holds(g, "eacross", 8189));
	ck_assert_int_eq(env_sync(f), 0);
	/* Where the file was cut, writing extends it again. */
	ck_assert_int_eq(env_truncate(f, 4097), 0);
	ck_assert(holds(g, "xy", 4095));
	ck_assert_int_eq(put(f, "more", 4097), 0);
	ck_assert(holds(g, "xymore", 4095));
	env_close(g);
	env_close(f);
}
END_TEST

/* ---- The real env ---- */

START_TEST(allocated_blocks_are_real)
{
	struct env_file *f = create("a");
	struct stat st;

	ck_assert_int_eq(env_allocate(f, 1u << 20, false), 0);
	ck_assert_int_eq(stat(in_dir("a"), &st), 0);
	ck_assert_int_ge(st.st_blocks, (1 << 20) / 512);
	env_close(f);
	f = create("b");
	ck_assert_int_eq(env_allocate(f, 1u << 20, true), 0);
	ck_assert_int_eq(stat(in_dir("b"), &st), 0);
	ck_assert_int_ge(st.st_blocks, (1 << 20) / 512);
	env_close(f);
}
END_TEST

START_TEST(descriptors_do_not_reach_children)
{
	struct env_file *f = create("a");
	int first = dup(0);

	for (int fd = 3; fd < first; fd++) {
		int flags = fcntl(fd, F_GETFD);
		char link[64], target[256] = "";

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, target, sizeof(target) - 1) > 0 &&
		    strncmp(target, dir, strlen(dir)) == 0)
			ck_assert_int_ne(flags & FD_CLOEXEC, 0);
	}
	close(first);
	env_close(f);
}
END_TEST

START_TEST(a_lock_of_another_process_is_seen_and_told)
{
	int ready[2], done[2];
	char c, who[200], want[40];
	struct env_dir *d;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(done), 0);
	pid = fork();
	if (pid == 0) {
		int rc = env_dir_reopen(home, &d);

		if (rc == 0)
			rc = env_dir_lock(d, ENV_LOCK_EXCLUSIVE);
		if (write(ready[1], "x", 1) != 1 || read(done[0], &c, 1) != 1)
			_exit(1);
		_exit(rc == 0 ? 0 : 2); /* dies without closing */
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(env_dir_lock(home, ENV_LOCK_SHARED), -EBUSY);
	env_dir_lockers(home, who, sizeof(who));
	snprintf(want, sizeof(want), "process %d (", (int)pid);
	ck_assert_msg(strncmp(who, want, strlen(want)) == 0 &&
		strstr(who, "test_env") != NULL,
	    "told \"%s\"", who);
	ck_assert_int_eq(write(done[1], "x", 1), 1);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(env_dir_lock(home, ENV_LOCK_EXCLUSIVE), 0);
	env_dir_lockers(home, who, sizeof(who));
	ck_assert_str_eq(who, ""); /* but for ourselves */
	ck_assert_int_eq(env_dir_lock(home, ENV_LOCK_NONE), 0);
}
END_TEST

/* What stands at its path meanwhile is somebody else's. */
START_TEST(a_directory_that_was_moved_is_still_the_same)
{
	struct env_file *f = create("a");
	char moved[160];
	struct stat st;

	snprintf(moved, sizeof(moved), "%s.moved", dir);
	ck_assert_int_eq(rename(dir, moved), 0);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	env_close(f);
	ck_assert_int_eq(env_open(home, "a", ENV_READ, &f), 0);
	env_close(f);
	env_close(create("b"));
	ck_assert_int_eq(env_rename(home, "b", "c"), 0);
	ck_assert_int_eq(env_dir_sync(home), 0);
	ck_assert_int_eq(env_unlink(home, "a"), 0);
	ck_assert_int_eq(rmdir(dir), 0); /* still empty */
	ck_assert_int_eq(rename(moved, dir), 0);
	ck_assert_int_eq(stat(in_dir("c"), &st), 0);
}
END_TEST

START_TEST(in_a_directory_that_was_removed_nothing_can_be_made)
{
	struct env_file *f;
	struct env_dir *d;

	ck_assert_int_eq(env_dir_make(env, in_dir("d"), &d), 0);
	ck_assert_int_eq(rmdir(in_dir("d")), 0);
	ck_assert_int_eq(env_open(d, "a", ENV_WRITE | ENV_CREATE, &f), -ENOENT);
	env_dir_close(d);
}
END_TEST

START_TEST(a_store_to_a_lost_page_is_an_error_not_a_death)
{
	struct env_file *f = create("a");
	char *block = calloc(1, 5000);
	struct iovec iov = { block, 5000 };

	ck_assert_int_eq(env_allocate(f, 65536, true), 0);
	ck_assert_int_eq(env_map(f, 65536), 0);
	ck_assert_int_eq(put(f, "x", 60000), 0);
	ck_assert_int_eq(truncate(in_dir("a"), 8192), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(put(f, "x", 60000), -EIO);
		ck_assert_int_eq(env_write(f, &iov, 1, 8000), -EIO);
		ck_assert_int_eq(put(f, "y", 100), 0);
	}
	ck_assert(holds(f, "", 8192));
	ck_assert_int_eq(env_sync(f), 0);
	free(block);
	env_close(f);
}
END_TEST

struct storer {
	struct env_file *file;
	uint64_t off; /* each its own */
};

static void *
store_to_lost_page(void *arg)
{
	const struct storer *s = arg;
	sigset_t all;

	/* As background threads have it. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	for (int i = 0; i < 100; i++) {
		if (put(s->file, "x", 60000 + s->off) != -EIO ||
		    put(s->file, "x", s->off) != 0)
			return arg;
	}
	return NULL;
}

START_TEST(threads_meet_lost_pages_each_for_itself)
{
	struct env_file *f = create("a");
	struct storer storers[4];
	pthread_t threads[4];
	void *failed;

	ck_assert_int_eq(env_allocate(f, 65536, true), 0);
	ck_assert_int_eq(env_map(f, 65536), 0);
	ck_assert_int_eq(truncate(in_dir("a"), 4096), 0);
	for (int i = 0; i < 4; i++) {
		storers[i] = (struct storer){ f, 16u * (unsigned)i };
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
				     store_to_lost_page, &storers[i]),
		    0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &failed);
		ck_assert_ptr_null(failed);
	}
	env_close(f);
}
END_TEST

static sigjmp_buf own_jump;

static void
own_handler(int sig)
{
	(void)sig;
	siglongjmp(own_jump, 1);
}

START_TEST(other_sigbus_goes_to_whoever_was_there_before)
{
	struct sigaction sa = { .sa_handler = own_handler };
	struct env_file *f;
	bool was_called = false;

	ck_assert_int_eq(sigaction(SIGBUS, &sa, NULL), 0);
	f = create("a");
	ck_assert_int_eq(env_allocate(f, 8192, true), 0);
	ck_assert_int_eq(env_map(f, 8192), 0);
	if (sigsetjmp(own_jump, 1) == 0)
		raise(SIGBUS);
	else
		was_called = true;
	ck_assert(was_called);
	ck_assert_int_eq(truncate(in_dir("a"), 0), 0);
	ck_assert_int_eq(put(f, "x", 0), -EIO);
	env_close(f);
}
END_TEST

START_TEST(other_sigbus_kills_when_nobody_was_there)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct sigaction dfl = { .sa_handler = SIG_DFL };
		struct env_file *f;

		sigaction(SIGBUS, &dfl, NULL);
		f = create("child");
		if (env_allocate(f, 8192, true) != 0 || env_map(f, 8192) != 0)
			_exit(1);
		raise(SIGBUS);
		_exit(2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGBUS);
}
END_TEST

START_TEST(mapped_writes_survive_sigkill)
{
	struct env_file *f = create("a");
	pid_t pid;

	env_close(f);
	pid = fork();
	if (pid == 0) {
		if (env_open(home, "a", ENV_WRITE, &f) != 0 ||
		    env_allocate(f, 8192, true) != 0 || env_map(f, 8192) != 0 ||
		    put(f, "alive", 8187) != 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(env_open(home, "a", ENV_READ, &f), 0);
	ck_assert(holds(f, "alive", 8187));
	env_close(f);
}
END_TEST

static void
add_contract(TCase *tc)
{
	tcase_add_test(tc, a_file_reads_back_what_was_written);
	tcase_add_test(tc, a_write_may_have_more_vectors_than_the_system_takes);
	tcase_add_test(tc, open_tells_missing_existing_and_read_only);
	tcase_add_test(tc, names_move_join_and_go);
	tcase_add_test(tc,
	    directories_are_made_once_and_opened_as_often_as_asked);
	tcase_add_test(tc, a_name_is_told_from_the_file_that_had_it);
	tcase_add_test(tc,
	    a_file_is_locked_by_one_that_writes_or_many_that_read);
	tcase_add_test(tc,
	    a_directory_is_locked_by_one_that_writes_or_many_that_read);
	tcase_add_test(tc, allocate_grows_and_keeps_what_is_there);
	tcase_add_test(tc, a_mapped_file_behaves_like_any_other);
}

int
main(void)
{
	Suite *s = suite_create("env");
	TCase *posix = tcase_create("posix"), *mem = tcase_create("mem");

	suite_add_tcase(s, posix);
	tcase_add_checked_fixture(posix, use_posix, drop_posix);
	add_contract(posix);
	tcase_add_test(posix, allocated_blocks_are_real);
	tcase_add_test(posix, descriptors_do_not_reach_children);
	tcase_add_test(posix, a_lock_of_another_process_is_seen_and_told);
	tcase_add_test(posix, a_directory_that_was_moved_is_still_the_same);
	tcase_add_test(posix,
	    in_a_directory_that_was_removed_nothing_can_be_made);
	tcase_add_test(posix, a_store_to_a_lost_page_is_an_error_not_a_death);
	tcase_add_test(posix, threads_meet_lost_pages_each_for_itself);
	tcase_add_test(posix, other_sigbus_goes_to_whoever_was_there_before);
	tcase_add_test(posix, other_sigbus_kills_when_nobody_was_there);
	tcase_add_test(posix, mapped_writes_survive_sigkill);

	suite_add_tcase(s, mem);
	tcase_add_checked_fixture(mem, use_mem, drop_mem);
	add_contract(mem);

	return run_suite(s);
}
