/* SPDX-License-Identifier: ISC */
/* The manifest: what goes in comes out, and damage does not pass. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/env/filename.h"
#include "engine/tree/manifest.h"
#include "support/env_fault.h"
#include "support/env_mem.h"
#include "support/model.h"
#include "support/suite.h"
#include "support/env_path.h"
#include "util/crc32c.h"
#include "util/log.h"

#define NUMBER 12
#define EDITS 6
#define HEADER_LEN 32

static struct env *env;
static struct env_dir *home;
static char path[PATH_MAX];
static unsigned errors; /* lines logged */

static void
count_lines(enum log_level level, const char *line)
{
	(void)line;
	errors += level == LOG_LVL_ERROR;
}

static void
setup(void)
{
	log_set_sink(count_lines);
	env = env_mem_create(1);
	ck_assert_int_eq(env_dir_make(env, "/store", &home), 0);
	filename_path(path, home->path, FILE_MANIFEST, NUMBER);
}

static void
teardown(void)
{
	env_dir_close(home);
	env_mem_destroy(env);
}

static struct table_file *
file_of(uint64_t number)
{
	uint8_t a[KEY_USER_MAX], b[KEY_USER_MAX];
	struct kv_key from = { 1, number, slice_str("from") };
	struct kv_key limit = { 1, number, slice_str("limit") };
	struct table_props p = { .file_bytes = number * 1000,
		.entries = 3,
		.deletes = 4,
		.group_deletes = 5,
		.raw_bytes = 6,
		.min_seq = number,
		.max_seq = number + 7,
		.pointer_bytes = 8 };
	struct segment_use uses[] = { { .segment = 9, .bytes = 1ull << 40 },
		{ .segment = 10, .bytes = 11 } };
	struct table_file *f = table_file_create(number, &p,
	    slice_make(a, key_encode(a, &from)),
	    slice_make(b, key_encode(b, &limit)), uses, number % 3, 12);

	ck_assert_ptr_nonnull(f);
	return f;
}

/* The n-th edit, from 1; they differ in length. */
static void
make_edit(struct version_edit *e, uint64_t n)
{
	*e = (struct version_edit){ 0 };
	e->last_seq = n;
	if (n % 2 == 0)
		e->log_number = 100 + n;
	if (n % 3 == 0)
		e->next_file = 1000 + n;
	for (uint64_t i = 0; i < n % 3; i++) {
		struct table_file *f = file_of(n * 10 + i);

		ck_assert_int_eq(version_edit_add(e, (int)i, f), 0);
	}
	if (n % 4 == 0)
		ck_assert_int_eq(version_edit_remove(e, 6, n * 10), 0);
}

static void
expect_edit(const struct version_edit *e, uint64_t n)
{
	struct version_edit want;
	struct buf a = { 0 }, b = { 0 };

	make_edit(&want, n);
	ck_assert_uint_eq(e->last_seq, want.last_seq);
	ck_assert_uint_eq(e->log_number, want.log_number);
	ck_assert_uint_eq(e->next_file, want.next_file);
	ck_assert_uint_eq(e->add_count, want.add_count);
	ck_assert_uint_eq(e->remove_count, want.remove_count);
	for (size_t i = 0; i < e->add_count; i++) {
		const struct table_file *f = e->adds[i].file;
		const struct table_file *g = want.adds[i].file;

		ck_assert_int_eq(e->adds[i].level, want.adds[i].level);
		ck_assert_uint_eq(f->number, g->number);
		ck_assert_int_eq(memcmp(&f->props, &g->props, sizeof(f->props)),
		    0);
		ck_assert(slice_eq(f->smallest, g->smallest));
		ck_assert(slice_eq(f->limit, g->limit));
		ck_assert_uint_eq(f->reclaim_bytes, g->reclaim_bytes);
		ck_assert_uint_eq(f->use_count, g->use_count);
		for (size_t j = 0; j < f->use_count; j++) {
			ck_assert_uint_eq(f->uses[j].segment,
			    g->uses[j].segment);
			ck_assert_uint_eq(f->uses[j].bytes, g->uses[j].bytes);
		}
	}
	version_edit_encode(e, &a);
	version_edit_encode(&want, &b);
	ck_assert(slice_eq(buf_slice(&a), buf_slice(&b)));
	buf_fini(&a);
	buf_fini(&b);
	version_edit_fini(&want);
}

