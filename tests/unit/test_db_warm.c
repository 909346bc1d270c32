/* SPDX-License-Identifier: ISC */
/*
 * The cache after opening: it holds again what was hot when the store was
 * closed, and nothing depends on the list that says what that was.
 */
#include <check.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "engine/env/env.h"
#include "engine/store/db.h"
#include "support/env_fault.h"
#include "support/env_mem.h"
#include "support/keys.h"
#include "support/suite.h"
#include "support/env_path.h"
#include "util/log.h"

#define KEYS 20000
#define HOT_KEYS 2000
#define VALUE 100
#define MIB (1u << 20)

static struct env *disk, *env;
static struct kv *kv;
static struct kv_options opts;
static atomic_uint complaints;

static void
note_line(enum log_level level, const char *line)
{
	(void)line;
	if (level <= LOG_LVL_WARN)
		atomic_fetch_add(&complaints, 1);
}

static void
setup(void)
{
	disk = env_mem_create(1);
	env = env_fault_create(disk);
	kv_options_init(&opts);
	opts.sync = KV_SYNC_OFF;
	opts.cache_bytes = 8 * MIB;
	opts.compaction_threads = 0;
	opts.compress = false;
	atomic_store(&complaints, 0);
	log_set_sink(note_line);
}

static void
teardown(void)
{
	env_fault_destroy(env);
	env_mem_destroy(disk);
	log_set_sink(NULL);
}

static void
open_store(void)
{
	ck_assert_int_eq(db_open(env, "/store", &opts, &kv), 0);
}

static void
close_store(void)
{
	ck_assert_int_eq(kv_close(kv), 0);
}

static void
put_keys(unsigned from, unsigned to)
{
	uint8_t value[VALUE];
	char name[16];
	struct kv_batch b;

	kv_batch_init(&b);
	for (unsigned i = from; i < to; i++) {
		struct kv_key key = key_of(i, name);

		memset(value, (int)(i * 7), sizeof(value));
		kv_batch_put(&b, &key, slice_make(value, sizeof(value)));
		ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
		kv_batch_clear(&b);
	}
	kv_batch_fini(&b);
}

/* Each is read some times; what it says is right. */
static void
get_keys(unsigned from, unsigned to, unsigned times)
{
	char name[16];

	for (unsigned n = 0; n < times; n++) {
		for (unsigned i = from; i < to; i++) {
			struct kv_key key = key_of(i, name);
			struct kv_value v;

			ck_assert_int_eq(kv_get(kv, &key, NULL, &v), 0);
			ck_assert_uint_eq(v.data.len, VALUE);
			ck_assert_uint_eq(((const uint8_t *)v.data.data)[9],
			    (uint8_t)(i * 7));
			kv_value_release(&v);
		}
	}
}

/* A line of the store's figures; "" when there is none. */
static void
stat_text(const char *title, char *dst, size_t len)
{
	char *text = NULL, *at;
	size_t text_len;
	FILE *out = open_memstream(&text, &text_len);

	ck_assert_int_eq(kv_report(kv, REPORT_TEXT, out), 0);
	fclose(out);
	dst[0] = '\0';
	for (at = text; (at = strstr(at, title)) != NULL; at++)
		if ((at == text || at[-1] == '\n') && at[strlen(title)] == ':')
			break;
	if (at != NULL) {
		strlcpy(dst, at + strlen(title) + 2, len);
		dst[strcspn(dst, "\n")] = '\0';
	}
	free(text);
}

static unsigned long
stat_number(const char *title)
{
	char text[64];

	stat_text(title, text, sizeof(text));
	ck_assert_msg(text[0] != '\0', "no %s", title);
	return strtoul(text, NULL, 10);
}

static void
expect_state(const char *state)
{
	char text[64];

	do {
		sched_yield();
		stat_text("Warm-up", text, sizeof(text));
	} while (strcmp(text, "reading") == 0);
	ck_assert_str_eq(text, state);
}

static bool
has_list(void)
{
	struct env_file *f;
	int rc = env_path_open(disk, "/store/HOT", ENV_READ, &f);

	env_close(f);
	ck_assert(rc == 0 || rc == -ENOENT);
	return rc == 0;
}

/* A store that was closed after the first keys were hot. */
static void
make_store(void)
{
	open_store();
	expect_state("no list");
	put_keys(0, KEYS);
	ck_assert_int_eq(kv_flush(kv), 0);
	get_keys(0, HOT_KEYS, 3);
	close_store();
	ck_assert(has_list());
}

