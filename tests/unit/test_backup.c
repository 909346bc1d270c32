/* SPDX-License-Identifier: ISC */
/*
 * A backup while the disk fails or memory runs out: for every n, the n-th
 * read of the disk, or allocation, fails, from the opening of the backup to
 * its last byte. It ends with that error; what was read before has no
 * manifest, so that nothing takes it for a store. Without a failure it is
 * whole. The linker leads malloc(3) and its kin through here (Makefile).
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/env/env.h"
#include "engine/store/db.h"
#include "support/alloc.h"
#include "support/env_fault.h"
#include "support/env_mem.h"
#include "support/suite.h"
#include "util/log.h"
#include "util/tar.h"

#define KEYS 300u
/* Of one read; neither a block of the archive nor a part of one. */
#define PIECE 7000u

static struct env *disk, *env;
static struct kv *kv;
static uint8_t *archive;
static size_t archive_len;

static void
no_log(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

/* Small values in tables, every third in a segment. */
static void
fill(struct env *e, const char *dir)
{
	static uint8_t value[20000];
	struct kv_options o;
	struct kv_batch b;

	log_set_sink(no_log);
	kv_options_init(&o);
	o.sync = KV_SYNC_OFF;
	o.compress = false;
	ck_assert_int_eq(db_open(e, dir, &o, &kv), 0);
	kv_batch_init(&b);
	for (uint32_t i = 0; i < KEYS; i++) {
		struct kv_key key = { 2, 7, slice_make(&i, sizeof(i)) };

		memset(value, (int)i, sizeof(value));
		kv_batch_put(&b, &key,
		    slice_make(value, i % 3 == 0 ? sizeof(value) : 100));
	}
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
	ck_assert_int_eq(kv_flush(kv), 0);
}

static void
setup_fault(void)
{
	disk = env_mem_create(1);
	env = env_fault_create(disk);
	fill(env, "/store");
}

static void
teardown_fault(void)
{
	ck_assert_int_eq(kv_close(kv), 0);
	env_fault_destroy(env);
	env_mem_destroy(disk);
	free(archive);
	archive = NULL;
}

/* On the real disk: those of tests need memory themselves. */
static char dir_path[PATH_MAX];

static void
setup_real(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir_path, sizeof(dir_path), "%s/kvfs-backup.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir_path));
	fill(env_posix(), dir_path);
}

static void
teardown_real(void)
{
	struct dirent *de;
	DIR *dir;

	ck_assert_int_eq(kv_close(kv), 0);
	dir = opendir(dir_path);
	ck_assert_ptr_nonnull(dir);
	while ((de = readdir(dir)) != NULL)
		(void)unlinkat(dirfd(dir), de->d_name, 0);
	closedir(dir);
	ck_assert_int_eq(rmdir(dir_path), 0);
	free(archive);
	archive = NULL;
}

/* Make a backup, as whoever writes it does: 0, or the first error. */
static int
backup(void)
{
	struct kv_backup *b;
	ssize_t n;
	int rc = kv_backup_open(kv, &b);

	archive_len = 0;
	if (rc < 0)
		return rc;
	free(archive);
	archive = alloc_plain(b->size + PIECE);
	do {
		n = kv_backup_read(b, archive + archive_len, PIECE,
		    archive_len);
		if (n > 0)
			archive_len += (size_t)n;
	} while (n == PIECE);
	alloc_fails_in = 0; /* what follows needs memory itself */
	if (n >= 0)
		ck_assert_uint_eq(archive_len, b->size);
	kv_backup_close(b);
	return n < 0 ? (int)n : 0;
}

/* Walk over what there is of the archive: how many members are whole, and
 * whether a manifest is among them, and the end. */
static unsigned
count_members(bool *manifestp, bool *endp)
{
	struct tar_entry e;
	unsigned n = 0;
	size_t at = 0;

	*manifestp = *endp = false;
	while (at + TAR_BLOCK <= archive_len) {
		int rc = tar_header_decode(archive + at, &e);

		ck_assert_int_ge(rc, 0);
		if (rc == 0) {
			*endp = true;
			break;
		}
		at += TAR_BLOCK + tar_padded(e.size);
		if (at > archive_len)
			break;
		*manifestp |= strncmp(e.name, "MANIFEST-", 9) == 0;
		n++;
	}
	return n;
}

static void
expect_whole(void)
{
	bool manifest, end;

	/* A table, a segment and the manifest, at least. */
	ck_assert_uint_ge(count_members(&manifest, &end), 3);
	ck_assert(manifest);
	ck_assert(end);
}

static void
expect_no_store(unsigned nth)
{
	bool manifest, end;

	count_members(&manifest, &end);
	ck_assert_msg(!manifest && !end, "failure %u left a whole archive",
	    nth);
}

/* _i 0: reads; 1: opening files and their sizes. Once, then for good. */
START_TEST(a_read_error_ends_it)
{
	static const unsigned calls[] = { ENV_CALL_BIT(ENV_CALL_READ),
		ENV_CALL_BIT(ENV_CALL_OPEN) | ENV_CALL_BIT(ENV_CALL_SIZE) };
	struct env_fault_rule rule = { .calls = calls[_i / 2],
		.error = EIO,
		.lasts = _i % 2 != 0 };
	unsigned ended = 0;
	int rc;

	for (rule.nth = 1;; rule.nth++) {
		env_fault_arm(env, &rule);
		rc = backup();
		env_fault_disarm(env);
		if (rc == 0 && env_fault_failed(env) == 0)
			break;
		if (rc == 0) {
			/* It hit the store's own threads. */
			expect_whole();
			continue;
		}
		ck_assert_int_eq(rc, -EIO);
		expect_no_store((unsigned)rule.nth);
		ended++;
	}
	ck_assert_uint_gt(ended, 2);
	expect_whole();
}
END_TEST

START_TEST(without_memory_it_ends)
{
	unsigned nth;
	int rc;

	for (nth = 1;; nth++) {
		alloc_refused = 0;
		alloc_fails_in = nth;
		rc = backup();
		alloc_fails_in = 0;
		if (alloc_refused == 0)
			break;
		if (rc == 0) {
			/* It could do without. */
			expect_whole();
			continue;
		}
		ck_assert_int_eq(rc, -ENOMEM);
		expect_no_store(nth);
	}
	ck_assert_uint_gt(nth, 5);
	ck_assert_int_eq(rc, 0);
	expect_whole();
	ck_assert_int_eq(kv_check(kv, KV_CHECK_ALL, stdout), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("backup");
	TCase *t = tcase_create("disk");

	tcase_add_checked_fixture(t, setup_fault, teardown_fault);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_read_error_ends_it, 0, 4);
	suite_add_tcase(s, t);
	t = tcase_create("memory");
	tcase_add_checked_fixture(t, setup_real, teardown_real);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, without_memory_it_ends);
	suite_add_tcase(s, t);
	return run_suite(s);
}