static int
append(struct manifest *m, uint64_t n)
{
	struct version_edit e;
	int rc;

	make_edit(&e, n);
	rc = manifest_append(m, &e);
	version_edit_fini(&e);
	return rc;
}

/* Edit 1 is the snapshot; the ends of the records go to ends. */
static struct manifest *
create(struct env *on, uint64_t edits, uint64_t *ends)
{
	struct env_dir *dir = env_path_dir(on, "/store");
	struct version_edit e;
	struct manifest *m;

	make_edit(&e, 1);
	ck_assert_int_eq(manifest_create(dir, NUMBER, &e, &m), 0);
	env_dir_close(dir);
	version_edit_fini(&e);
	for (uint64_t n = 1; n <= edits; n++) {
		if (n > 1)
			ck_assert_int_eq(append(m, n), 0);
		if (ends != NULL)
			ends[n - 1] = manifest_bytes(m);
	}
	return m;
}

static int
note_edit(void *arg, struct version_edit *e)
{
	uint64_t *count = arg;

	expect_edit(e, ++*count);
	return 0;
}

/* How many edits can be read; they must be the first ones. */
static int
read_back(uint64_t *countp)
{
	struct env_dir *dir = env_path_dir(env, "/store"); /* of now */
	int rc;

	*countp = 0;
	rc = manifest_read(dir, NUMBER, note_edit, countp);
	env_dir_close(dir);
	return rc;
}

static void
load(struct buf *out)
{
	struct env_file *f;
	uint64_t size;

	ck_assert_int_eq(env_path_open(env, path, ENV_READ, &f), 0);
	ck_assert_int_eq(env_size(f, &size), 0);
	ck_assert_ptr_nonnull(buf_extend(out, size));
	ck_assert_int_eq(env_read(f, out->data, size, 0), (ssize_t)size);
	env_close(f);
}

/* The file of these bytes instead. */
static void
store(const void *data, size_t len)
{
	struct iovec iov = { (void *)data, len };
	struct env_file *f;

	env_path_unlink(env, path);
	ck_assert_int_eq(env_path_open(env, path, ENV_WRITE | ENV_CREATE, &f),
	    0);
	ck_assert_int_eq(env_write(f, &iov, 1, 0), 0);
	env_close(f);
}

START_TEST(edits_come_back_in_order)
{
	uint64_t ends[EDITS], count;
	struct manifest *m = create(env, EDITS, ends);

	ck_assert_uint_eq(manifest_number(m), NUMBER);
	ck_assert_uint_eq(ends[EDITS - 1], manifest_bytes(m));
	manifest_close(m);
	manifest_close(NULL);
	ck_assert_int_eq(read_back(&count), 0);
	ck_assert_uint_eq(count, EDITS);
	ck_assert_uint_eq(errors, 0);
}
END_TEST

START_TEST(what_was_appended_survives_a_power_cut)
{
	struct manifest *m = create(env, EDITS, NULL);
	uint64_t count;

	env_mem_crash(env, ENV_MEM_DROP);
	manifest_close(m);
	ck_assert_int_eq(read_back(&count), 0);
	ck_assert_uint_eq(count, EDITS);
}
END_TEST

START_TEST(a_cut_file_gives_the_whole_records_before_the_cut)
{
	uint64_t ends[EDITS], count;
	struct buf whole = { 0 };

	manifest_close(create(env, EDITS, ends));
	load(&whole);
	for (size_t len = 0; len < whole.len; len++) {
		uint64_t want = 0;
		int rc;

		while (want < EDITS && ends[want] <= len)
			want++;
		store(whole.data, len);
		errors = 0;
		rc = read_back(&count);
		ck_assert_uint_eq(count, want);
		if (want == 0) {
			ck_assert(
			    rc == -KVFS_ECORRUPT || rc == -KVFS_ECHECKSUM);
			ck_assert_uint_ge(errors, 1);
		} else {
			ck_assert_int_eq(rc, 0);
		}
	}
	buf_fini(&whole);
}
END_TEST

START_TEST(a_flipped_byte_costs_at_most_the_last_record)
{
	static const uint8_t masks[] = { 0x01, 0x80, 0xff };
	uint64_t ends[EDITS], count;
	struct buf whole = { 0 };

	manifest_close(create(env, EDITS, ends));
	load(&whole);
	for (size_t i = 0; i < whole.len; i++)
		for (size_t k = 0; k < sizeof(masks); k++) {
			int rc;

			whole.data[i] ^= masks[k];
			store(whole.data, whole.len);
			rc = read_back(&count);
			if (i >= ends[EDITS - 2]) {
				ck_assert_int_eq(rc, 0);
				ck_assert_uint_eq(count, EDITS - 1);
			} else {
				ck_assert_msg(rc == -KVFS_ECORRUPT ||
					rc == -KVFS_ECHECKSUM,
				    "byte %zu ^ %#x: %d after %llu edits", i,
				    masks[k], rc, (unsigned long long)count);
			}
			whole.data[i] ^= masks[k];
		}
	buf_fini(&whole);
}
END_TEST

