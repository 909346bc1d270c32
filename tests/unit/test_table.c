/* SPDX-License-Identifier: ISC */
/*
 * Tables: what the builder wrote is what the reader finds, and damage never
 * becomes wrong data.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/key/key.h"
#include "engine/segment/segment.h"
#include "engine/table/table_format.h"
#include "engine/table/table_reader.h"
#include "support/entries.h"
#include "support/mem_file.h"
#include "support/suite.h"
#include "util/log.h"

#define NUMBER 42
#define PATH "000042.sst"

static struct mem_file file;
static struct block_cache *cache;
static struct entries all;
static struct table_options opts;
static struct table_props props;

static unsigned warnings, errors;

static void
count_line(enum log_level level, const char *line)
{
	ck_assert_ptr_nonnull(strstr(line, PATH));
	if (level == LOG_LVL_WARN)
		warnings++;
	else if (level == LOG_LVL_ERROR)
		errors++;
}

static void
setup(void)
{
	table_options_init(&opts);
	cache = block_cache_create(8 << 20);
	ck_assert_ptr_nonnull(cache);
	warnings = errors = 0;
	log_set_sink(count_line);
}

static void
teardown(void)
{
	log_set_sink(NULL);
	entries_fini(&all);
	mem_file_fini(&file);
	block_cache_destroy(cache);
}

/* Write all as a table. */
static void
build(void)
{
	struct env_file *f = mem_file_open(&file);
	struct table_builder *b = table_builder_create(f, NUMBER, &opts);

	file.len = 0;
	ck_assert_ptr_nonnull(b);
	for (size_t i = 0; i < all.count; i++)
		ck_assert_int_eq(table_builder_add(b, entry_key(&all, i),
				     entry_val(&all, i)),
		    0);
	ck_assert_int_eq(table_builder_finish(b, &props), 0);
	ck_assert_uint_eq(props.file_bytes, file.len);
	table_builder_destroy(b);
	env_close(f);
}

static int
try_open(struct table_reader **tp)
{
	/* No block of an earlier reader of these bytes may help. */
	block_cache_destroy(cache);
	cache = block_cache_create(1 << 20);
	return table_reader_open(mem_file_open(&file), PATH, NUMBER, cache, tp);
}

static struct table_reader *
must_open(void)
{
	struct table_reader *t;

	ck_assert_int_eq(try_open(&t), 0);
	return t;
}

static void
expect_get(struct table_reader *t, struct slice ikey)
{
	uint8_t newest[KEY_INTERNAL_MAX];
	struct kv_value value;
	uint64_t seq;
	size_t i;
	int type, rc;

	/* A lookup names no type: the first of its sequence number. */
	memcpy(newest, ikey.data, ikey.len);
	newest[ikey.len - KEY_TRAILER_LEN] = 0xff;
	i = entries_find(&all, slice_make(newest, ikey.len));

	rc = table_reader_get(t, key_user(ikey), key_hash(key_user(ikey)),
	    key_seq(ikey), &seq, &type, &value);
	if (i == all.count ||
	    !slice_eq(key_user(entry_key(&all, i)), key_user(ikey))) {
		ck_assert_int_eq(rc, 0);
		return;
	}
	ck_assert_int_eq(rc, 1);
	ck_assert_uint_eq(seq, key_seq(entry_key(&all, i)));
	ck_assert_int_eq(type, (int)key_type(entry_key(&all, i)));
	ck_assert(slice_eq(value.data, entry_val(&all, i)));
	kv_value_release(&value);
}

static void
expect_walk(struct iter *it, size_t i, size_t steps)
{
	for (; steps-- > 0 && i < all.count; i++) {
		ck_assert(it->valid);
		ck_assert(slice_eq(it->key, entry_key(&all, i)));
		ck_assert(slice_eq(it->value, entry_val(&all, i)));
		iter_next(it);
	}
	ck_assert_int_eq(it->status, 0);
	ck_assert(it->valid == (i < all.count));
}