START_TEST(what_was_hot_is_read_without_a_miss)
{
	unsigned long blocks, reads;

	make_store();
	for (int again = 0; again < 2; again++) {
		open_store();
		expect_state("done");
		blocks = stat_number("Warm-up blocks");
		ck_assert_uint_ge(blocks, HOT_KEYS * VALUE / 16384);
		ck_assert_uint_eq(blocks, stat_number("Warm-up blocks listed"));
		ck_assert_uint_eq(stat_number("Warm-up blocks gone"), 0);
		reads = env_mem_calls(disk, ENV_CALL_READ);
		get_keys(0, HOT_KEYS, 1);
		ck_assert_uint_eq(stat_number("Cache misses"), 0);
		ck_assert_uint_eq(env_mem_calls(disk, ENV_CALL_READ), reads);
		/* What nobody had used is not there. */
		if (again == 0)
			get_keys(KEYS / 2, KEYS / 2 + 1, 1);
		ck_assert_uint_eq(stat_number("Cache misses"), again == 0);
		close_store();
	}
	ck_assert_uint_eq(atomic_load(&complaints), 0);
}
END_TEST

START_TEST(tables_are_open_before_they_are_wanted)
{
	unsigned long opens;

	make_store();
	ck_assert_int_eq(env_path_unlink(disk, "/store/HOT"), 0);
	open_store();
	expect_state("no list");
	opens = env_mem_calls(disk, ENV_CALL_OPEN);
	get_keys(KEYS / 2, KEYS / 2 + 1, 1);
	ck_assert_uint_eq(stat_number("Cache misses"), 1);
	ck_assert_uint_eq(env_mem_calls(disk, ENV_CALL_OPEN), opens);
	close_store();
}
END_TEST

START_TEST(neighbours_are_read_in_one_piece)
{
	unsigned long blocks, reads;

	make_store();
	reads = env_mem_calls(disk, ENV_CALL_READ);
	opts.read_only = true; /* it reads little else */
	open_store();
	expect_state("done");
	blocks = stat_number("Warm-up blocks");
	reads = env_mem_calls(disk, ENV_CALL_READ) - reads;
	ck_assert_uint_ge(blocks, 20);
	/* With those of opening: manifest, table, list. */
	ck_assert_uint_lt(reads, 20);
	close_store();
}
END_TEST

START_TEST(read_only_it_reads_the_list_and_writes_nothing)
{
	uint64_t written;

	make_store();
	opts.read_only = true;
	open_store();
	written = env_mem_bytes_written(disk);
	expect_state("done");
	get_keys(0, HOT_KEYS, 1);
	ck_assert_uint_eq(stat_number("Cache misses"), 0);
	close_store();
	ck_assert_uint_eq(env_mem_bytes_written(disk), written);
	ck_assert(has_list());
}
END_TEST

START_TEST(who_wants_no_warm_up_leaves_the_list_alone)
{
	char text[64];

	make_store();
	opts.warm_up = false;
	open_store();
	stat_text("Warm-up", text, sizeof(text));
	ck_assert_str_eq(text, "");
	get_keys(KEYS - 10, KEYS, 3);
	close_store();
	opts.warm_up = true;
	open_store();
	expect_state("done");
	get_keys(0, HOT_KEYS, 1);
	ck_assert_uint_eq(stat_number("Cache misses"), 0);
	close_store();
}
END_TEST

static void
damage_list(void)
{
	struct env_file *f;
	struct iovec iov = { (char[]){ "x" }, 1 };

	ck_assert_int_eq(env_path_open(disk, "/store/HOT", ENV_WRITE, &f), 0);
	ck_assert_int_eq(env_write(f, &iov, 1, 40), 0);
	env_close(f);
}

START_TEST(a_damaged_list_is_ignored_and_removed)
{
	make_store();
	damage_list();
	opts.read_only = true;
	open_store();
	expect_state("no list");
	ck_assert_uint_eq(stat_number("Warm-up lists ignored"), 1);
	close_store();
	ck_assert(has_list());
	opts.read_only = false;
	open_store();
	expect_state("no list");
	ck_assert_uint_eq(stat_number("Warm-up lists ignored"), 1);
	ck_assert(!has_list());
	get_keys(0, 100, 2);
	close_store();
	ck_assert(has_list());
	ck_assert_uint_eq(atomic_load(&complaints), 0);
}
END_TEST

START_TEST(a_list_of_tables_that_are_gone_is_ignored)
{
	make_store();
	opts.warm_up = false;
	opts.compaction_threads = 1;
	open_store();
	put_keys(0, KEYS);
	ck_assert_int_eq(kv_flush(kv), 0);
	ck_assert_int_eq(kv_compact(kv), 0);
	close_store();
	opts.warm_up = true;
	open_store();
	expect_state("done");
	ck_assert_uint_eq(stat_number("Warm-up blocks"), 0);
	ck_assert_uint_gt(stat_number("Warm-up blocks gone"), 0);
	ck_assert_uint_eq(stat_number("Warm-up lists ignored"), 1);
	ck_assert(!has_list());
	get_keys(0, KEYS, 1);
	close_store();
	ck_assert_uint_eq(atomic_load(&complaints), 0);
}
END_TEST

