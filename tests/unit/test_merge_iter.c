/* SPDX-License-Identifier: ISC */
/* K-way merge against a sorted array. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/key/merge_iter.h"
#include "support/entries.h"
#include "support/suite.h"

#define SOURCES_MAX 12

/* All entries, dealt to sources; runs of one source are common. */
struct deal {
	struct entries all;
	struct entries source[SOURCES_MAX];
	size_t count;
	int closed;
};

static void
add_copy(struct entries *to, const struct entries *from, size_t i)
{
	struct slice key = entry_key(from, i);
	struct kv_key k = key_decode(key_user(key));

	entries_add(to, k.space, k.group, k.name, key_seq(key), key_type(key),
	    entry_val(from, i));
}

static void
deal_random(struct deal *d, size_t count, size_t entries)
{
	size_t to = 0;

	*d = (struct deal){ .count = count };
	entries_add_random(&d->all, entries, 30);
	for (size_t i = 0; i < d->all.count && count != 0; i++) {
		if (random_below(5) == 0)
			to = (size_t)random_below(count);
		add_copy(&d->source[to], &d->all, i);
	}
}

static void
deal_fini(struct deal *d)
{
	entries_fini(&d->all);
	for (size_t i = 0; i < d->count; i++)
		entries_fini(&d->source[i]);
}

static struct iter *
merge(struct deal *d)
{
	struct merge_source s[SOURCES_MAX];
	struct iter *it;

	for (size_t i = 0; i < d->count; i++)
		s[i] = (struct merge_source){ entries_iter(&d->source[i],
						  SIZE_MAX, &d->closed),
			SEQ_MAX };
	it = merge_iter_create(s, d->count);
	ck_assert_ptr_nonnull(it);
	return it;
}

static void
expect_from(struct iter *it, const struct entries *e, size_t i, size_t steps)
{
	for (; steps-- > 0 && i < e->count; i++) {
		ck_assert(it->valid);
		ck_assert(slice_eq(it->key, entry_key(e, i)));
		ck_assert(slice_eq(it->value, entry_val(e, i)));
		iter_next(it);
	}
	ck_assert(it->valid == (i < e->count));
	ck_assert_int_eq(it->status, 0);
}

START_TEST(a_merge_is_the_sorted_union)
{
	for (int round = 0; round < 60; round++) {
		struct deal d;
		struct iter *it;

		deal_random(&d, 1 + (size_t)random_below(SOURCES_MAX),
		    1 + (size_t)random_below(600));
		it = merge(&d);
		ck_assert(!it->valid);
		iter_seek_first(it);
		expect_from(it, &d.all, 0, SIZE_MAX);
		for (int k = 0; k < 50; k++) {
			uint8_t key[KEY_INTERNAL_MAX];
			struct slice ikey = entries_random_key(&d.all, key);

			iter_seek(it, ikey);
			expect_from(it, &d.all, entries_find(&d.all, ikey),
			    (size_t)random_below(20));
		}
		iter_close(it);
		ck_assert_int_eq(d.closed, (int)d.count);
		deal_fini(&d);
	}
}
END_TEST

START_TEST(a_merge_of_nothing_is_empty)
{
	struct deal d = { .count = 0 };
	struct iter *it = merge(&d);

	iter_seek_first(it);
	ck_assert(!it->valid);
	ck_assert_int_eq(it->status, 0);
	iter_close(it);
	d.count = 3; /* sources without entries */
	it = merge(&d);
	iter_seek_first(it);
	ck_assert(!it->valid);
	iter_close(it);
	ck_assert_int_eq(d.closed, 3);
}
END_TEST