static int
verify(struct table_reader *t, bool print)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct line_list found = { .out = out, .prefix = "damage" };
	int problems;

	table_reader_verify(t, &found);
	problems = (int)found.count;
	fclose(out);
	if (print || (problems == 0) != (len == 0))
		printf("%s", text);
	ck_assert((problems == 0) == (len == 0));
	ck_assert(len == 0 ||
	    strncmp(text, "damage: " PATH ": ", strlen("damage: " PATH ": ")) ==
		0);
	free(text);
	return problems;
}

/* Each get decodes a block: of n, every which one, so that large blocks do not
 * take long. */
static size_t
step(size_t n)
{
	size_t block = opts.block_bytes < file.len ? opts.block_bytes :
						     file.len;

	return 1 + n * block / (32u << 20);
}

START_TEST(a_table_gives_back_what_was_put_in)
{
	static const uint32_t blocks[] = { 1, 200, 1000, 8192, 1 << 20 };

	for (int round = 0; round < 20; round++) {
		struct table_reader *t;

		opts.block_bytes = blocks[random_below(5)];
		opts.restart_interval = 1 + (uint32_t)random_below(20);
		opts.filter_bits = (uint32_t)random_below(3) * 5;
		opts.compress = random_below(2) != 0;
		entries_add_random(&all, 1 + (size_t)random_below(3000), 300);
		build();
		t = must_open();
		ck_assert(
		    slice_eq(table_reader_smallest(t), entry_key(&all, 0)));
		ck_assert(slice_eq(table_reader_largest(t),
		    entry_key(&all, all.count - 1)));
		ck_assert_mem_eq(table_reader_props(t), &props, sizeof(props));
		ck_assert_int_eq(verify(t, true), 0);
		for (int fill = 0; fill < 2; fill++) {
			struct iter *it = table_reader_iter(t, fill != 0);

			ck_assert(!it->valid);
			iter_seek_first(it);
			expect_walk(it, 0, SIZE_MAX);
			for (int k = 0; k < 100; k++) {
				uint8_t key[KEY_INTERNAL_MAX];
				struct slice ikey = entries_random_key(&all,
				    key);

				iter_seek(it, ikey);
				expect_walk(it, entries_find(&all, ikey),
				    (size_t)random_below(40));
			}
			iter_close(it);
		}
		for (size_t k = 0; k < 1000; k += step(1000)) {
			uint8_t key[KEY_INTERNAL_MAX];

			expect_get(t, entries_random_key(&all, key));
		}
		for (size_t i = 0; i < all.count; i += step(all.count))
			expect_get(t, entry_key(&all, i));
		table_reader_close(t);
		entries_fini(&all);
	}
	ck_assert_uint_eq(warnings + errors, 0);
}
END_TEST

START_TEST(versions_of_one_key_may_fill_many_blocks)
{
	struct table_reader *t;

	opts.block_bytes = 200;
	for (uint64_t seq = 1; seq <= 2000; seq++)
		entries_add(&all, 1, 1, slice_str("k"), seq, KEY_VALUE,
		    slice_make(&seq, sizeof(seq)));
	entries_add(&all, 1, 1, slice_str("j"), 5, KEY_VALUE, slice_str("j"));
	entries_add(&all, 1, 1, slice_str("k0"), 5, KEY_VALUE, slice_str("k0"));
	entries_sort(&all);
	build();
	t = must_open();
	ck_assert_int_eq(verify(t, true), 0);
	for (size_t i = 0; i < all.count; i++)
		expect_get(t, entry_key(&all, i));
	table_reader_close(t);
}
END_TEST

