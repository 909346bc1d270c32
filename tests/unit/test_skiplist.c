/* SPDX-License-Identifier: ISC */
/* The ordered set below the memtable. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "engine/key/key.h"
#include "engine/memtable/skiplist.h"
#include "support/aborts.h"
#include "support/model.h"
#include "support/suite.h"

struct entry {
	uint8_t user[16];
	size_t len;
	uint64_t trailer;
};

static int
cmp_entry(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = slice_cmp(slice_make(x->user, x->len),
	    slice_make(y->user, y->len));

	if (c != 0)
		return c;
	return x->trailer > y->trailer ? -1 : x->trailer < y->trailer;
}

static bool
is_at(const struct skip_node *n, const struct entry *e)
{
	struct slice key = skip_node_key(n);

	return slice_eq(key_user(key), slice_make(e->user, e->len)) &&
	    key_trailer(key) == e->trailer;
}

START_TEST(entries_come_back_in_order_whatever_the_order_of_insertion)
{
	enum { COUNT = 5000 };
	static struct entry entries[COUNT], sorted[COUNT];
	struct rng r = { test_seed() };
	const struct skip_node *n;
	struct arena arena;
	struct skiplist s;

	arena_init(&arena);
	ck_assert_int_eq(skiplist_init(&s, &arena), 0);
	ck_assert_ptr_null(skiplist_first(&s));
	for (unsigned i = 0; i < COUNT; i++) {
		struct entry *e = &entries[i];

		/* Runs of neighbours, jumps, and versions of one key. */
		if (i > 0 && rng_below(&r, 3) != 0)
			*e = entries[i - 1];
		else
			e->len = KEY_PREFIX_LEN + rng_below(&r, 4);
		e->user[rng_below(&r, e->len)] += (uint8_t)rng_below(&r, 3);
		e->trailer = key_pack(i + 1, KEY_VALUE);
	}
	for (unsigned i = 0; i < COUNT;) {
		struct skip_entry some[SKIPLIST_LANES];
		size_t count = 0, want = 1 + rng_below(&r, SKIPLIST_LANES);

		for (; count < want && i < COUNT; i++) {
			const struct entry *e = &entries[i];

			some[count++] = (struct skip_entry){ slice_make(e->user,
								 e->len),
				e->trailer, slice_make(e, i % 7) };
		}
		ck_assert_int_eq(skiplist_insert(&s, some, count), 0);
	}
	ck_assert_uint_eq(skiplist_check(&s), COUNT);
	memcpy(sorted, entries, sizeof(entries));
	qsort(sorted, COUNT, sizeof(sorted[0]), cmp_entry);
	n = skiplist_first(&s);
	for (unsigned i = 0; i < COUNT; i++) {
		const struct entry *e;

		ck_assert_ptr_nonnull(n);
		ck_assert(is_at(n, &sorted[i]));
		e = &entries[(sorted[i].trailer >> 8) - 1];
		ck_assert(slice_eq(skip_node_value(n),
		    slice_make(e, (size_t)(e - entries) % 7)));
		n = skip_node_next(n);
	}
	ck_assert_ptr_null(n);
	for (unsigned i = 0; i < COUNT; i++) {
		struct slice user = slice_make(sorted[i].user, sorted[i].len);

		ck_assert(is_at(skiplist_seek(&s, user, sorted[i].trailer),
		    &sorted[i]));
		/* Just behind it is the next. */
		n = skiplist_seek(&s, user, sorted[i].trailer - 1);
		ck_assert(i + 1 < COUNT ? is_at(n, &sorted[i + 1]) : n == NULL);
	}
	arena_fini(&arena);
}
END_TEST

/* The writer puts rounds of keys; in each, key k holds the round's number
 * and what is behind a reader's back never goes away again. */
#define KEYS 400
#define ROUNDS 40
#define READERS 3

struct shared {
	struct arena arena;
	struct skiplist list;
	_Atomic uint64_t published; /* all entries up to it are in */
	atomic_bool done;
};

static size_t
user_of(uint8_t *dst, uint64_t k)
{
	struct kv_key key = { 1, k, slice_str("n") };

	return key_encode(dst, &key);
}

