/* SPDX-License-Identifier: ISC */
/* The block cache's hash table: what the lock's holder does, what readers
 * may meet meanwhile, and counts that do not run over. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "engine/cache/block_shard.h"
#include "support/aborts.h"
#include "support/entries.h"
#include "support/suite.h"

#define NAMES 3000

static struct mutex mu; /* the shard's */
static struct block_table table;
static struct cached_block *blocks[NAMES];

static uint64_t
hash_of(uint64_t n)
{
	/* Few home slots, so that long runs of them form and are mended. */
	return block_hash(1, n) % 97;
}

static struct block_entry *
find(uint64_t n)
{
	return block_table_find_locked(&table, hash_of(n), 1, n);
}

static void
add(uint64_t n)
{
	struct block_entry *e = block_table_add_locked(&table, hash_of(n), 1, n,
	    blocks[n], 10);

	ck_assert_ptr_nonnull(e);
	ck_assert_ptr_eq(e->block, blocks[n]);
	ck_assert_ptr_eq(blocks[n]->entry, e);
	block_entry_unref(e);
}

static bool
drop(uint64_t n)
{
	struct block_entry *e = find(n);

	if (!block_table_hide_locked(&table, e))
		return false;
	ck_assert_ptr_eq(block_table_remove_locked(&table, hash_of(n), e),
	    blocks[n]);
	return true;
}

static void
setup(void) NO_THREAD_SAFETY
{
	mutex_init(&mu);
	mutex_lock(&mu);
	ck_assert_int_eq(block_table_init(&table, &mu), 0);
	for (size_t i = 0; i < NAMES; i++) {
		blocks[i] = calloc(1, sizeof(*blocks[i]));
		ck_assert_ptr_nonnull(blocks[i]);
	}
}

static void
teardown(void) NO_THREAD_SAFETY
{
	block_table_fini(&table);
	mutex_unlock(&mu);
	mutex_fini(&mu);
	for (size_t i = 0; i < NAMES; i++)
		free(blocks[i]);
}

START_TEST(what_is_added_is_found_until_it_is_removed)
{
	static bool is_in[NAMES];
	size_t count = 0;

	memset(is_in, 0, sizeof(is_in));
	for (int step = 0; step < 20000; step++) {
		uint64_t n = random_below(600);
		struct block_entry *e = find(n);

		ck_assert_int_eq(e != NULL, is_in[n]);
		if (e != NULL)
			ck_assert(drop(n));
		else
			add(n);
		is_in[n] = !is_in[n];
		count += is_in[n] ? 1 : (size_t)-1;
		ck_assert_uint_eq(table.count, count);
	}
	for (uint64_t n = 0; n < 600; n++) {
		struct block_entry *e = block_table_lookup(&table, hash_of(n),
		    1, n);

		ck_assert_int_eq(e != NULL, is_in[n]);
		ck_assert(e == NULL || (e->file == 1 && e->off == n));
	}
}
END_TEST

START_TEST(a_block_goes_only_when_nobody_has_it_or_has_hit_it)
{
	struct block_entry *e;

	add(5);
	e = block_table_lookup(&table, hash_of(5), 1, 5);
	ck_assert_uint_eq(META_REFS(atomic_load(&e->meta)), 1);
	ck_assert_uint_eq(META_HITS(atomic_load(&e->meta)), 1);
	ck_assert(!drop(5));
	block_entry_unref(e);
	ck_assert(!drop(5)); /* the hit */
	atomic_fetch_sub(&e->meta, META_HIT);
	block_entry_ref(e);
	ck_assert(!drop(5));
	block_entry_unref(e);
	ck_assert(drop(5));
	ck_assert_ptr_null(block_table_lookup(&table, hash_of(5), 1, 5));
}
END_TEST

/* A reader that saw the slot before its entry was used for another block. */
START_TEST(what_a_late_reader_adds_does_no_harm)
{
	struct block_entry *e;

	add(1);
	e = find(1);
	ck_assert(drop(1));
	atomic_fetch_add(&e->meta, META_HIT + META_REF);
	ck_assert_uint_eq(atomic_load(&e->meta) & META_VISIBLE, 0);
	add(2);
	ck_assert_ptr_eq(find(2), e);
	ck_assert_uint_eq(atomic_load(&e->meta), META_VISIBLE);
	ck_assert(drop(2));
}
END_TEST