START_TEST(properties_say_what_is_in_the_table)
{
	struct segment_pointer ptr = { 7, 4096, 5000, 9000 };
	uint8_t text[SEGMENT_POINTER_LEN];
	struct table_reader *t;

	segment_pointer_encode(&ptr, text);
	entries_add(&all, 1, 1, slice_str("a"), 9, KEY_VALUE, slice_str("xyz"));
	entries_add(&all, 1, 1, slice_str("b"), 3, KEY_DELETE, slice_str(""));
	entries_add(&all, 1, 2, slice_str(""), 5, KEY_DELETE_GROUP,
	    slice_str(""));
	entries_add(&all, 1, 2, slice_str("p"), 4, KEY_POINTER,
	    slice_make(text, sizeof(text)));
	entries_add(&all, 1, 2, slice_str("q"), 4, KEY_POINTER,
	    slice_make(text, sizeof(text)));
	build();
	ck_assert_uint_eq(props.entries, 5);
	ck_assert_uint_eq(props.deletes, 1);
	ck_assert_uint_eq(props.group_deletes, 1);
	ck_assert_uint_eq(props.min_seq, 3);
	ck_assert_uint_eq(props.max_seq, 9);
	ck_assert_uint_eq(props.pointer_bytes, 10000);
	ck_assert_uint_eq(props.raw_bytes, 18 + 18 + 17 + 18 + 18 + 3 + 48);
	t = must_open();
	ck_assert_mem_eq(table_reader_props(t), &props, sizeof(props));
	table_reader_close(t);
}
END_TEST

START_TEST(a_table_of_nothing_is_a_table)
{
	struct table_reader *t;
	struct iter *it;

	build();
	t = must_open();
	ck_assert_uint_eq(table_reader_props(t)->entries, 0);
	ck_assert_uint_eq(table_reader_smallest(t).len, 0);
	ck_assert_int_eq(verify(t, true), 0);
	it = table_reader_iter(t, true);
	iter_seek_first(it);
	ck_assert(!it->valid);
	iter_close(it);
	table_reader_close(t);
}
END_TEST

START_TEST(a_value_of_the_largest_size_has_a_block_of_its_own)
{
	uint8_t *value = malloc(KV_VALUE_MAX);
	struct table_reader *t;
	struct iter *it;

	for (size_t i = 0; i < KV_VALUE_MAX; i++)
		value[i] = (uint8_t)random_u64();
	entries_add(&all, 1, 1, slice_str("a"), 1, KEY_VALUE, slice_str("1"));
	entries_add(&all, 1, 1, slice_str("b"), 1, KEY_VALUE,
	    slice_make(value, KV_VALUE_MAX));
	entries_add(&all, 1, 1, slice_str("c"), 1, KEY_VALUE, slice_str("3"));
	build();
	t = must_open();
	file.read_bytes = 0;
	for (size_t i = 0; i < all.count; i += 2)
		expect_get(t, entry_key(&all, i));
	ck_assert_uint_lt(file.read_bytes, 1000);
	expect_get(t, entry_key(&all, 1));
	for (int fill = 0; fill < 2; fill++) {
		it = table_reader_iter(t, fill != 0);
		iter_seek_first(it);
		expect_walk(it, 0, SIZE_MAX);
		iter_close(it);
	}
	ck_assert_int_eq(verify(t, true), 0);
	table_reader_close(t);
	free(value);
}
END_TEST

START_TEST(writes_are_large_and_paced_and_reads_of_a_walk_too)
{
	struct table_reader *t;
	struct block_cache_stats st;
	struct iter *it;
	uint8_t value[1000];

	for (uint64_t i = 0; i < 8000; i++) {
		char name[16];

		for (size_t k = 0; k < sizeof(value); k++)
			value[k] = (uint8_t)random_u64();
		snprintf(name, sizeof(name), "%08u", (unsigned)i);
		entries_add(&all, 1, 1, slice_str(name), 1, KEY_VALUE,
		    slice_make(value, sizeof(value)));
	}
	file.writes = 0;
	build();
	ck_assert_uint_le(file.writes, file.len / (256 << 10) + 1);
	ck_assert_uint_ge(file.writebacks, (file.len >> 20) - 1);
	t = must_open();
	/* Compaction's walk: large reads, nothing left in the cache. */
	file.reads = 0;
	it = table_reader_iter(t, false);
	iter_seek_first(it);
	expect_walk(it, 0, SIZE_MAX);
	iter_close(it);
	ck_assert_uint_le(file.reads, file.len / (200 << 10) + 2);
	block_cache_get_stats(cache, &st);
	ck_assert_uint_eq(st.inserts, 0);
	/* A reader's walk soon reads ahead. */
	file.reads = 0;
	it = table_reader_iter(t, true);
	iter_seek_first(it);
	expect_walk(it, 0, SIZE_MAX);
	ck_assert_uint_le(file.reads, file.len / (200 << 10) + 12);
	/* Its blocks are in the cache now: no reads. */
	file.reads = 0;
	iter_seek(it, entry_key(&all, all.count - 50));
	expect_walk(it, all.count - 50, SIZE_MAX);
	iter_close(it);
	ck_assert_uint_eq(file.reads, 0);
	table_reader_close(t);
}
END_TEST

