/* SPDX-License-Identifier: ISC */
/*
 * The directory of a store: one of another program is told as such, one that
 * goes away or gets another LOCK ends the writing and says why, one that
 * cannot be written to can be read.
 */
#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/memtable/memtable.h"
#include "engine/repair/repair.h"
#include "engine/state/db_state.h"
#include "engine/state/durability.h"
#include "engine/state/segment_set.h"
#include "engine/store/db.h"
#include "support/env_fault.h"
#include "support/env_mem.h"
#include "support/env_path.h"
#include "support/model.h"
#include "support/suite.h"
#include "util/log.h"

static struct env *disk, *env;
static char logged[8192];
static unsigned errors;

static void
note_line(enum log_level level, const char *line)
{
	errors += level == LOG_LVL_ERROR;
	strlcat(logged, line, sizeof(logged));
	strlcat(logged, "\n", sizeof(logged));
}

static void
setup(void)
{
	disk = env_mem_create(1);
	env = env_fault_create(disk);
	logged[0] = '\0';
	errors = 0;
	log_set_sink(note_line);
}

static void
teardown(void)
{
	log_set_sink(NULL);
	env_fault_destroy(env);
	env_mem_destroy(disk);
}

static void
options(struct kv_options *o)
{
	kv_options_init(o);
	o->sync = KV_SYNC_OFF;
	o->memtable_bytes = 64 << 10;
	o->cache_bytes = 1 << 20;
}

static struct kv *
open_store(struct env *in, const char *dir, bool read_only)
{
	struct kv_options o;
	struct kv *kv;

	options(&o);
	o.read_only = read_only;
	ck_assert_int_eq(db_open(in, dir, &o, &kv), 0);
	return kv;
}

static void
write_file(const char *path, const char *text)
{
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };
	struct env_file *f;

	ck_assert_int_eq(env_path_open(disk, path, ENV_WRITE | ENV_CREATE, &f),
	    0);
	ck_assert_int_eq(env_write(f, &iov, 1, 0), 0);
	env_close(f);
}

/* ---- Of others ---- */

static int
count_name(void *arg, const char *name)
{
	(void)name;
	++*(int *)arg;
	return 0;
}

/* _i 1: RocksDB. */
START_TEST(a_database_of_another_program_is_told_and_left_alone)
{
	struct kv_options o;
	struct kv *kv;
	uint64_t written;
	int names = 0;

	ck_assert_int_eq(env_path_mkdir(disk, "/other"), 0);
	write_file("/other/CURRENT", "MANIFEST-000005\n");
	write_file("/other/MANIFEST-000005", "\x56\xf9\xb8\xf8 leveldb");
	write_file("/other/000003.log", "a log of theirs");
	write_file(_i ? "/other/000008.sst" : "/other/000008.ldb", "a table");
	write_file("/other/LOCK", "");
	if (_i)
		write_file("/other/IDENTITY", "an id");
	written = env_mem_bytes_written(disk);
	options(&o);
	ck_assert_int_eq(db_open(env, "/other", &o, &kv), -ENOTEMPTY);
	ck_assert_ptr_nonnull(strstr(logged, _i ? "RocksDB" : "LevelDB"));
	o.read_only = true;
	ck_assert_int_eq(db_open(env, "/other", &o, &kv), -ENOTEMPTY);
	ck_assert_int_eq(db_repair(env, "/other", "/new", NULL, NULL, stdout),
	    -ENOTEMPTY);
	ck_assert_uint_eq(errors, 3);
	ck_assert_uint_eq(env_mem_bytes_written(disk), written);
	ck_assert_int_eq(env_path_list(disk, "/other", count_name, &names), 0);
	ck_assert_int_eq(names, 5 + _i);
}
END_TEST

START_TEST(a_store_with_a_file_of_that_name_is_still_a_store)
{
	struct kv *kv = open_store(env, "/store", false);
	char text[64];

	snprintf(text, sizeof(text), "MANIFEST-%06llu\n",
	    (unsigned long long)manifest_number(db_of(kv)->tree.manifest));
	ck_assert_int_eq(kv_close(kv), 0);
	write_file("/store/CURRENT", text);
	ck_assert_int_eq(kv_close(open_store(env, "/store", false)), 0);
}
END_TEST

