/* SPDX-License-Identifier: ISC */
/* Data blocks: builder, checks of untrusted bytes, search, cursor. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/table/block_builder.h"
#include "engine/table/block_reader.h"
#include "engine/table/table_format.h"
#include "support/entries.h"
#include "support/suite.h"

/* The block of entries [from, to), in memory that ends where it does. */
static struct slice
build(const struct entries *e, size_t from, size_t to, uint32_t interval)
{
	struct block_builder b;
	struct slice raw;
	void *copy;

	block_builder_init(&b, interval);
	for (size_t i = from; i < to; i++)
		ck_assert_int_eq(block_builder_add(&b, entry_key(e, i),
				     entry_val(e, i)),
		    0);
	ck_assert_int_eq(block_builder_finish(&b, &raw), 0);
	copy = malloc(raw.len);
	memcpy(copy, raw.data, raw.len);
	raw.data = copy;
	block_builder_fini(&b);
	return raw;
}

static void
expect_at(const struct block_cursor *c, const struct entries *e, size_t i,
    size_t to)
{
	if (i >= to) {
		ck_assert(!c->valid);
		return;
	}
	ck_assert(c->valid);
	ck_assert(slice_eq(slice_make(c->key, c->key_len), entry_key(e, i)));
	ck_assert(slice_eq(c->value, entry_val(e, i)));
}

/* A lookup must find what the sorted array has. */
static void
expect_find(struct slice raw, const struct entries *e, size_t from, size_t to,
    struct slice ikey)
{
	size_t i = entries_find(e, ikey);
	struct block_entry found;
	bool has = block_find(raw, key_user(ikey), key_trailer(ikey), &found);

	if (i < from)
		i = from;
	if (i >= to || !slice_eq(key_user(entry_key(e, i)), key_user(ikey))) {
		ck_assert(!has);
		return;
	}
	ck_assert(has);
	ck_assert_uint_eq(found.trailer, key_trailer(entry_key(e, i)));
	ck_assert(slice_eq(found.value, entry_val(e, i)));
}

START_TEST(a_block_gives_back_what_was_put_in)
{
	static const uint32_t intervals[] = { 1, 2, 3, 16, 64, 1000 };

	for (int round = 0; round < 60; round++) {
		struct entries e = { 0 };
		uint32_t interval = intervals[random_below(6)];
		size_t from, to, i;
		struct block_cursor c;
		struct slice raw;

		entries_add_random(&e, 1 + (size_t)random_below(400), 200);
		from = (size_t)random_below(e.count);
		to = from + 1 + (size_t)random_below(e.count - from);
		raw = build(&e, from, to, interval);
		ck_assert_int_eq(block_check(raw), 0);
		i = from;
		for (block_cursor_first(&c, raw); c.valid;
		     block_cursor_next(&c))
			expect_at(&c, &e, i++, to);
		ck_assert_uint_eq(i, to);
		for (int k = 0; k < 400; k++) {
			uint8_t key[KEY_INTERNAL_MAX];
			struct slice ikey = entries_random_key(&e, key);

			expect_find(raw, &e, from, to, ikey);
			i = entries_find(&e, ikey);
			block_cursor_seek(&c, raw, ikey);
			expect_at(&c, &e, i < from ? from : i, to);
			if (c.valid) {
				block_cursor_next(&c);
				expect_at(&c, &e, (i < from ? from : i) + 1,
				    to);
			}
		}
		for (i = from; i < to; i++)
			expect_find(raw, &e, from, to, entry_key(&e, i));
		free((void *)raw.data);
		entries_fini(&e);
	}
}
END_TEST

START_TEST(the_largest_key_and_value_fit)
{
	struct entries e = { 0 };
	char name[KV_NAME_MAX];
	void *value = calloc(1, KV_VALUE_MAX);
	struct block_cursor c;
	struct slice raw;

	memset(name, 'n', sizeof(name));
	entries_add(&e, 255, UINT64_MAX, slice_make(name, sizeof(name)),
	    SEQ_MAX, KEY_VALUE, slice_make(value, KV_VALUE_MAX));
	raw = build(&e, 0, 1, 16);
	ck_assert_int_eq(block_check(raw), 0);
	block_cursor_first(&c, raw);
	expect_at(&c, &e, 0, 1);
	free((void *)raw.data);
	free(value);
	entries_fini(&e);
}
END_TEST