START_TEST(incompressible_blocks_stop_the_attempts_and_are_stored_raw)
{
	uint64_t compressed;
	struct table_reader *t;
	uint8_t value[500];

	for (int kind = 0; kind < 2; kind++) {
		for (uint64_t i = 0; i < 3000; i++) {
			char name[16];

			for (size_t k = 0; k < sizeof(value); k++)
				value[k] = kind != 0 ? (uint8_t)random_u64() :
						       'x';
			snprintf(name, sizeof(name), "%08u", (unsigned)i);
			entries_add(&all, 1, 1, slice_str(name), 1, KEY_VALUE,
			    slice_make(value, sizeof(value)));
		}
		build();
		if (kind == 0)
			compressed = props.file_bytes;
		t = must_open();
		ck_assert_int_eq(verify(t, true), 0);
		table_reader_close(t);
		if (kind == 0)
			ck_assert_uint_lt(compressed, props.raw_bytes / 8);
		else
			ck_assert_uint_lt(props.file_bytes,
			    props.raw_bytes + props.raw_bytes / 20);
		entries_fini(&all);
	}
}
END_TEST

START_TEST(keys_out_of_order_are_refused_for_good)
{
	struct env_file *f = mem_file_open(&file);
	struct table_builder *b = table_builder_create(f, NUMBER, &opts);

	entries_add_random(&all, 50, 10);
	ck_assert_int_eq(table_builder_add(b, entry_key(&all, 1),
			     slice_str("")),
	    0);
	ck_assert_int_eq(table_builder_add(b, entry_key(&all, 0),
			     slice_str("")),
	    -KVFS_ECORRUPT);
	ck_assert_int_eq(table_builder_add(b, entry_key(&all, 2),
			     slice_str("")),
	    -KVFS_ECORRUPT);
	ck_assert_int_eq(table_builder_finish(b, &props), -KVFS_ECORRUPT);
	table_builder_destroy(b);
	env_close(f);
}
END_TEST

START_TEST(a_failed_write_is_returned_and_stays)
{
	struct env_file *f = mem_file_open(&file);
	struct table_builder *b = table_builder_create(f, NUMBER, &opts);

	file.write_error = -ENOSPC;
	entries_add_random(&all, 50, 10);
	for (size_t i = 0; i < all.count; i++)
		ck_assert_int_eq(table_builder_add(b, entry_key(&all, i),
				     entry_val(&all, i)),
		    0);
	ck_assert_int_eq(table_builder_finish(b, &props), -ENOSPC);
	ck_assert_int_eq(table_builder_finish(b, &props), -ENOSPC);
	table_builder_destroy(b);
	env_close(f);
}
END_TEST

START_TEST(a_failed_read_is_returned_and_logged_once)
{
	struct table_reader *t;
	struct iter *it;
	struct kv_value value;
	uint64_t seq;
	int type;

	entries_add_random(&all, 500, 100);
	build();
	t = must_open();
	file.read_error = -EIO;
	ck_assert_int_eq(table_reader_get(t, key_user(entry_key(&all, 3)),
			     key_hash(key_user(entry_key(&all, 3))), SEQ_MAX,
			     &seq, &type, &value),
	    -EIO);
	ck_assert_uint_eq(errors, 1);
	it = table_reader_iter(t, true);
	iter_seek_first(it);
	ck_assert(!it->valid);
	ck_assert_int_eq(it->status, -EIO);
	file.read_error = 0;
	/* An iterator that failed stays so; a lookup may try again. */
	iter_seek_first(it);
	ck_assert(!it->valid);
	iter_close(it);
	expect_get(t, entry_key(&all, 3));
	table_reader_close(t);
}
END_TEST

