/* SPDX-License-Identifier: ISC */
/*
 * Many threads on few names: nothing deadlocks, nothing races (with
 * SAN=thread), and what is left is consistent. A second test moves
 * directories about, so that the order of locks is put to the test.
 */
#include <fcntl.h>
#include <pthread.h>

#include "unit/fs_test.h"

#define THREADS 8
#define DIRS 4
#define NAMES 6

static uint64_t dirs[DIRS];
static uint64_t base_seed;
static int steps;

struct worker {
	pthread_t thread;
	unsigned id;
	uint64_t state;
};

static uint64_t
below(struct worker *w, uint64_t n)
{
	w->state ^= w->state << 13;
	w->state ^= w->state >> 7;
	w->state ^= w->state << 17;
	return (w->state * 0x2545f4914f6cdd1dULL >> 11) % n;
}

/* These may happen when others are at the same names. */
static void
expect_usual(int rc)
{
	switch (rc) {
	case 0:
	case -ENOENT:
	case -EEXIST:
	case -ENOTDIR:
	case -EISDIR:
	case -ENOTEMPTY:
	case -ESTALE:
	case -EINVAL:
	case -EPERM:
	case -ENODATA:
		return;
	default:
		ck_assert_msg(rc >= 0, "unexpected error %d", rc);
	}
}

static bool
take_entry(void *arg, const struct fs_dirent *e)
{
	(void)arg;
	if (e->attr != NULL) {
		ck_assert_uint_eq(e->attr->ino, e->ino);
		fs_forget(fs, e->ino, 1);
	}
	return true;
}

static void
use_file(struct worker *w, uint64_t ino)
{
	struct fs_attr attr = { 0 };
	struct fs_read r;
	char data[5000];

	memset(data, (int)w->id + 1, sizeof(data));
	expect_usual(fs_openfile(fs, ino, below(w, 4) == 0));
	for (uint64_t n = below(w, 5); n != 0; n--) {
		ssize_t rc = fs_write(fs, ino, below(w, 100000),
		    slice_make(data, below(w, sizeof(data)) + 1));

		expect_usual(rc < 0 ? (int)rc : 0);
		if (fs_read(fs, ino, below(w, 50000), 60000, &r) == 0)
			fs_read_done(&r);
	}
	attr.size = below(w, 60000);
	attr.mode = 0600;
	if (below(w, 4) == 0)
		expect_usual(fs_setattr(fs, ino, &attr,
		    below(w, 2) ? FS_SET_SIZE : FS_SET_MODE, &attr));
	if (below(w, 4) == 0)
		expect_usual(fs_setxattr(fs, ino, slice_str("user.x"),
		    slice_str("value"), 0));
	if (below(w, 8) == 0)
		expect_usual(fs_fsync(fs, ino));
	expect_usual(fs_flush(fs, ino));
	fs_release(fs, ino);
}

static void
step(struct worker *w)
{
	uint64_t dir = dirs[below(w, DIRS)], other = dirs[below(w, DIRS)];
	char name[16], newname[8];
	struct fs_attr attr;
	struct fs_dir *list;
	int rc;

	snprintf(name, sizeof(name), "n%d", (int)below(w, NAMES));
	snprintf(newname, sizeof(newname), "n%d", (int)below(w, NAMES));
	switch (below(w, 12)) {
	case 0:
	case 1:
	case 2:
		rc = fs_create(fs, dir, slice_str(name),
		    (below(w, 4) == 0 ? S_IFDIR : S_IFREG) | 0755, 0, &cred,
		    &attr);
		expect_usual(rc);
		if (rc == 0) {
			if (S_ISREG(attr.mode))
				use_file(w, attr.ino);
			fs_forget(fs, attr.ino, 1);
		}
		break;
	case 3:
	case 4:
		expect_usual(fs_unlink(fs, dir, slice_str(name)));
		break;
	case 5:
		expect_usual(fs_rmdir(fs, dir, slice_str(name)));
		break;
	case 6:
	case 7:
		expect_usual(fs_rename(fs, dir, slice_str(name), other,
		    slice_str(newname),
		    below(w, 3) == 0 ? RENAME_EXCHANGE : 0));
		break;
	case 8:
		expect_usual(fs_opendir(fs, dir, &list));
		expect_usual(fs_readdir(fs, list, 0, below(w, 2) != 0,
		    take_entry, NULL));
		fs_closedir(fs, list);
		break;
	default:
		rc = fs_lookup(fs, dir, slice_str(name), &attr);
		expect_usual(rc);
		if (rc < 0)
			break;
		if (S_ISREG(attr.mode) && below(w, 3) != 0) {
			use_file(w, attr.ino);
		} else {
			uint64_t ino = attr.ino;

			rc = fs_link(fs, ino, other, slice_str(newname), &attr);
			expect_usual(rc);
			if (rc == 0)
				fs_forget(fs, ino, 1);
			attr.ino = ino;
		}
		fs_forget(fs, attr.ino, 1);
		break;
	}
}