START_TEST(keys_out_of_order_are_refused)
{
	struct entries e = { 0 };
	struct block_builder b;

	entries_add_random(&e, 200, 10);
	for (int i = 0; i < 200; i++) {
		size_t x = (size_t)random_below(e.count);
		size_t y = (size_t)random_below(e.count);

		block_builder_init(&b, 4);
		ck_assert_int_eq(block_builder_add(&b, entry_key(&e, x),
				     entry_val(&e, x)),
		    0);
		ck_assert_int_eq(block_builder_add(&b, entry_key(&e, y),
				     entry_val(&e, y)),
		    x < y ? 0 : -EINVAL);
		block_builder_fini(&b);
	}
	block_builder_init(&b, 4);
	ck_assert_int_eq(block_builder_add(&b, slice_str("short"),
			     slice_str("v")),
	    -EINVAL);
	block_builder_fini(&b);
	entries_fini(&e);
}
END_TEST

/* Use everything that reads a block; a sanitizer watches. */
static void
read_all_over(struct slice raw, const struct entries *e)
{
	struct block_cursor c;
	size_t n = 0;

	for (block_cursor_first(&c, raw); c.valid; block_cursor_next(&c))
		ck_assert_uint_lt(n++, raw.len);
	for (int k = 0; k < 8; k++) {
		uint8_t key[KEY_INTERNAL_MAX];
		struct slice ikey = entries_random_key(e, key);
		struct block_entry found;

		block_find(raw, key_user(ikey), key_trailer(ikey), &found);
		block_cursor_seek(&c, raw, ikey);
	}
}

START_TEST(a_damaged_block_that_passes_the_check_is_never_left)
{
	size_t passed = 0;

	for (int round = 0; round < 20; round++) {
		struct entries e = { 0 };
		struct slice raw;
		uint8_t *p;

		entries_add_random(&e, 1 + (size_t)random_below(30), 20);
		raw = build(&e, 0, e.count, 1 + (uint32_t)random_below(6));
		p = (uint8_t *)raw.data;
		for (size_t i = 0; i < raw.len; i++)
			for (int k = 0; k < 3; k++) {
				uint8_t was = p[i];

				p[i] = (uint8_t)random_u64();
				if (block_check(raw) == 0) {
					passed++;
					read_all_over(raw, &e);
				}
				p[i] = was;
			}
		for (size_t len = 0; len < raw.len; len++) {
			void *cut = malloc(len != 0 ? len : 1);

			memcpy(cut, raw.data, len);
			ck_assert_int_eq(block_check(slice_make(cut, len)),
			    -KVFS_ECORRUPT);
			free(cut);
		}
		free(p);
		entries_fini(&e);
	}
	ck_assert_uint_gt(passed, 0);
}
END_TEST

START_TEST(random_bytes_do_no_harm)
{
	struct entries e = { 0 };

	entries_add_random(&e, 10, 10);
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)random_below(80);
		uint8_t *p = malloc(len != 0 ? len : 1);
		struct slice raw = slice_make(p, len);

		for (size_t i = 0; i < len; i++)
			p[i] = (uint8_t)random_below(random_below(2) ? 256 : 4);
		if (len >= 8) {
			put_le32(p, 1 + (uint32_t)random_below(2));
			put_le32(p + 4, (uint32_t)random_below(len));
		}
		if (block_check(raw) == 0)
			read_all_over(raw, &e);
		free(p);
	}
	entries_fini(&e);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	random_init();
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_block_gives_back_what_was_put_in);
	tcase_add_test(tc, the_largest_key_and_value_fit);
	tcase_add_test(tc, keys_out_of_order_are_refused);
	tcase_add_test(tc, a_damaged_block_that_passes_the_check_is_never_left);
	tcase_add_test(tc, random_bytes_do_no_harm);
	return run_case("block", tc);
}
