/* SPDX-License-Identifier: ISC */
/*
 * Helpers of the tests of src/fs: a file system on a store in memory, which can
 * be closed and opened again, and short functions to create and check files.
 */
#ifndef KVFS_TESTS_FS_TEST_H
#define KVFS_TESTS_FS_TEST_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs/fs.h"
#include "fs/schema.h"
#include "support/kv_mem.h"
#include "support/suite.h"
#include "util/log.h"

#define UNUSED __attribute__((unused))

static struct kv *kv;
static struct fs *fs;
static struct fs_options opts;
static const struct fs_cred cred = { .uid = 1000, .gid = 100 };

static void UNUSED
quiet(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static void UNUSED
mount_fs(void)
{
	ck_assert_int_eq(fs_open(kv, &opts, &fs), 0);
}

static void UNUSED
unmount_fs(void)
{
	ck_assert_int_eq(fs_close(fs), 0);
	fs = NULL;
}

static void UNUSED
reopen(void)
{
	unmount_fs();
	mount_fs();
}

/* Fail with the problems that fs_verify() finds in store. */
static void UNUSED
expect_clean_kv(struct kv *store)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int rc = fs_verify(store, out);

	fclose(out);
	ck_assert_msg(rc == 0, "%d problems:\n%s", rc, text);
	free(text);
}

static void UNUSED
expect_clean(void)
{
	expect_clean_kv(kv);
}

static void UNUSED
setup(void)
{
	log_set_sink(quiet);
	fs_options_init(&opts);
	opts.atime = FS_ATIME_RELATIVE;
	kv = kv_mem_create();
	mount_fs();
}

static void UNUSED
teardown(void)
{
	if (fs != NULL)
		unmount_fs();
	expect_clean();
	ck_assert_uint_eq(kv_mem_views(kv), 0);
	kv_close(kv);
	kv = NULL;
}

static uint64_t UNUSED
make_in(uint64_t dir, const char *name, uint32_t mode)
{
	struct fs_attr attr;

	ck_assert_int_eq(fs_create(fs, dir, slice_str(name), mode, 0, &cred,
			     &attr),
	    0);
	return attr.ino;
}

static uint64_t UNUSED
make(const char *name)
{
	return make_in(FS_ROOT_INO, name, S_IFREG | 0644);
}

static uint64_t UNUSED
make_dir(const char *name)
{
	return make_in(FS_ROOT_INO, name, S_IFDIR | 0755);
}

/* The inode of a name, or 0 when there is none. Counts a lookup. */
static uint64_t UNUSED
lookup_in(uint64_t dir, const char *name)
{
	struct fs_attr attr;
	int rc = fs_lookup(fs, dir, slice_str(name), &attr);

	if (rc == -ENOENT)
		return 0;
	ck_assert_int_eq(rc, 0);
	return attr.ino;
}

static uint64_t UNUSED
lookup(const char *name)
{
	return lookup_in(FS_ROOT_INO, name);
}

static struct fs_attr UNUSED
stat_of(uint64_t ino)
{
	struct fs_attr attr;

	ck_assert_int_eq(fs_getattr(fs, ino, &attr), 0);
	return attr;
}

static void UNUSED
write_at(uint64_t ino, uint64_t off, const void *data, size_t len)
{
	ck_assert_int_eq(fs_write(fs, ino, off, slice_make(data, len)),
	    (ssize_t)len);
}

static void UNUSED
write_str(uint64_t ino, const char *text)
{
	write_at(ino, 0, text, strlen(text));
}

/* Make a file with these contents, opened and closed as a program does. */
static uint64_t UNUSED
save(const char *name, const char *text)
{
	uint64_t ino = lookup(name);

	if (ino == 0)
		ino = make(name);
	ck_assert_int_eq(fs_openfile(fs, ino, true), 0);
	write_str(ino, text);
	ck_assert_int_eq(fs_flush(fs, ino), 0);
	fs_release(fs, ino);
	return ino;
}

/* Returns owned (free): up to len bytes from off, *np of them. */
static UNUSED uint8_t *
read_at(uint64_t ino, uint64_t off, size_t len, size_t *np)
{
	struct fs_read r;
	uint8_t *buf = malloc(len + 1);
	size_t n = 0;

	ck_assert_int_eq(fs_read(fs, ino, off, len, &r), 0);
	for (size_t i = 0; i < r.count; i++) {
		ck_assert_uint_le(n + r.pieces[i].len, len);
		memcpy(buf + n, r.pieces[i].data, r.pieces[i].len);
		n += r.pieces[i].len;
	}
	ck_assert_uint_eq(n, r.bytes);
	buf[n] = '\0';
	fs_read_done(&r);
	*np = n;
	return buf;
}

static void UNUSED
expect_bytes(uint64_t ino, const void *data, size_t len)
{
	size_t n;
	uint8_t *got = read_at(ino, 0, len + 100, &n);

	ck_assert_uint_eq(n, len);
	ck_assert_mem_eq(got, data, len);
	free(got);
	ck_assert_uint_eq(stat_of(ino).size, len);
}

static void UNUSED
expect_str(uint64_t ino, const char *text)
{
	expect_bytes(ino, text, strlen(text));
}

static void UNUSED
expect_file(const char *name, const char *text)
{
	uint64_t ino = lookup(name);

	ck_assert_msg(ino != 0, "%s is not there", name);
	expect_str(ino, text);
	fs_forget(fs, ino, 1);
}

/* len bytes that differ from offset to offset. Returns owned (free). */
static UNUSED uint8_t *
pattern(size_t len, unsigned seed)
{
	uint8_t *p = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 + i / 251 + seed * 31 + 1);
	return p;
}

/* ---- A random seed that is printed, or given by KVFS_SEED ---- */

static uint64_t UNUSED rng_state;

static uint64_t UNUSED
seed_begin(void)
{
	const char *text = getenv("KVFS_SEED");
	uint64_t seed = text != NULL ?
	    strtoull(text, NULL, 10) :
	    (uint64_t)time(NULL) * 1000 + (uint64_t)getpid() % 1000;

	printf("KVFS_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	rng_state = seed * 2 + 1;
	return seed;
}

static uint64_t UNUSED
rng(uint64_t below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (rng_state * 0x2545f4914f6cdd1dULL >> 11) % below;
}

/* ---- Running one suite ---- */

/*
 * Directories are locked from the root downwards. A rename may turn the order
 * of two around; the sanitizer's detector of lock orders, which does not know
 * the tree, takes that for a cycle. Races are still detected.
 */
const char *__tsan_default_options(void);
const char *
__tsan_default_options(void)
{
	return "detect_deadlocks=0";
}

#endif
