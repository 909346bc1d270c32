/* SPDX-License-Identifier: ISC */
/* A copy of the golden store for each test, and ways to open it. For
 * tests/unit/test_golden*.c. */
#ifndef KVFS_TESTS_GOLDEN_OPEN_H
#define KVFS_TESTS_GOLDEN_OPEN_H

#include "fs/fs.h"
#include "golden/files.h"
#include "kvfs/store.h"
#include "util/log.h"

#define GOLDEN "tests/golden/v1"
#define GOLDEN_PATCHES "tests/golden/v1-patches"
/* The inode that was open without a name. */
#define GOLDEN_ORPHAN 12291

static const char *golden = GOLDEN; /* the one that is tested */
static char store[PATH_MAX]; /* a copy of it */
static char last_line[1024];

static void
keep_line(enum log_level level, const char *line)
{
	(void)level;
	strlcpy(last_line, line, sizeof(last_line));
}

static void
setup(void)
{
	log_set_sink(keep_line);
	temp_name(store, "store");
	store_copy(golden, store, false);
}

static void
teardown(void)
{
	char path[PATH_MAX];
	FILE *lock;

	/* store_remove() expects one. */
	file_path(path, store, "LOCK");
	lock = fopen(path, "ab");
	if (lock != NULL)
		fclose(lock);
	store_remove(store);
	log_set_sink(NULL);
}

static UNUSED struct kv *
open_kv(const char *dir, bool read_only)
{
	struct kv_options opts;
	struct kv *kv;

	kv_options_init(&opts);
	opts.create = false;
	opts.read_only = read_only;
	ck_assert_msg(kv_open(dir, &opts, &kv) == 0, "%s", last_line);
	return kv;
}

static UNUSED struct fs *
open_fs(struct kv *kv, bool read_only)
{
	struct fs_options opts;
	struct fs *fs;

	fs_options_init(&opts);
	opts.read_only = read_only;
	opts.atime = false;
	ck_assert_msg(fs_open(kv, &opts, &fs) == 0, "%s", last_line);
	return fs;
}

#endif