START_TEST(garbage_behind_the_last_record_is_a_torn_tail)
{
	struct rng r = { test_seed() };
	struct buf whole = { 0 };
	uint64_t count;
	size_t len;

	manifest_close(create(env, EDITS, NULL));
	load(&whole);
	len = whole.len;
	for (int i = 0; i < 300; i++) {
		uint64_t n = 1 + rng_below(&r, 200);

		whole.len = len;
		for (uint64_t j = 0; j < n; j++)
			buf_put_u8(&whole,
			    (uint8_t)(i % 3 == 0 ? 0 : rng_next(&r)));
		store(whole.data, whole.len);
		ck_assert_int_eq(read_back(&count), 0);
		ck_assert_uint_eq(count, EDITS);
	}
	buf_fini(&whole);
}
END_TEST

START_TEST(a_newer_format_is_told_from_damage)
{
	struct buf whole = { 0 };
	uint64_t count;

	manifest_close(create(env, 2, NULL));
	load(&whole);
	/* A version, then a flag that must be known. */
	for (size_t at = 8; at <= 12; at += 4) {
		put_le32(whole.data + 8, MANIFEST_VERSION);
		put_le32(whole.data + 12, 0);
		put_le32(whole.data + at, MANIFEST_VERSION + 1);
		put_le32(whole.data + 28, crc32c_sum(0, whole.data, 28));
		store(whole.data, whole.len);
		errors = 0;
		ck_assert_int_eq(read_back(&count), -EPROTO);
		ck_assert_uint_eq(count, 0);
		ck_assert_uint_eq(errors, 1);
	}
	buf_fini(&whole);
}
END_TEST

START_TEST(the_manifest_of_another_number_is_damage)
{
	char own[FILENAME_BYTES], other[FILENAME_BYTES];
	uint64_t count = 0;

	manifest_close(create(env, 2, NULL));
	filename_make(other, FILE_MANIFEST, NUMBER + 1);
	filename_make(own, FILE_MANIFEST, NUMBER);
	ck_assert_int_eq(env_rename(home, own, other), 0);
	ck_assert_int_eq(manifest_read(home, NUMBER + 1, note_edit, &count),
	    -KVFS_ECORRUPT);
	ck_assert_int_eq(read_back(&count), -ENOENT);
}
END_TEST

static int
refuse(void *arg, struct version_edit *e)
{
	(void)e;
	return ++*(uint64_t *)arg == 2 ? -ENOMEM : 0;
}