START_TEST(very_many_hits_do_not_run_over)
{
	static const struct block_split split = { 6000, 6000 };
	const struct block_place place = { 1, 4096, 100, 0 };
	uint64_t hash = block_hash(1, 4096), many = 1u << 30;
	struct cached_block *b = calloc(1, sizeof(*b)), *dead = NULL;
	struct block_shard *s = aligned_alloc(64, sizeof(*s));

	ck_assert_int_eq(block_shard_init(s, 64, &split), 0);
	mutex_lock(&s->mu);
	ck_assert_ptr_null(
	    block_shard_insert_locked(s, b, &place, 1000, BLOCK_DATA));
	mutex_unlock(&s->mu);
	block_entry_unref(b->entry);
	atomic_fetch_add(&b->entry->meta, (many - 1) * META_HIT);
	ck_assert_ptr_eq(block_shard_lookup(s, hash, 1, 4096), b);
	/* That one has collected them. */
	ck_assert_uint_eq(s->part[BLOCK_WARM].stats.hits, many);
	ck_assert_uint_eq(atomic_load(&b->entry->meta),
	    META_VISIBLE + META_REF);
	ck_assert_uint_eq(b->entry->heat, BLOCK_HEAT_MAX);
	block_entry_unref(b->entry);
	mutex_lock(&s->mu);
	block_shard_check(s);
	block_shard_evict_locked(s, 0, &dead);
	block_shard_check(s);
	mutex_unlock(&s->mu);
	ck_assert_ptr_eq(dead, b);
	block_free_all(dead);
	block_shard_fini(s);
	free(s);
}
END_TEST

/* ---- Threads ---- */

#define READERS 3
#define STEPS 200000

static atomic_bool is_over;

/* Finds what it asks for, or nothing; and while it has it, it stays. */
static void *
read_table(void *arg)
{
	uint64_t x = (uint64_t)(uintptr_t)arg * 7919 + 1, found = 0;

	while (!atomic_load(&is_over)) {
		struct block_entry *e;
		uint64_t n;

		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		n = (x >> 33) % NAMES;
		e = block_table_lookup(&table, hash_of(n), 1, n);
		if (e == NULL)
			continue;
		found++;
		if (e->off != n || e->block != blocks[n] ||
		    e->block->entry != e)
			abort();
		block_entry_unref(e);
	}
	return (void *)(uintptr_t)found;
}

START_TEST(readers_see_whole_entries_while_all_changes)
{
	pthread_t t[READERS];
	uint64_t found = 0, removed = 0;
	void *result;

	atomic_store(&is_over, false);
	for (uintptr_t i = 0; i < READERS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, read_table,
				     (void *)i),
		    0);
	for (uint64_t step = 0; step < STEPS; step++) {
		/* The table grows under the readers' hands. */
		uint64_t n = random_below(10 + step * (NAMES - 10) / STEPS);
		struct block_entry *e = find(n);

		if (e == NULL) {
			add(n);
			continue;
		}
		/* As a harvest does. */
		atomic_fetch_sub(&e->meta,
		    META_HITS(atomic_load(&e->meta)) * META_HIT);
		if (drop(n))
			removed++;
	}
	atomic_store(&is_over, true);
	for (int i = 0; i < READERS; i++) {
		pthread_join(t[i], &result);
		found += (uint64_t)(uintptr_t)result;
	}
	printf("%llu found, %llu removed\n", (unsigned long long)found,
	    (unsigned long long)removed);
	ck_assert_uint_gt(removed, STEPS / 20);
}
END_TEST

static void
check_shard(void *arg) NO_THREAD_SAFETY
{
	block_shard_check(arg);
}

START_TEST(a_broken_shard_is_told)
{
	static const struct block_split split = { 6000, 6000 };
	const struct block_place place = { 1, 4096, 100, 0 };
	struct cached_block *b = calloc(1, sizeof(*b));
	struct block_shard *s = aligned_alloc(64, sizeof(*s));

	ck_assert_int_eq(block_shard_init(s, 64, &split), 0);
	mutex_lock(&s->mu);
	ck_assert_ptr_null(
	    block_shard_insert_locked(s, b, &place, 1000, BLOCK_DATA));
	block_shard_check(s);
	s->bytes++;
	ck_assert(aborts_with("block cache: a shard has 100 bytes, not 101",
	    check_shard, s));
	s->bytes--;
	b->entry->off = 8192;
	ck_assert(
	    aborts_with("1:8192 is in a queue and not found", check_shard, s));
	b->entry->off = 4096;
	b->entry->part = BLOCK_HOT;
	ck_assert(aborts_with("a block of part", check_shard, s));
	b->entry->part = BLOCK_WARM;
	block_shard_check(s);
	mutex_unlock(&s->mu);
	block_entry_unref(b->entry);
	block_shard_fini(s);
	free(s);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("table");

	random_init();
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_added_is_found_until_it_is_removed);
	tcase_add_test(tc, a_block_goes_only_when_nobody_has_it_or_has_hit_it);
	tcase_add_test(tc, what_a_late_reader_adds_does_no_harm);
	tcase_add_test(tc, very_many_hits_do_not_run_over);
	tcase_add_test(tc, readers_see_whole_entries_while_all_changes);
	tcase_add_test(tc, a_broken_shard_is_told);
	return run_case("block_table", tc);
}