/* ---- What ends the writing ---- */

static char *
state_of(struct kv *kv, enum report_format format, const char *line_start)
{
	char *text = NULL, *line, *end;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	ck_assert_int_eq(kv_report(kv, format, f), 0);
	fclose(f);
	line = strstr(text, line_start);
	ck_assert_ptr_nonnull(line);
	end = strchr(line, '\n');
	*end = '\0';
	memmove(text, line, (size_t)(end - line) + 1);
	return text;
}

static int
put_one(struct kv *kv)
{
	struct kv_key key = { 1, 1, slice_str("name") };
	struct kv_batch b;
	int rc;

	kv_batch_init(&b);
	kv_batch_put(&b, &key, slice_str("value"));
	rc = kv_commit(kv, &b, NULL);
	kv_batch_fini(&b);
	return rc;
}

START_TEST(the_state_says_why_a_store_has_failed)
{
	struct env_fault_rule rule = { .calls = ENV_CALL_BIT(ENV_CALL_SYNC),
		.nth = 1,
		.error = EIO };
	struct kv *kv = open_store(env, "/store", false);
	char *text;

	text = state_of(kv, REPORT_TEXT, "State: ");
	ck_assert_str_eq(text, "State: writable");
	free(text);
	ck_assert_int_eq(put_one(kv), 0);
	env_fault_arm(env, &rule);
	ck_assert_int_eq(db_sync_all(db_of(kv)), -EIO);
	env_fault_disarm(env);
	text = state_of(kv, REPORT_TEXT, "State: ");
	ck_assert_msg(strncmp(text,
			  "State: failed, read-only: cannot sync "
			  "/store/",
			  44) == 0 &&
		strstr(text, ".log: Input/output error; ") != NULL,
	    "it says \"%s\"", text);
	free(text);
	text = state_of(kv, REPORT_METRICS, "kvfs_failure{reason=\"");
	ck_assert_ptr_nonnull(strstr(text, "Input/output error"));
	free(text);
	ck_assert_int_eq(kv_close(kv), -EIO);
}
END_TEST

/* Wait until the thread that watches the directory has found a lost LOCK: it
 * looks by itself. */
static void
await_lost_lock(struct kv *kv)
{
	char *text = state_of(kv, REPORT_TEXT, "LOCK files lost: ");

	while (strcmp(text, "LOCK files lost: 1") != 0) {
		ck_assert_str_eq(text, "LOCK files lost: 0");
		free(text);
		sched_yield();
		text = state_of(kv, REPORT_TEXT, "LOCK files lost: ");
	}
	free(text);
}

START_TEST(a_lost_lock_is_written_anew_and_counted)
{
	struct kv *kv = open_store(env, "/store", false);
	struct env_file *f;

	ck_assert_int_eq(env_path_unlink(disk, "/store/LOCK"), 0);
	await_lost_lock(kv);
	ck_assert_int_eq(env_path_open(disk, "/store/LOCK", ENV_READ, &f), 0);
	env_close(f);
	ck_assert_int_eq(put_one(kv), 0);
	ck_assert_int_eq(kv_close(kv), 0);
	ck_assert_ptr_nonnull(strstr(logged, "/store/LOCK: "));
}
END_TEST