/* ---- Damage ---- */

static bool
is_damage(int rc)
{
	return rc == -KVFS_ECORRUPT || rc == -KVFS_ECHECKSUM;
}

/* Whatever was done to the file: every answer is an error or right. */
static void
expect_error_or_right(void)
{
	struct table_reader *t;
	int rc = try_open(&t), problems;

	if (rc < 0) {
		ck_assert(is_damage(rc));
		return;
	}
	for (size_t i = 0; i < all.count; i++) {
		struct slice key = entry_key(&all, i);
		struct kv_value value;
		uint64_t seq;
		int type;

		if (i != 0 &&
		    slice_eq(key_user(entry_key(&all, i - 1)), key_user(key)) &&
		    key_seq(entry_key(&all, i - 1)) == key_seq(key))
			continue; /* two kinds in one sequence number */
		rc = table_reader_get(t, key_user(key), key_hash(key_user(key)),
		    key_seq(key), &seq, &type, &value);
		if (rc < 0) {
			ck_assert(is_damage(rc));
			continue;
		}
		ck_assert_int_eq(rc, 1);
		ck_assert(slice_eq(value.data, entry_val(&all, i)));
		kv_value_release(&value);
	}
	for (int fill = 0; fill < 2; fill++) {
		struct iter *it = table_reader_iter(t, fill != 0);
		size_t i = 0;

		for (iter_seek_first(it); it->valid; iter_next(it), i++)
			ck_assert(slice_eq(it->key, entry_key(&all, i)));
		ck_assert(
		    it->status == 0 ? i == all.count : is_damage(it->status));
		iter_close(it);
	}
	problems = verify(t, false);
	ck_assert_int_ge(problems, 1);
	table_reader_close(t);
}

static void
small_table(void)
{
	opts.block_bytes = 150;
	opts.restart_interval = 3;
	entries_add_random(&all, 40, 30);
	build();
}

START_TEST(no_flipped_bit_becomes_wrong_data)
{
	opts.compress = random_below(2) != 0;
	small_table();
	for (size_t i = 0; i < file.len; i++) {
		uint8_t was = file.data[i];

		file.data[i] ^= (uint8_t)(1u << random_below(8));
		errors = warnings = 0;
		expect_error_or_right();
		ck_assert_uint_gt(errors + warnings, 0);
		file.data[i] = was;
	}
}
END_TEST

START_TEST(no_cut_table_can_be_opened)
{
	size_t len;

	small_table();
	for (len = file.len; len-- > 0;) {
		struct table_reader *t;

		file.len = len;
		ck_assert(is_damage(try_open(&t)));
		ck_assert_ptr_null(t);
	}
}
END_TEST

START_TEST(a_table_cut_while_it_is_open_gives_errors)
{
	struct table_reader *t;
	struct iter *it;

	small_table();
	t = must_open();
	file.len = 10;
	it = table_reader_iter(t, true);
	iter_seek_first(it);
	ck_assert_int_eq(it->status, -KVFS_ECORRUPT);
	iter_close(it);
	ck_assert_int_gt(verify(t, false), 0);
	table_reader_close(t);
}
END_TEST

START_TEST(swapped_blocks_are_noticed)
{
	struct table_footer f;
	const char *what;
	uint8_t half[4096];

	/* Blocks of equal length: the seal knows the place. */
	opts.block_bytes = 100;
	opts.compress = false;
	for (uint64_t i = 0; i < 20; i++) {
		uint8_t value[100];

		memset(value, (int)i, sizeof(value));
		entries_add(&all, 1, i, slice_str("n"), 1, KEY_VALUE,
		    slice_make(value, sizeof(value)));
	}
	build();
	ck_assert_int_eq(table_footer_decode(file.data + file.len -
				 TABLE_FOOTER_LEN,
			     NUMBER, file.len, &f, &what),
	    0);
	ck_assert_uint_eq(f.filter_off % 20, 0);
	ck_assert_uint_lt(f.filter_off / 2, sizeof(half));
	memcpy(half, file.data, f.filter_off / 2);
	memmove(file.data, file.data + f.filter_off / 2, f.filter_off / 2);
	memcpy(file.data + f.filter_off / 2, half, f.filter_off / 2);
	expect_error_or_right();
}
END_TEST