static void *
work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < steps; i++)
		step(w);
	return NULL;
}

static void
run_threads(void *(*fn)(void *))
{
	struct worker workers[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].id = i;
		workers[i].state = (base_seed + i) * 2 + 1;
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, fn,
				     &workers[i]),
		    0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

static void
begin(void)
{
	const char *text = getenv("KVFS_STEPS");

	base_seed = seed_begin();
	steps = text != NULL ? atoi(text) : 1500;
	opts.writeback_bytes = 512u << 10;
	opts.writeback_ms = 2;
	reopen();
}

START_TEST(threads_on_the_same_names_leave_a_whole_store)
{
	char name[16];

	begin();
	for (int i = 0; i < DIRS; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		dirs[i] = make_dir(name);
	}
	run_threads(work);
	ck_assert_int_eq(fs_sync(fs), 0);
	expect_clean();
	reopen();
	expect_clean();
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_ORPHAN), 0);
}
END_TEST

/* Directories are moved into each other, while files are made in them. */
static void *
move(void *arg)
{
	struct worker *w = arg;
	struct fs_attr attr;
	char a[16], b[16];

	for (int i = 0; i < steps; i++) {
		uint64_t from = dirs[below(w, DIRS)];
		uint64_t to = dirs[below(w, DIRS)];

		snprintf(a, sizeof(a), "d%d", (int)below(w, DIRS));
		snprintf(b, sizeof(b), "d%d", (int)below(w, DIRS));
		if (below(w, 2) == 0) {
			expect_usual(fs_rename(fs, from, slice_str(a), to,
			    slice_str(b), below(w, 2) ? RENAME_EXCHANGE : 0));
		} else if (below(w, 2) == 0) {
			if (fs_create(fs, from, slice_str("x"), S_IFREG, 0,
				&cred, &attr) == 0)
				fs_forget(fs, attr.ino, 1);
		} else {
			expect_usual(fs_unlink(fs, from, slice_str("x")));
			expect_usual(fs_rmdir(fs, from, slice_str(a)));
			if (fs_create(fs, to, slice_str(a), S_IFDIR | 0755, 0,
				&cred, &attr) == 0)
				fs_forget(fs, attr.ino, 1);
		}
	}
	return NULL;
}

START_TEST(directories_that_are_moved_about_stay_a_tree)
{
	char name[16];

	begin();
	dirs[0] = FS_ROOT_INO;
	for (int i = 1; i < DIRS; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		dirs[i] = make_in(dirs[rng((uint64_t)i)], name, S_IFDIR | 0755);
	}
	run_threads(move);
	expect_clean();
}
END_TEST

static void *
replace(void *arg)
{
	struct worker *w = arg;
	char temporary[16];
	uint64_t ino;

	snprintf(temporary, sizeof(temporary), "t%u", w->id);
	for (int i = 0; i < steps; i++) {
		if (w->id == 0) {
			struct fs_attr attr;
			struct fs_read r;

			/* Always there, and always whole. */
			ck_assert_int_eq(fs_lookup(fs, FS_ROOT_INO,
					     slice_str("file"), &attr),
			    0);
			if (fs_read(fs, attr.ino, 0, 100, &r) == 0 &&
			    r.bytes != 0)
				ck_assert_uint_eq(r.bytes, 10);
			fs_read_done(&r);
			fs_forget(fs, attr.ino, 1);
			continue;
		}
		ino = make(temporary);
		write_str(ino, "0123456789");
		ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO,
				     slice_str(temporary), FS_ROOT_INO,
				     slice_str("file"), 0),
		    0);
		fs_forget(fs, ino, 1);
	}
	return NULL;
}

START_TEST(a_name_that_is_replaced_is_never_missing)
{
	begin();
	save("file", "0123456789");
	run_threads(replace);
	expect_clean();
}
END_TEST

/* ---- Those who look, beside those who commit ---- */

#define COMMITTERS 3
/* One that is inline, one of several chunks. */
static const size_t lengths[] = { 100, 100000 };
static uint64_t files[COMMITTERS];
static atomic_int committing; /* committers that are not done */

/* Its file is empty, or has one of the lengths and bytes that are all the
 * same, after each step. */
