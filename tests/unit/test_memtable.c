/* SPDX-License-Identifier: ISC */
/* The memtable. */
#include <check.h>
#include <stdlib.h>

#include "engine/key/key.h"
#include "engine/memtable/memtable.h"
#include "support/aborts.h"
#include "support/model.h"
#include "support/suite.h"

static struct memtable *m;

static void
setup(void)
{
	m = memtable_create(7, 4096);
	ck_assert_ptr_nonnull(m);
}

static void
teardown(void)
{
	memtable_check(m);
	memtable_unref(m);
}

static struct slice
user_of(uint8_t *dst, uint64_t group, const char *name)
{
	struct kv_key k = { 1, group, slice_str(name) };

	return slice_make(dst, key_encode(dst, &k));
}

static void
add(uint64_t seq, enum key_type type, const char *name, const char *value)
{
	uint8_t user[KEY_USER_MAX];

	ck_assert_int_eq(memtable_add(m, seq, type, user_of(user, 5, name),
			     slice_str(value)),
	    0);
}

static void
expect(const char *name, uint64_t at, uint64_t seq, enum key_type type,
    const char *value)
{
	uint8_t user[KEY_USER_MAX];
	struct slice got;
	enum key_type got_type;
	uint64_t got_seq;

	ck_assert(memtable_may_contain(m, key_hash(user_of(user, 5, name))));
	ck_assert(memtable_get(m, user_of(user, 5, name), at, &got_seq,
	    &got_type, &got));
	ck_assert_uint_eq(got_seq, seq);
	ck_assert_int_eq(got_type, type);
	ck_assert(slice_eq(got, slice_str(value)));
}

static void
expect_absent(const char *name, uint64_t at)
{
	uint8_t user[KEY_USER_MAX];
	struct slice got;
	enum key_type type;
	uint64_t seq;

	ck_assert(
	    !memtable_get(m, user_of(user, 5, name), at, &seq, &type, &got));
}

START_TEST(the_newest_entry_not_after_a_number_is_found)
{
	add(10, KEY_VALUE, "k", "ten");
	add(20, KEY_DELETE, "k", "");
	add(30, KEY_VALUE, "k", "thirty");
	expect_absent("k", 9);
	expect("k", 10, 10, KEY_VALUE, "ten");
	expect("k", 19, 10, KEY_VALUE, "ten");
	expect("k", 20, 20, KEY_DELETE, "");
	expect("k", 29, 20, KEY_DELETE, "");
	expect("k", SEQ_MAX, 30, KEY_VALUE, "thirty");
}
END_TEST

START_TEST(neighbours_are_not_taken_for_a_key)
{
	add(1, KEY_VALUE, "b", "x");
	add(2, KEY_VALUE, "bb", "y");
	expect_absent("", SEQ_MAX);
	expect_absent("a", SEQ_MAX);
	expect_absent("ba", SEQ_MAX);
	expect_absent("bbb", SEQ_MAX);
	expect_absent("c", SEQ_MAX);
	expect("b", SEQ_MAX, 1, KEY_VALUE, "x");
	expect("bb", SEQ_MAX, 2, KEY_VALUE, "y");
}
END_TEST

START_TEST(what_it_holds_is_counted)
{
	size_t before = memtable_bytes(m);

	ck_assert(memtable_is_empty(m));
	ck_assert_uint_eq(m->first_log, 7);
	add(12, KEY_VALUE, "k", "v");
	add(11, KEY_DELETE, "k", "");
	add(13, KEY_DELETE_GROUP, "", "\xac\x02");
	add(14, KEY_DELETE_GROUP, "", "\x05");
	add(15, KEY_POINTER, "p", "012345678901234567890123");
	ck_assert(!memtable_is_empty(m));
	ck_assert_uint_eq(m->entries, 5);
	ck_assert_uint_eq(m->deletes, 1);
	ck_assert_uint_eq(m->group_deletes, 2);
	ck_assert_uint_eq(m->reclaim_bytes, 305);
	ck_assert_uint_eq(m->min_seq, 11);
	ck_assert_uint_eq(m->max_seq, 15);
	ck_assert_uint_gt(memtable_bytes(m), before);
}
END_TEST