START_TEST(the_lock_of_another_program_ends_the_writing)
{
	struct kv *kv = open_store(env, "/store", false);
	struct env_dir *dir = env_path_dir(disk, "/store");
	struct env_file *f;

	/* Locked before it is in the place of the other. */
	ck_assert_int_eq(env_path_open(disk, "/store/theirs",
			     ENV_WRITE | ENV_CREATE, &f),
	    0);
	ck_assert_int_eq(env_lock(f, ENV_LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(env_rename(dir, "theirs", "LOCK"), 0);
	env_dir_close(dir);
	while (put_one(kv) == 0)
		sched_yield();
	ck_assert_int_eq(put_one(kv), -EIO);
	ck_assert_int_eq(kv_close(kv), -EIO);
	ck_assert_ptr_nonnull(strstr(logged, "another program"));
	env_close(f);
}
END_TEST

/* ---- Reading ---- */

/* Also what stands in its log. */
START_TEST(a_crashed_store_is_read_without_a_write)
{
	struct rng r = { test_seed() };
	struct model *m = calloc(1, sizeof(*m));
	struct kv *kv = open_store(env, "/store", false);
	struct env_fault_rule rule = { .calls = ENV_CALL_CHANGING,
		.nth = 1,
		.error = EROFS,
		.lasts = true };
	struct model_batch b;
	uint64_t seq;

	for (int i = 0; i < 200; i++) {
		model_batch_make(&b, &r);
		model_apply(m, &b);
		ck_assert_int_eq(model_commit(kv, &b, &seq), 0);
	}
	env_mem_crash(disk, ENV_MEM_KILL);
	(void)kv_close(kv);
	errors = 0;
	env_fault_arm(env, &rule);
	kv = open_store(env, "/store", true);
	model_expect_equal(m, kv, NULL, "read-only");
	ck_assert_uint_gt(db_of(kv)->logs.count, 0);
	ck_assert_uint_eq(env_fault_failed(env), 0);
	env_fault_disarm(env);
	ck_assert_int_eq(kv_close(kv), 0);
	ck_assert_uint_eq(errors, 0);
	free(m);
}
END_TEST

/* ---- Few descriptors ---- */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

/* Each in a process of its own: check forks. */
START_TEST(a_store_of_more_files_than_the_process_may_open_is_read)
{
	struct rlimit few = { 64, 64 };
	char dir[] = "/tmp/test_store_dir.XXXXXX";
	char *big = calloc(1, 200000);
	struct kv_options o;
	struct kv *kv;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	options(&o);
	o.compaction_threads = 1;
	ck_assert_int_eq(db_open(env_posix(), dir, &o, &kv), 0);
	/* Each in a segment of its own, which nothing syncs. */
	for (uint64_t i = 0; i < 150; i++) {
		struct kv_key key = { 1, i, slice_str("name") };
		struct kv_batch b;

		kv_batch_init(&b);
		kv_batch_put(&b, &key, slice_make(big, 200000));
		ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
		kv_batch_fini(&b);
		segment_seal_active(db_of(kv));
	}
	ck_assert_int_eq(kv_close(kv), 0);
	ck_assert_int_eq(db_open(env_posix(), dir, &o, &kv), 0);
	for (uint64_t i = 0; i < 300; i++) {
		struct kv_key key = { 1, i * 7 % 150, slice_str("name") };
		struct kv_value v;

		ck_assert_int_eq(kv_get(kv, &key, NULL, &v), 0);
		ck_assert_uint_eq(v.data.len, 200000);
		kv_value_release(&v);
	}
	ck_assert_int_eq(kv_close(kv), 0);
	ck_assert_int_eq(nftw(dir, remove_one, 4, FTW_DEPTH | FTW_PHYS), 0);
	free(big);
}
END_TEST

START_TEST(too_few_descriptors_are_told_with_the_least_number)
{
	struct rlimit few = { PROCESS_FILES_MIN - 1, PROCESS_FILES_MIN - 1 };
	struct kv_options o;
	struct kv *kv;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	options(&o);
	ck_assert_int_eq(db_open(env, "/store", &o, &kv), -EMFILE);
	ck_assert_uint_eq(errors, 1);
	ck_assert_ptr_nonnull(strstr(logged, "needs 32 open files"));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("store_dir");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc,
	    a_database_of_another_program_is_told_and_left_alone, 0, 2);
	tcase_add_test(tc, a_store_with_a_file_of_that_name_is_still_a_store);
	tcase_add_test(tc, the_state_says_why_a_store_has_failed);
	tcase_add_test(tc, a_lost_lock_is_written_anew_and_counted);
	tcase_add_test(tc, the_lock_of_another_program_ends_the_writing);
	tcase_add_test(tc, a_crashed_store_is_read_without_a_write);
	tcase_add_test(tc,
	    a_store_of_more_files_than_the_process_may_open_is_read);
	tcase_add_test(tc, too_few_descriptors_are_told_with_the_least_number);
	return run_case("store_dir", tc);
}