START_TEST(an_error_of_any_source_ends_the_walk_for_good)
{
	for (int round = 0; round < 40; round++) {
		struct deal d;
		struct merge_source s[SOURCES_MAX];
		struct iter *it;
		size_t bad, seen = 0;

		deal_random(&d, 1 + (size_t)random_below(5), 200);
		bad = (size_t)random_below(d.count);
		for (size_t i = 0; i < d.count; i++)
			s[i] = (struct merge_source){
				entries_iter(&d.source[i],
				    i == bad ? d.source[i].count / 2 : SIZE_MAX,
				    &d.closed),
				SEQ_MAX
			};
		it = merge_iter_create(s, d.count);
		for (iter_seek_first(it); it->valid; iter_next(it)) {
			ck_assert(slice_eq(it->key, entry_key(&d.all, seen)));
			seen++;
		}
		if (d.source[bad].count != 0) {
			ck_assert_int_eq(it->status, -EIO);
			ck_assert_uint_lt(seen, d.all.count);
			iter_seek_first(it);
			ck_assert(!it->valid);
		}
		iter_close(it);
		ck_assert_int_eq(d.closed, (int)d.count);
		deal_fini(&d);
	}
}
END_TEST

START_TEST(older_sources_jump_over_what_a_group_deletion_hides)
{
	struct deal d = { .count = 3 };
	struct merge_source s[3];
	struct iter *it;
	uint8_t end[KEY_PREFIX_LEN] = { 1 };

	/* Group 5 deleted at 100; the old source has it and its neighbours,
	 * the new one has a key written after. */
	put_be64(end + 1, 6);
	for (uint64_t i = 0; i < 1000; i++) {
		char name[8];

		snprintf(name, sizeof(name), "%04u", (unsigned)i);
		entries_add(&d.source[0], 1, 5, slice_str(name), i % 50 + 1,
		    KEY_VALUE, slice_str("old"));
	}
	entries_add(&d.source[0], 1, 4, slice_str("a"), 3, KEY_VALUE,
	    slice_str("before"));
	entries_add(&d.source[0], 1, 6, slice_str(""), 4, KEY_VALUE,
	    slice_str("after"));
	entries_sort(&d.source[0]);
	entries_add(&d.source[1], 1, 5, slice_str(""), 100, KEY_DELETE_GROUP,
	    slice_str(""));
	entries_add(&d.source[1], 1, 5, slice_str("new"), 101, KEY_VALUE,
	    slice_str("new"));
	entries_add(&d.source[2], 1, 7, slice_str("z"), 2, KEY_VALUE,
	    slice_str("last"));
	s[0] = (struct merge_source){
		entries_iter(&d.source[0], SIZE_MAX, NULL), 50
	};
	s[1] = (struct merge_source){
		entries_iter(&d.source[1], SIZE_MAX, NULL), 101
	};
	s[2] = (struct merge_source){
		entries_iter(&d.source[2], SIZE_MAX, NULL), 100
	};
	it = merge_iter_create(s, 3);
	iter_seek_first(it);
	ck_assert(slice_eq(it->value, slice_str("before")));
	iter_next(it);
	ck_assert_int_eq(key_type(it->key), KEY_DELETE_GROUP);
	merge_iter_skip_hidden(it, slice_make(end, sizeof(end)), 100);
	/* Its own place is kept, and what comes next is not hidden. */
	ck_assert_int_eq(key_type(it->key), KEY_DELETE_GROUP);
	iter_next(it);
	ck_assert(slice_eq(it->value, slice_str("new")));
	iter_next(it);
	ck_assert(slice_eq(it->value, slice_str("after")));
	/* Nothing stands before end any more. */
	merge_iter_skip_hidden(it, slice_make(end, sizeof(end)), 100);
	ck_assert(slice_eq(it->value, slice_str("after")));
	iter_next(it);
	ck_assert(slice_eq(it->value, slice_str("last")));
	iter_next(it);
	ck_assert(!it->valid);
	iter_close(it);
	deal_fini(&d);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	random_init();
	tcase_add_test(tc, a_merge_is_the_sorted_union);
	tcase_add_test(tc, a_merge_of_nothing_is_empty);
	tcase_add_test(tc, an_error_of_any_source_ends_the_walk_for_good);
	tcase_add_test(tc, older_sources_jump_over_what_a_group_deletion_hides);
	return run_case("merge_iter", tc);
}