START_TEST(a_walk_gives_all_entries_in_order)
{
	struct rng r = { test_seed() };
	uint8_t ikey[KEY_INTERNAL_MAX], prev[KEY_INTERNAL_MAX];
	size_t prev_len = 0, count = 0;
	struct iter *it;
	char name[16];

	for (uint64_t seq = 1; seq <= 3000; seq++) {
		snprintf(name, sizeof(name), "%u",
		    (unsigned)rng_below(&r, 1000));
		add(seq, KEY_VALUE, name, name);
	}
	it = memtable_iter(m);
	ck_assert_ptr_nonnull(it);
	for (iter_seek_first(it); it->valid; iter_next(it)) {
		if (prev_len != 0)
			ck_assert_int_lt(key_cmp(slice_make(prev, prev_len),
					     it->key),
			    0);
		memcpy(prev, it->key.data, it->key.len);
		prev_len = it->key.len;
		ck_assert(
		    slice_eq(key_decode(key_user(it->key)).name, it->value));
		count++;
	}
	ck_assert_uint_eq(count, 3000);
	ck_assert_int_eq(it->status, 0);
	/* And from the middle. */
	count = user_of(ikey, 5, "5").len;
	count = key_append_trailer(ikey, count, SEQ_MAX, KEY_TYPE_MAX);
	iter_seek(it, slice_make(ikey, count));
	ck_assert(it->valid);
	ck_assert_int_ge(key_cmp(it->key, slice_make(ikey, count)), 0);
	ck_assert_int_eq(*(const char *)it->value.data, '5');
	iter_close(it);
}
END_TEST

START_TEST(a_walk_over_nothing_ends_at_once)
{
	struct iter *it = memtable_iter(m);

	ck_assert_ptr_nonnull(it);
	ck_assert(!it->valid);
	iter_seek_first(it);
	ck_assert(!it->valid);
	ck_assert_int_eq(it->status, 0);
	iter_close(it);
}
END_TEST

static unsigned freed;

static void
count_free(void *arg, struct memtable *which)
{
	ck_assert_ptr_eq(arg, &freed);
	ck_assert_ptr_nonnull(which);
	freed++;
}

/* Sorted as they are, each has the number of its place in the batch. */
START_TEST(of_a_batch_the_later_change_wins)
{
	static const struct {
		const char *name;
		enum key_type type;
		const char *value;
	} batch[] = {
		{ "b", KEY_VALUE, "one" },
		{ "a", KEY_DELETE, "" },
		{ "b", KEY_VALUE, "two" },
		{ "a", KEY_VALUE, "three" },
		{ "b", KEY_DELETE, "" },
	};
	enum { COUNT = sizeof(batch) / sizeof(batch[0]) };
	struct change_place space[2 * COUNT];
	struct key_change changes[COUNT];
	uint8_t user[COUNT][KEY_USER_MAX];

	for (uint32_t i = 0; i < COUNT; i++)
		changes[i] = (struct key_change){ .type = batch[i].type,
			.user = user_of(user[i], 5, batch[i].name),
			.value = slice_str(batch[i].value) };
	ck_assert_int_eq(memtable_add_all(m, 100, changes,
			     key_changes_order(changes, COUNT, space), COUNT),
	    0);
	expect("b", 100, 100, KEY_VALUE, "one");
	expect("a", 102, 101, KEY_DELETE, "");
	expect("b", 102, 102, KEY_VALUE, "two");
	expect("a", 200, 103, KEY_VALUE, "three");
	expect("b", 200, 104, KEY_DELETE, "");
	expect_absent("b", 99);
	ck_assert_uint_eq(m->entries, COUNT);
}
END_TEST

START_TEST(it_lives_as_long_as_anybody_holds_it)
{
	struct memtable *mine = memtable_create(1, 0);
	struct iter *it;

	ck_assert_ptr_nonnull(mine);
	mine->on_free = count_free;
	mine->on_free_arg = &freed;
	memtable_ref(mine);
	it = memtable_iter(mine);
	memtable_unref(mine);
	memtable_unref(mine);
	ck_assert_uint_eq(freed, 0);
	iter_close(it);
	ck_assert_uint_eq(freed, 1);
	memtable_unref(NULL);
}
END_TEST

static void
check_memtable(void *arg)
{
	memtable_check(arg);
}

START_TEST(a_broken_memtable_is_told)
{
	add(10, KEY_VALUE, "k", "ten");
	add(20, KEY_VALUE, "k", "twenty");
	m->max_seq = 19;
	ck_assert(aborts_with("sequence number 20 outside of 10 to 19",
	    check_memtable, m));
	m->max_seq = 20;
	atomic_store(&m->entries, 1);
	ck_assert(aborts_with("memtable: 2 entries, and 1 were counted",
	    check_memtable, m));
	atomic_store(&m->entries, 2);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_newest_entry_not_after_a_number_is_found);
	tcase_add_test(tc, neighbours_are_not_taken_for_a_key);
	tcase_add_test(tc, what_it_holds_is_counted);
	tcase_add_test(tc, a_walk_gives_all_entries_in_order);
	tcase_add_test(tc, a_walk_over_nothing_ends_at_once);
	tcase_add_test(tc, of_a_batch_the_later_change_wins);
	tcase_add_test(tc, it_lives_as_long_as_anybody_holds_it);
	tcase_add_test(tc, a_broken_memtable_is_told);
	return run_case("memtable", tc);
}
