/* SPDX-License-Identifier: ISC */
/* The block cache: bound, pins, what it keeps, and threads. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/cache/block_cache.h"
#include "support/entries.h"
#include "support/suite.h"

#define BLOCK 4096
#define MIB (1u << 20)

static struct block_cache *cache;

static void
make_cache(uint64_t bytes)
{
	cache = block_cache_create(bytes);
	ck_assert_ptr_nonnull(cache);
}

static struct cached_block *
put_len(uint64_t file, uint64_t off, size_t len, enum block_priority priority)
{
	uint8_t *data = block_alloc(len);

	ck_assert_ptr_nonnull(data);
	memset(data, (int)(file * 31 + off), len);
	return block_cache_insert(cache, file, off, data, len, priority);
}

static void
put(uint64_t file, uint64_t off)
{
	cached_block_release(put_len(file, off, BLOCK, BLOCK_DATA));
}

/* Whether it is there; counts as a use. */
static bool
hit(uint64_t file, uint64_t off)
{
	struct cached_block *b = block_cache_lookup(cache, file, off);
	struct slice s;

	if (b == NULL)
		return false;
	s = cached_block_data(b);
	ck_assert_uint_eq(s.len, BLOCK);
	ck_assert_uint_eq(((const uint8_t *)s.data)[s.len - 1],
	    (uint8_t)(file * 31 + off));
	cached_block_release(b);
	return true;
}

static struct block_cache_stats
stats(void)
{
	struct block_cache_stats st;

	block_cache_get_stats(cache, &st);
	return st;
}

START_TEST(a_block_is_found_under_its_own_name_only)
{
	make_cache(MIB);
	put(1, 0);
	ck_assert(hit(1, 0));
	ck_assert(!hit(1, 1));
	ck_assert(!hit(2, 0));
	ck_assert_uint_eq(stats().hits, 1);
	ck_assert_uint_eq(stats().misses, 2);
	block_cache_check(cache);
	block_cache_destroy(cache);
}
END_TEST

START_TEST(the_second_insertion_gets_the_first_ones_block)
{
	struct cached_block *a, *b;

	make_cache(MIB);
	a = put_len(1, 7, BLOCK, BLOCK_DATA);
	b = put_len(1, 7, BLOCK, BLOCK_DATA);
	ck_assert_ptr_eq(a, b);
	ck_assert_uint_eq(stats().inserts, 1);
	cached_block_release(a);
	cached_block_release(b);
	block_cache_check(cache);
	block_cache_destroy(cache);
}
END_TEST

START_TEST(the_bound_is_kept_and_used)
{
	make_cache(4 * MIB);
	for (uint64_t i = 0; i < 10000; i++) {
		put(1, i * BLOCK);
		ck_assert_uint_le(stats().bytes, 4 * MIB);
	}
	ck_assert_uint_gt(stats().bytes, 4 * MIB * 9 / 10);
	ck_assert_uint_gt(stats().evictions, 8000);
	block_cache_check(cache);
	block_cache_destroy(cache);
}
END_TEST

START_TEST(a_pinned_block_stays_whatever_comes)
{
	enum { PINS = 50 };
	struct cached_block *pin[PINS];

	make_cache(4 * MIB);
	for (uint64_t i = 0; i < PINS; i++)
		pin[i] = put_len(9, i, BLOCK, i % 2 ? BLOCK_DATA : BLOCK_SCAN);
	for (uint64_t i = 0; i < 20000; i++)
		put(1, i * BLOCK);
	for (uint64_t i = 0; i < PINS; i++) {
		ck_assert(hit(9, i));
		cached_block_release(pin[i]);
	}
	ck_assert_uint_le(stats().bytes, 4 * MIB);
	block_cache_check(cache);
	block_cache_destroy(cache);
}
END_TEST

START_TEST(only_what_is_pinned_passes_the_bound)
{
	enum { PINS = 3000 };
	static struct cached_block *pin[PINS];

	make_cache(4 * MIB);
	for (uint64_t i = 0; i < PINS; i++)
		pin[i] = put_len(1, i, BLOCK, BLOCK_DATA);
	ck_assert_uint_gt(stats().bytes, 4 * MIB);
	for (uint64_t i = 0; i < PINS; i++)
		cached_block_release(pin[i]);
	for (uint64_t i = 0; i < 200; i++)
		put(2, i);
	ck_assert_uint_le(stats().bytes, 4 * MIB);
	block_cache_check(cache);
	block_cache_destroy(cache);
}
END_TEST

