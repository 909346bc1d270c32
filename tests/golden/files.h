/* SPDX-License-Identifier: ISC */
/*
 * Stores as directories of plain files: copied, compared, and logs cut to
 * what they hold. For tests/unit/test_golden.c.
 *
 * A log's file has the size that its header says, 1 MiB or more, and is
 * mostly zeros. In the repository the zeros at its end are left out;
 * store_copy() puts them back, since a log that is too short is damage.
 */
#ifndef KVFS_TESTS_GOLDEN_FILES_H
#define KVFS_TESTS_GOLDEN_FILES_H

#include <check.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/coding.h"

#define UNUSED __attribute__((unused))

static const char log_magic[8] = "kvfswal\n";

static void
file_path(char path[PATH_MAX], const char *dir, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);

	ck_assert_int_lt(n, PATH_MAX);
}

/* Appends the whole file to b. */
static void
file_read(const char *path, struct buf *b)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p;
	size_t n;

	ck_assert_msg(f != NULL,
	    "%s: cannot open it (run the test in the "
	    "top directory)",
	    path);
	do {
		p = buf_extend(b, 65536);
		ck_assert_ptr_nonnull(p);
		n = fread(p, 1, 65536, f);
		b->len -= 65536 - n;
	} while (n != 0);
	ck_assert_int_eq(ferror(f), 0);
	fclose(f);
}

static void
file_write(const char *path, struct slice data, uint64_t size)
{
	FILE *f = fopen(path, "wb");

	ck_assert_msg(f != NULL, "%s: cannot write it", path);
	if (data.len != 0)
		ck_assert_uint_eq(fwrite(data.data, 1, data.len, f), data.len);
	ck_assert_int_eq(fflush(f), 0);
	ck_assert_int_eq(ftruncate(fileno(f), (off_t)size), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* Calls fn for the names in dir, but for LOCK. */
static void
dir_each(const char *dir, void (*fn)(void *arg, const char *name), void *arg)
{
	DIR *d = opendir(dir);
	struct dirent *de;

	ck_assert_msg(d != NULL,
	    "%s: cannot open it (run the test in the top "
	    "directory)",
	    dir);
	while ((de = readdir(d)) != NULL)
		if (de->d_name[0] != '.' && strcmp(de->d_name, "LOCK") != 0)
			fn(arg, de->d_name);
	closedir(d);
}

struct copy {
	const char *from, *to;
	bool cut; /* leave zeros at the end of logs out, or put them back */
};

static void
copy_file(void *arg, const char *name)
{
	const struct copy *c = arg;
	char from[PATH_MAX], to[PATH_MAX];
	struct buf b = { 0 };
	uint64_t size;

	file_path(from, c->from, name);
	file_path(to, c->to, name);
	file_read(from, &b);
	size = b.len;
	if (strstr(name, ".log") != NULL) {
		while (c->cut && b.len != 0 && b.data[b.len - 1] == 0)
			b.len--;
		size = b.len;
		if (!c->cut && b.len >= 64 &&
		    memcmp(b.data, log_magic, sizeof(log_magic)) == 0)
			size = get_le64(b.data + 24);
	}
	file_write(to, buf_slice(&b), size);
	buf_fini(&b);
}

/* A copy of a store that is open, or was, without its lock. */
static void UNUSED
store_copy(const char *from, const char *to, bool cut)
{
	struct copy c = { from, to, cut };

	ck_assert_int_eq(mkdir(to, 0700), 0);
	dir_each(from, copy_file, &c);
}

static void
remove_file(void *arg, const char *name)
{
	char path[PATH_MAX];

	file_path(path, arg, name);
	ck_assert_int_eq(unlink(path), 0);
}

static void UNUSED
store_remove(char *dir)
{
	dir_each(dir, remove_file, dir);
	remove_file(dir, "LOCK");
	ck_assert_int_eq(rmdir(dir), 0);
}

/* A new directory's name, to remove; it is not made yet. */
static void UNUSED
temp_name(char path[PATH_MAX], const char *name)
{
	const char *tmp = getenv("TMPDIR");
	static unsigned n;

	snprintf(path, PATH_MAX, "%s/kvfs-golden-%d-%u-%s",
	    tmp != NULL ? tmp : "/tmp", (int)getpid(), n++, name);
}

static bool
is_same_file(const char *a, const char *b, char *why, size_t len)
{
	struct buf ba = { 0 }, bb = { 0 };
	size_t i = 0;
	bool same;

	file_read(a, &ba);
	file_read(b, &bb);
	same = slice_eq(buf_slice(&ba), buf_slice(&bb));
	while (i < ba.len && i < bb.len && ba.data[i] == bb.data[i])
		i++;
	snprintf(why, len, "%s (%zu bytes) and %s (%zu bytes) differ at %zu", a,
	    ba.len, b, bb.len, i);
	buf_fini(&ba);
	buf_fini(&bb);
	return same;
}

static void UNUSED
expect_same_file(const char *a, const char *b)
{
	char why[3 * PATH_MAX];

	ck_assert_msg(is_same_file(a, b, why, sizeof(why)), "%s", why);
}

static void
compare_file(void *arg, const char *name)
{
	const struct copy *c = arg;
	char a[PATH_MAX], b[PATH_MAX];

	file_path(a, c->from, name);
	file_path(b, c->to, name);
	expect_same_file(a, b);
}

/* Every file of a is in b with the same bytes, and the reverse. */
static void UNUSED
expect_same_store(const char *a, const char *b)
{
	struct copy ab = { a, b, false }, ba = { b, a, false };

	dir_each(a, compare_file, &ab);
	dir_each(b, compare_file, &ba);
}

#endif