static void
commit_file(struct worker *w)
{
	static const char fill[] = "abcdefghij";
	uint64_t ino = files[w->id];
	struct fs_attr attr = { .mode = 0600 + (uint32_t)below(w, 2) };
	size_t len = lengths[below(w, 2)];
	char *data = malloc(len);
	char name[16];

	snprintf(name, sizeof(name), "file%u", w->id);
	memset(data, fill[below(w, 10)], len);
	ck_assert_int_eq(fs_openfile(fs, ino, true), 0);
	write_at(ino, 0, data, len);
	switch (below(w, 6)) {
	case 0:
		ck_assert_int_eq(fs_fsync(fs, ino), 0);
		break;
	case 1:
		ck_assert_int_eq(fs_setattr(fs, ino, &attr, FS_SET_MODE, &attr),
		    0);
		break;
	case 2:
		ck_assert_int_eq(fs_setxattr(fs, ino, slice_str("user.x"),
				     slice_make(data, 50), 0),
		    0);
		break;
	case 3:
		ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str(name),
				     dirs[0], slice_str(name), 0),
		    0);
		ck_assert_int_eq(fs_rename(fs, dirs[0], slice_str(name),
				     FS_ROOT_INO, slice_str(name), 0),
		    0);
		break;
	default:
		break;
	}
	ck_assert_int_eq(fs_flush(fs, ino), 0);
	fs_release(fs, ino);
	free(data);
}

static void
look_at_file(struct worker *w, uint64_t ino)
{
	size_t n, max = lengths[1];
	struct buf value = { 0 };
	struct fs_attr attr;
	uint8_t *data;
	int64_t off;

	ck_assert_int_eq(fs_openfile(fs, ino, false), 0);
	data = read_at(ino, 0, max + 100, &n);
	ck_assert_msg(n == 0 || n == lengths[0] || n == lengths[1], "%zu bytes",
	    n);
	ck_assert(n < 2 || memcmp(data, data + 1, n - 1) == 0);
	free(data);
	attr = stat_of(ino);
	ck_assert_msg(attr.size == 0 || attr.size == lengths[0] ||
		attr.size == lengths[1],
	    "size %llu", (unsigned long long)attr.size);
	off = fs_lseek(fs, ino, below(w, max), SEEK_DATA);
	ck_assert(off >= 0 || off == -ENXIO);
	if (fs_getxattr(fs, ino, slice_str("user.x"), &value) == 0)
		ck_assert_uint_eq(value.len, 50);
	buf_fini(&value);
	fs_release(fs, ino);
}

static void
look_around(struct worker *w)
{
	char name[16];
	struct fs_dir *list;
	struct fs_attr attr;
	uint64_t dir = below(w, 2) == 0 ? dirs[0] : FS_ROOT_INO;

	look_at_file(w, files[below(w, COMMITTERS)]);
	snprintf(name, sizeof(name), "file%u", (unsigned)below(w, COMMITTERS));
	if (fs_lookup(fs, dir, slice_str(name), &attr) == 0)
		fs_forget(fs, attr.ino, 1);
	ck_assert_int_eq(fs_opendir(fs, dir, &list), 0);
	ck_assert_int_eq(fs_readdir(fs, list, 0, true, take_entry, NULL), 0);
	fs_closedir(fs, list);
}

static void *
commit_or_look(void *arg)
{
	struct worker *w = arg;

	if (w->id < COMMITTERS) {
		for (int i = 0; i < steps / 8; i++)
			commit_file(w);
		atomic_fetch_sub(&committing, 1);
		return NULL;
	}
	while (atomic_load(&committing) != 0)
		look_around(w);
	return NULL;
}

START_TEST(who_looks_beside_commits_sees_what_was_or_what_is)
{
	char name[16];

	begin();
	kv_mem_lag(kv);
	dirs[0] = make_dir("dir");
	for (int i = 0; i < COMMITTERS; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		files[i] = make(name);
	}
	atomic_store(&committing, COMMITTERS);
	run_threads(commit_or_look);
	ck_assert_int_eq(fs_sync(fs), 0);
	expect_clean();
	for (int i = 0; i < COMMITTERS; i++) {
		struct fs_attr before = stat_of(files[i]), after;

		snprintf(name, sizeof(name), "file%d", i);
		fs_forget(fs, files[i], 1);
		ck_assert_int_eq(fs_lookup(fs, FS_ROOT_INO, slice_str(name),
				     &after),
		    0);
		/* In the store is what was in memory. */
		ck_assert_mem_eq(&before, &after, sizeof(before));
	}
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("stress");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, threads_on_the_same_names_leave_a_whole_store);
	tcase_add_test(tc, directories_that_are_moved_about_stay_a_tree);
	tcase_add_test(tc, a_name_that_is_replaced_is_never_missing);
	tcase_add_test(tc, who_looks_beside_commits_sees_what_was_or_what_is);
	return run_case("fs_stress", tc);
}