START_TEST(a_scan_does_not_drive_out_what_is_used)
{
	uint64_t kept = 0, hot = 300; /* a third of the cache */

	make_cache(4 * MIB);
	for (int round = 0; round < 3; round++)
		for (uint64_t i = 0; i < hot; i++)
			if (!hit(1, i))
				put(1, i);
	for (uint64_t i = 0; i < 20000; i++)
		cached_block_release(put_len(2, i, BLOCK, BLOCK_SCAN));
	for (uint64_t i = 0; i < hot; i++)
		kept += hit(1, i);
	ck_assert_uint_ge(kept, hot * 9 / 10);
	block_cache_check(cache);
	block_cache_destroy(cache);
}
END_TEST

START_TEST(a_block_that_comes_back_soon_is_kept_longer)
{
	uint64_t kept = 0;

	make_cache(4 * MIB);
	for (uint64_t i = 0; i < 1500; i++)
		put(1, i);
	/* Long enough ago to be gone, not to be forgotten. */
	for (uint64_t i = 600; i < 700; i++) {
		hit(1, i);
		put(1, i);
	}
	for (uint64_t i = 0; i < 600; i++)
		put(2, i);
	for (uint64_t i = 600; i < 700; i++)
		kept += hit(1, i);
	ck_assert_uint_ge(kept, 60);
	block_cache_check(cache);
	block_cache_destroy(cache);
}
END_TEST

START_TEST(hot_blocks_of_a_skewed_load_are_mostly_hits)
{
	const uint64_t universe = 10000, lookups = 300000;
	uint64_t hits = 0;

	make_cache(4 * MIB); /* a tenth of it */
	for (uint64_t i = 0; i < lookups; i++) {
		/* Squares pile up near 0. */
		uint64_t a = random_below(1000), b = random_below(1000);
		uint64_t x = a * a * b * b / 100000000 * universe / 10000;

		if (hit(1, x))
			hits++;
		else
			put(1, x);
	}
	printf("skewed load: %.1f %% hits\n",
	    100.0 * (double)hits / (double)lookups);
	ck_assert_uint_gt(hits, lookups * 6 / 10);
	block_cache_check(cache);
	block_cache_destroy(cache);
}
END_TEST

START_TEST(large_blocks_are_handed_out_without_being_kept)
{
	struct cached_block *b;

	make_cache(MIB);
	b = put_len(1, 0, MIB, BLOCK_DATA);
	ck_assert_uint_eq(cached_block_data(b).len, MIB);
	ck_assert_uint_eq(stats().bytes, 0);
	cached_block_ref(b);
	cached_block_release(b);
	cached_block_release(b);
	ck_assert_ptr_null(block_cache_lookup(cache, 1, 0));
	block_cache_check(cache);
	block_cache_destroy(cache);
	/* A cache of nothing keeps nothing. */
	make_cache(0);
	put(1, 1);
	ck_assert(!hit(1, 1));
	block_cache_check(cache);
	block_cache_destroy(cache);
	block_free(block_alloc(10));
	block_free(NULL);
}
END_TEST

START_TEST(resizing_and_reserving_make_room)
{
	make_cache(8 * MIB);
	for (uint64_t i = 0; i < 5000; i++)
		put(1, i);
	block_cache_resize(cache, 2 * MIB);
	ck_assert_uint_le(stats().bytes, 2 * MIB);
	ck_assert_uint_eq(stats().capacity_bytes, 2 * MIB);
	block_cache_resize(cache, 8 * MIB);
	block_cache_reserve(cache, 6 * MIB);
	for (uint64_t i = 0; i < 5000; i++)
		put(1, i);
	ck_assert_uint_le(stats().bytes, 8 * MIB);
	/* A quarter stays for blocks. */
	block_cache_reserve(cache, 100 * (uint64_t)MIB);
	for (uint64_t i = 0; i < 5000; i++)
		put(1, i);
	ck_assert_uint_le(stats().bytes - 106 * (uint64_t)MIB, 2 * MIB);
	ck_assert_uint_gt(stats().bytes - 106 * (uint64_t)MIB, MIB);
	block_cache_unreserve(cache, 106 * (uint64_t)MIB);
	block_cache_check(cache);
	block_cache_destroy(cache);
}
END_TEST