START_TEST(the_readers_error_ends_the_reading)
{
	uint64_t count = 0;

	manifest_close(create(env, EDITS, NULL));
	ck_assert_int_eq(manifest_read(home, NUMBER, refuse, &count), -ENOMEM);
	ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(after_a_full_disk_the_same_edit_may_be_tried_again)
{
	struct env *faulty = env_fault_create(env);
	struct manifest *m = create(faulty, 2, NULL);
	uint64_t count;

	for (uint64_t n = 3; n <= EDITS; n++) {
		env_fault_arm(faulty,
		    &(struct env_fault_rule){
			.calls = ENV_CALL_BIT(ENV_CALL_WRITE),
			.nth = 1,
			.error = ENOSPC,
			.lasts = true,
			.writes_half = n % 2 == 0 });
		/* A longer one first, of which more may lie there. */
		ck_assert_int_eq(append(m, 8), -ENOSPC);
		ck_assert_int_eq(append(m, n), -ENOSPC);
		ck_assert_int_eq(read_back(&count), 0);
		ck_assert_uint_eq(count, n - 1);
		env_fault_disarm(faulty);
		ck_assert_int_eq(append(m, n), 0);
		ck_assert_int_eq(read_back(&count), 0);
		ck_assert_uint_eq(count, n);
	}
	manifest_close(m);
	env_fault_destroy(faulty);
}
END_TEST

START_TEST(after_a_failed_write_or_sync_it_takes_no_more)
{
	static const unsigned calls[] = { ENV_CALL_BIT(ENV_CALL_WRITE),
		ENV_CALL_BIT(ENV_CALL_SYNC) };
	static const int codes[] = { EIO, ENOSPC };

	/* A sync without room is as bad as one that failed. */
	for (int i = 0; i < 3; i++) {
		struct env *faulty = env_fault_create(env);
		struct manifest *m = create(faulty, 2, NULL);
		struct env_fault_rule rule = { .calls = calls[i != 0],
			.nth = 1,
			.error = codes[i == 2] };

		env_fault_arm(faulty, &rule);
		ck_assert_int_eq(append(m, 3), -EIO);
		ck_assert_int_eq(append(m, 3), -EIO);
		manifest_close(m);
		env_fault_destroy(faulty);
		ck_assert_int_eq(env_path_unlink(env, path), 0);
	}
}
END_TEST

static int
count_name(void *arg, const char *name)
{
	(void)name;
	++*(unsigned *)arg;
	return 0;
}

START_TEST(a_manifest_that_could_not_be_made_leaves_the_old_one)
{
	struct env *faulty = env_fault_create(env);
	struct env_dir *dir = env_path_dir(faulty, "/store");
	struct version_edit e;
	uint64_t count, nth;
	bool failed = true;

	manifest_close(create(env, EDITS, NULL));
	make_edit(&e, 1);
	for (nth = 1; failed; nth++) {
		struct env_fault_rule rule = { .nth = nth,
			.error = EIO,
			.writes_half = true };
		struct manifest *m;
		unsigned names = 0;

		env_fault_arm(faulty, &rule);
		failed = manifest_create(dir, NUMBER + 1, &e, &m) < 0;
		env_fault_disarm(faulty);
		ck_assert_int_eq(m == NULL, failed);
		manifest_close(m);
		ck_assert_int_eq(read_back(&count), 0);
		ck_assert_uint_eq(count, EDITS);
		/* No temporary file stays; the new one may when only its
		 * directory could not be synced. */
		ck_assert_int_eq(env_path_list(env, "/store", count_name,
				     &names),
		    0);
		ck_assert_uint_le(names, 2);
		env_path_unlink(env, "/store/MANIFEST-000013");
	}
	ck_assert_uint_gt(nth, 5);
	version_edit_fini(&e);
	env_dir_close(dir);
	env_fault_destroy(faulty);
}
END_TEST

START_TEST(damaged_edits_are_refused_or_read_within_their_bounds)
{
	struct rng r = { test_seed() };
	struct buf whole = { 0 };
	unsigned refused = 0;
	struct version_edit e;

	make_edit(&e, 8);
	version_edit_encode(&e, &whole);
	version_edit_fini(&e);
	for (int i = 0; i < 20000; i++) {
		size_t len = whole.len -
		    rng_below(&r, 2) * rng_below(&r, whole.len);
		uint8_t *bad = malloc(len);
		int rc;

		ck_assert_ptr_nonnull(bad);
		memcpy(bad, whole.data, len);
		for (uint64_t n = rng_below(&r, 4); n > 0; n--)
			bad[rng_below(&r, len)] = (uint8_t)rng_next(&r);
		rc = version_edit_decode(slice_make(bad, len), &e);
		ck_assert(rc == 0 || rc == -KVFS_ECORRUPT);
		refused += rc != 0;
		version_edit_fini(&e);
		free(bad);
	}
	ck_assert_uint_gt(refused, 100);
	buf_fini(&whole);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, edits_come_back_in_order);
	tcase_add_test(tc, what_was_appended_survives_a_power_cut);
	tcase_add_test(tc, a_cut_file_gives_the_whole_records_before_the_cut);
	tcase_add_test(tc, a_flipped_byte_costs_at_most_the_last_record);
	tcase_add_test(tc, garbage_behind_the_last_record_is_a_torn_tail);
	tcase_add_test(tc, a_newer_format_is_told_from_damage);
	tcase_add_test(tc, the_manifest_of_another_number_is_damage);
	tcase_add_test(tc, the_readers_error_ends_the_reading);
	tcase_add_test(tc, after_a_full_disk_the_same_edit_may_be_tried_again);
	tcase_add_test(tc, after_a_failed_write_or_sync_it_takes_no_more);
	tcase_add_test(tc,
	    a_manifest_that_could_not_be_made_leaves_the_old_one);
	tcase_add_test(tc,
	    damaged_edits_are_refused_or_read_within_their_bounds);
	return run_case("manifest", tc);
}