START_TEST(a_damaged_filter_is_reported_once_and_ignored)
{
	struct table_reader *t;
	struct table_footer f;
	const char *what;

	entries_add_random(&all, 500, 50);
	build();
	ck_assert_int_eq(table_footer_decode(file.data + file.len -
				 TABLE_FOOTER_LEN,
			     NUMBER, file.len, &f, &what),
	    0);
	file.data[f.filter_off + 3] ^= 4;
	t = must_open();
	ck_assert_uint_eq(warnings, 1);
	for (size_t i = 0; i < all.count; i++)
		expect_get(t, entry_key(&all, i));
	ck_assert_uint_eq(warnings, 1);
	ck_assert_uint_eq(errors, 0);
	ck_assert_int_eq(verify(t, false), 1);
	table_reader_close(t);
}
END_TEST

START_TEST(a_newer_version_is_told_from_damage)
{
	uint8_t *footer;
	struct table_reader *t;
	struct table_footer f;
	const char *what;

	small_table();
	footer = file.data + file.len - TABLE_FOOTER_LEN;
	ck_assert_int_eq(table_footer_decode(footer, NUMBER, file.len, &f,
			     &what),
	    0);
	f.version = TABLE_VERSION + 1;
	table_footer_encode(&f, footer);
	ck_assert_int_eq(try_open(&t), -EPROTO);
	f.version = TABLE_VERSION;
	f.flags = 1;
	table_footer_encode(&f, footer);
	ck_assert_int_eq(try_open(&t), -EPROTO);
	f.flags = 0;
	f.number = NUMBER + 1;
	table_footer_encode(&f, footer);
	ck_assert_int_eq(try_open(&t), -KVFS_ECORRUPT);
}
END_TEST

START_TEST(memory_of_open_tables_counts_against_the_cache)
{
	struct block_cache_stats st;
	struct table_reader *t;

	entries_add_random(&all, 3000, 50);
	build();
	t = must_open();
	ck_assert_uint_gt(table_reader_memory(t), 3000);
	block_cache_get_stats(cache, &st);
	ck_assert_uint_eq(st.bytes, table_reader_memory(t));
	table_reader_close(t);
	block_cache_get_stats(cache, &st);
	ck_assert_uint_eq(st.bytes, 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	random_init();
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_table_gives_back_what_was_put_in);
	tcase_add_test(tc, versions_of_one_key_may_fill_many_blocks);
	tcase_add_test(tc, properties_say_what_is_in_the_table);
	tcase_add_test(tc, a_table_of_nothing_is_a_table);
	tcase_add_test(tc, a_value_of_the_largest_size_has_a_block_of_its_own);
	tcase_add_test(tc, writes_are_large_and_paced_and_reads_of_a_walk_too);
	tcase_add_test(tc,
	    incompressible_blocks_stop_the_attempts_and_are_stored_raw);
	tcase_add_test(tc, keys_out_of_order_are_refused_for_good);
	tcase_add_test(tc, a_failed_write_is_returned_and_stays);
	tcase_add_test(tc, a_failed_read_is_returned_and_logged_once);
	tcase_add_test(tc, no_flipped_bit_becomes_wrong_data);
	tcase_add_test(tc, no_cut_table_can_be_opened);
	tcase_add_test(tc, a_table_cut_while_it_is_open_gives_errors);
	tcase_add_test(tc, swapped_blocks_are_noticed);
	tcase_add_test(tc, a_damaged_filter_is_reported_once_and_ignored);
	tcase_add_test(tc, a_newer_version_is_told_from_damage);
	tcase_add_test(tc, memory_of_open_tables_counts_against_the_cache);
	return run_case("table", tc);
}