START_TEST(each_part_counts_what_it_gave)
{
	struct block_cache_stats st;

	make_cache(4 * MIB);
	for (uint64_t i = 0; i < 100; i++)
		put(1, i);
	for (uint64_t i = 0; i < 100; i++)
		ck_assert(hit(1, i));
	st = stats();
	ck_assert_uint_eq(st.part[BLOCK_WARM].hits, 100);
	ck_assert_uint_eq(st.part[BLOCK_HOT].hits, 0);
	ck_assert_uint_eq(st.part[BLOCK_WARM].bytes, st.bytes);
	ck_assert_uint_eq(st.promotions, 0);
	/* Newcomers push them on: what was hit is promoted. */
	for (uint64_t i = 0; i < 2000; i++)
		put(2, i);
	st = stats();
	ck_assert_uint_eq(st.promotions, 100);
	ck_assert_uint_gt(st.part[BLOCK_HOT].bytes, 100 * BLOCK);
	ck_assert_uint_eq(st.part[BLOCK_HOT].bytes + st.part[BLOCK_WARM].bytes,
	    st.bytes);
	for (uint64_t i = 0; i < 100; i++)
		ck_assert(hit(1, i));
	ck_assert_uint_eq(stats().part[BLOCK_HOT].hits, 100);
	ck_assert_uint_eq(stats().hits, 200);
	/* Newcomers dropped a moment ago come back, to the hot part. */
	st = stats();
	for (uint64_t i = 1000; i < 1100; i++)
		if (!hit(2, i))
			put(2, i);
	ck_assert_uint_gt(stats().part[BLOCK_WARM].returns, 50);
	ck_assert_uint_gt(stats().part[BLOCK_HOT].bytes,
	    st.part[BLOCK_HOT].bytes + 50 * BLOCK);
	block_cache_check(cache);
	block_cache_destroy(cache);
}
END_TEST

/* ---- The split ---- */

#define SPLIT_CACHE (4 * MIB)
#define SPLIT_BLOCKS (SPLIT_CACHE / BLOCK)

static uint64_t lookups, found;

static void
use(uint64_t file, uint64_t off)
{
	lookups++;
	if (hit(file, off))
		found++;
	else
		put(file, off);
}

/* Each block is used twice more while so much comes as fills a third of the
 * cache, and never again. */
static void
use_recent(void)
{
	for (uint64_t t = 0; t < 20 * SPLIT_BLOCKS; t++) {
		use(1, t);
		for (int again = 0; again < 2; again++) {
			uint64_t ago = 1 + random_below(SPLIT_BLOCKS * 3 / 10);

			if (ago < t)
				use(1, t - ago);
		}
	}
}

/* Some blocks more often than others, and every now and then a walk over as
 * many as fill the cache, by reads that nobody marked as a scan. */
static void
use_often(void)
{
	for (uint64_t t = 0, walked = 0; t < 60 * SPLIT_BLOCKS; t++) {
		double x = (double)random_below(1u << 20) / (1u << 20);

		use(1, (uint64_t)(x * x * SPLIT_BLOCKS * 3 / 2));
		if (t / SPLIT_BLOCKS % 2 == 1)
			use(2, walked++);
	}
}

/* Part of hits, in percent, with the warm part between these bounds. */
static double
hit_rate(void (*load)(void), uint32_t least, uint32_t most)
{
	struct block_split split = { least, most };

	cache = block_cache_create_split(SPLIT_CACHE, &split);
	ck_assert_ptr_nonnull(cache);
	lookups = found = 0;
	load();
	ck_assert_uint_ge(stats().warm_target_bytes,
	    (uint64_t)SPLIT_CACHE / BLOCK_SHARE_ONE * least);
	ck_assert_uint_le(stats().warm_target_bytes,
	    (uint64_t)SPLIT_CACHE / BLOCK_SHARE_ONE * most);
	block_cache_check(cache);
	block_cache_destroy(cache);
	return 100.0 * (double)found / (double)lookups;
}

START_TEST(the_split_follows_the_load)
{
	static const struct {
		const char *name;
		void (*load)(void);
	} loads[] = { { "recent", use_recent }, { "often", use_often } };
	const uint32_t one = BLOCK_SHARE_ONE;

	for (size_t i = 0; i < 2; i++) {
		double small = hit_rate(loads[i].load, one / 20, one / 20);
		double tenth = hit_rate(loads[i].load, one / 10, one / 10);
		double half = hit_rate(loads[i].load, one / 2, one / 2);
		double best = small > half ? small : half;
		double worst = small > half ? half : small;
		double adaptive;

		/* As block_cache_create() has it. */
		adaptive = hit_rate(loads[i].load, one / 20, one / 2);
		printf("%s: fixed 1/20 %.1f, 1/10 %.1f, 1/2 %.1f, adaptive "
		       "%.1f %% hits\n",
		    loads[i].name, small, tenth, half, adaptive);
		/* The loads differ, and neither split is right for both. */
		ck_assert(best > worst + 5);
		ck_assert(adaptive > best - 1.5);
	}
}
END_TEST