static void *
read_all(void *arg)
{
	struct shared *sh = arg;
	struct rng r = { (uintptr_t)&r };
	bool last = false;

	while (!last) {
		uint64_t seen, count = 0;
		uint8_t user[KEY_USER_MAX], prev[KEY_INTERNAL_MAX];
		size_t prev_len = 0, len;
		const struct skip_node *n;

		last = atomic_load(&sh->done);
		seen = atomic_load_explicit(&sh->published,
		    memory_order_acquire);
		for (n = skiplist_first(&sh->list); n != NULL;
		     n = skip_node_next(n)) {
			struct slice key = skip_node_key(n);
			struct slice value = skip_node_value(n);

			if (prev_len != 0 &&
			    key_cmp(slice_make(prev, prev_len), key) >= 0)
				ck_abort_msg("out of order");
			memcpy(prev, key.data, key.len);
			prev_len = key.len;
			count += key_seq(key) <= seen;
			if (value.len != sizeof(uint64_t) ||
			    get_le64(value.data) != key_seq(key))
				ck_abort_msg("a value of another key");
		}
		if (count != seen)
			ck_abort_msg("%llu entries of %llu",
			    (unsigned long long)count,
			    (unsigned long long)seen);
		if (seen == 0)
			continue;
		len = user_of(user, (rng_below(&r, seen) * 263) % KEYS);
		n = skiplist_seek(&sh->list, slice_make(user, len),
		    key_pack(SEQ_MAX, KEY_VALUE));
		if (seen >= KEYS &&
		    (n == NULL ||
			!slice_eq(key_user(skip_node_key(n)),
			    slice_make(user, len))))
			ck_abort_msg("a key that was there is gone");
	}
	return NULL;
}

START_TEST(readers_see_whole_entries_while_one_thread_writes)
{
	static struct shared sh;
	pthread_t threads[READERS];
	uint64_t seq = 0;

	arena_init(&sh.arena);
	ck_assert_int_eq(skiplist_init(&sh.list, &sh.arena), 0);
	for (int i = 0; i < READERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_all,
				     &sh),
		    0);
	for (int round = 0; round < ROUNDS; round++)
		for (uint64_t k = 0; k < KEYS;) {
			uint8_t user[SKIPLIST_LANES][KEY_USER_MAX];
			uint8_t value[SKIPLIST_LANES][8];
			struct skip_entry some[SKIPLIST_LANES];
			size_t n = 0, want = 1 + seq % SKIPLIST_LANES;

			for (; n < want && k < KEYS; n++, k++) {
				size_t len = user_of(user[n], k * 263 % KEYS);

				put_le64(value[n], ++seq);
				some[n] = (struct skip_entry){
					slice_make(user[n], len),
					key_pack(seq, KEY_VALUE),
					slice_make(value[n], 8)
				};
			}
			ck_assert_int_eq(skiplist_insert(&sh.list, some, n), 0);
			atomic_store_explicit(&sh.published, seq,
			    memory_order_release);
		}
	atomic_store(&sh.done, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	arena_fini(&sh.arena);
}
END_TEST

static void
check_list(void *arg)
{
	skiplist_check(arg);
}

START_TEST(a_broken_list_is_told)
{
	struct arena arena;
	struct skiplist s;
	uint8_t *key;

	arena_init(&arena);
	ck_assert_int_eq(skiplist_init(&s, &arena), 0);
	for (uint64_t i = 0; i < 9; i++) {
		uint8_t user[16] = { 1, [15] = (uint8_t)i };
		struct skip_entry e = { slice_make(user, sizeof(user)),
			key_pack(i + 1, KEY_VALUE), slice_str("value") };

		ck_assert_int_eq(skiplist_insert(&s, &e, 1), 0);
	}
	ck_assert_uint_eq(skiplist_check(&s), 9);
	key = (uint8_t *)(uintptr_t)skip_node_key(skiplist_first(&s)).data;
	key[0] = 2;
	ck_assert(aborts_with("is not sorted at entry", check_list, &s));
	key[0] = 1;
	atomic_store(&s.height, 0);
	ck_assert(aborts_with("skip list: a height of 0", check_list, &s));
	arena_fini(&arena);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc,
	    entries_come_back_in_order_whatever_the_order_of_insertion);
	tcase_add_test(tc, readers_see_whole_entries_while_one_thread_writes);
	tcase_add_test(tc, a_broken_list_is_told);
	return run_case("skiplist", tc);
}