START_TEST(a_smaller_cache_is_filled_and_no_more)
{
	opts.cache_bytes = 3 * MIB;
	open_store();
	put_keys(0, KEYS);
	ck_assert_int_eq(kv_flush(kv), 0);
	get_keys(0, KEYS / 2, 3);
	close_store();
	opts.cache_bytes = 640 << 10;
	open_store();
	expect_state("done, the cache is full");
	ck_assert_uint_gt(stat_number("Warm-up blocks"), 10);
	ck_assert_uint_lt(stat_number("Warm-up blocks"),
	    stat_number("Warm-up blocks listed"));
	ck_assert_uint_le(stat_number("Cache bytes"), 640 << 10);
	close_store();
}
END_TEST

START_TEST(a_list_that_cannot_be_written_costs_nothing_else)
{
	struct env_fault_rule rule = {
		.calls = ENV_CALL_BIT(ENV_CALL_RENAME),
		.nth = 1,
		.error = EIO,
		.lasts = true,
	};

	make_store();
	open_store();
	expect_state("done");
	get_keys(0, 100, 1);
	env_fault_arm(env, &rule);
	close_store();
	ck_assert_uint_eq(env_fault_failed(env), 1);
	env_fault_disarm(env);
	/* The one before is still there. */
	ck_assert(has_list());
	open_store();
	expect_state("done");
	get_keys(0, HOT_KEYS, 1);
	ck_assert_uint_eq(stat_number("Cache misses"), 0);
	close_store();
	ck_assert_uint_eq(atomic_load(&complaints), 0);
}
END_TEST

START_TEST(a_store_that_was_killed_has_the_list_of_before)
{
	make_store();
	open_store();
	expect_state("done");
	put_keys(KEYS, KEYS + 10);
	env_mem_crash(disk, ENV_MEM_KILL);
	kv_close(kv);
	open_store();
	expect_state("done");
	get_keys(0, HOT_KEYS, 1);
	ck_assert_uint_eq(stat_number("Cache misses"), 0);
	close_store();
}
END_TEST

/* The disk fails from the n-th read on, wherever that is. */
START_TEST(a_failing_disk_ends_the_warm_up_and_nothing_else)
{
	make_store();
	for (uint64_t nth = 1; nth < 40; nth++) {
		struct env_fault_rule rule = {
			.calls = ENV_CALL_BIT(ENV_CALL_READ),
			.nth = nth,
			.error = EIO,
			.lasts = nth % 2 != 0,
		};
		char text[64];
		int rc;

		opts.read_only = true;
		env_fault_arm(env, &rule);
		rc = db_open(env, "/store", &opts, &kv);
		if (rc == 0) {
			do {
				sched_yield();
				stat_text("Warm-up", text, sizeof(text));
			} while (strcmp(text, "reading") == 0);
		}
		env_fault_disarm(env);
		if (rc == 0) {
			get_keys(0, HOT_KEYS, 1);
			close_store();
		}
	}
	ck_assert(has_list());
}
END_TEST

/* Wherever its thread stands at that moment. */
START_TEST(a_close_cuts_the_warm_up_short_and_keeps_the_list)
{
	make_store();
	for (int i = 0; i < 20; i++) {
		open_store();
		close_store();
		ck_assert(has_list());
	}
	open_store();
	expect_state("done");
	get_keys(0, HOT_KEYS, 1);
	ck_assert_uint_eq(stat_number("Cache misses"), 0);
	close_store();
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("warm");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_hot_is_read_without_a_miss);
	tcase_add_test(tc, tables_are_open_before_they_are_wanted);
	tcase_add_test(tc, neighbours_are_read_in_one_piece);
	tcase_add_test(tc, read_only_it_reads_the_list_and_writes_nothing);
	tcase_add_test(tc, who_wants_no_warm_up_leaves_the_list_alone);
	tcase_add_test(tc, a_damaged_list_is_ignored_and_removed);
	tcase_add_test(tc, a_list_of_tables_that_are_gone_is_ignored);
	tcase_add_test(tc, a_smaller_cache_is_filled_and_no_more);
	tcase_add_test(tc, a_list_that_cannot_be_written_costs_nothing_else);
	tcase_add_test(tc, a_store_that_was_killed_has_the_list_of_before);
	tcase_add_test(tc, a_failing_disk_ends_the_warm_up_and_nothing_else);
	tcase_add_test(tc, a_close_cuts_the_warm_up_short_and_keeps_the_list);
	return run_case("db_warm", tc);
}