/* ---- Threads ---- */

#define THREADS 4

static void *
use_cache(void *arg)
{
	uint64_t x = (uint64_t)(uintptr_t)arg * 7919 + 1;
	struct cached_block *held[8] = { NULL };

	for (int i = 0; i < 40000; i++) {
		struct cached_block *b;
		uint64_t off;

		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		off = (x >> 33) % 700;
		b = block_cache_lookup(cache, 1, off);
		if (b == NULL)
			b = put_len(1, off, BLOCK,
			    x >> 63 ? BLOCK_DATA : BLOCK_SCAN);
		if (((const uint8_t *)cached_block_data(b).data)[17] !=
		    (uint8_t)(31 + off))
			abort();
		if (held[i % 8] != NULL)
			cached_block_release(held[i % 8]);
		held[i % 8] = b;
		if (i % 1000 == 0)
			block_cache_resize(cache, MIB + (x >> 40) % MIB);
	}
	for (int i = 0; i < 8; i++)
		cached_block_release(held[i]);
	return NULL;
}

START_TEST(threads_share_the_cache)
{
	pthread_t t[THREADS];

	make_cache(MIB);
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, use_cache,
				     (void *)i),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	ck_assert_uint_le(stats().bytes, 2 * MIB);
	block_cache_check(cache);
	block_cache_destroy(cache);
}
END_TEST

/* Small blocks that come and go: entries are used again, tables grow, and
 * each block has its own name in it. */
static void *
use_small_blocks(void *arg)
{
	uint64_t x = (uint64_t)(uintptr_t)arg * 104729 + 1, missed = 0;

	for (uint64_t i = 0; i < 60000; i++) {
		struct cached_block *b;
		uint64_t off, *data;

		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		/* A few are hot. */
		off = (x >> 33) % ((x >> 20) % 4 == 0 ? 20000 : 300);
		b = block_cache_lookup(cache, 7, off);
		if (b == NULL) {
			missed++;
			data = block_alloc(200);
			if (data == NULL)
				abort();
			*data = off;
			b = block_cache_insert(cache, 7, off, data, 200,
			    x >> 62 ? BLOCK_DATA : BLOCK_AHEAD);
		}
		if (memcmp(cached_block_data(b).data, &off, sizeof(off)) != 0)
			abort();
		if (i % 16 == 0) {
			cached_block_ref(b);
			cached_block_release(b);
		}
		cached_block_release(b);
		if (i % 5000 == 0)
			(void)stats();
	}
	return (void *)(uintptr_t)missed;
}

START_TEST(hits_without_a_lock_find_the_right_block_and_are_all_counted)
{
	pthread_t t[THREADS];
	struct block_cache_stats st;
	uint64_t missed = 0;
	void *result;

	make_cache(MIB);
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, use_small_blocks,
				     (void *)i),
		    0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &result);
		missed += (uint64_t)(uintptr_t)result;
	}
	st = stats();
	ck_assert_uint_eq(st.misses, missed);
	/* One that meets another block under its hash counts, too. */
	ck_assert_uint_ge(st.hits, THREADS * 60000 - missed);
	ck_assert_uint_le(st.hits, THREADS * 60000 - missed + 100);
	ck_assert_uint_gt(st.evictions, 1000);
	ck_assert_uint_le(st.bytes, MIB);
	block_cache_check(cache);
	block_cache_destroy(cache);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	random_init();
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_block_is_found_under_its_own_name_only);
	tcase_add_test(tc, the_second_insertion_gets_the_first_ones_block);
	tcase_add_test(tc, the_bound_is_kept_and_used);
	tcase_add_test(tc, a_pinned_block_stays_whatever_comes);
	tcase_add_test(tc, only_what_is_pinned_passes_the_bound);
	tcase_add_test(tc, a_scan_does_not_drive_out_what_is_used);
	tcase_add_test(tc, a_block_that_comes_back_soon_is_kept_longer);
	tcase_add_test(tc, hot_blocks_of_a_skewed_load_are_mostly_hits);
	tcase_add_test(tc, large_blocks_are_handed_out_without_being_kept);
	tcase_add_test(tc, resizing_and_reserving_make_room);
	tcase_add_test(tc, each_part_counts_what_it_gave);
	tcase_add_test(tc, the_split_follows_the_load);
	tcase_add_test(tc, threads_share_the_cache);
	tcase_add_test(tc,
	    hits_without_a_lock_find_the_right_block_and_are_all_counted);
	return run_case("block_cache", tc);
}
