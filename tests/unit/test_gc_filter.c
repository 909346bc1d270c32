/* SPDX-License-Identifier: ISC */
/*
 * What a merge may drop: rule by rule, and then random streams of which
 * every snapshot, and the present, must read the same as before.
 */
#include <check.h>
#include <stdlib.h>

#include "engine/tree/gc_filter.h"
#include "support/model.h"
#include "support/suite.h"
#include "support/tables.h"

struct entry {
	struct kv_key key;
	uint64_t seq;
	enum key_type type;
	bool kept;
};

static struct version *nothing, *something;

/* something: one table in level 4 that holds keys of group 2. */
static void
setup(void)
{
	struct table_props p = { .file_bytes = 1, .min_seq = 1, .max_seq = 2 };
	struct kv_key from = { 1, 2, { "b", 1 } }, limit = { 1, 2, { "y", 1 } };
	uint8_t a[KEY_USER_MAX], b[KEY_USER_MAX];
	struct version_edit e = { 0 };
	struct table_file *f;

	nothing = version_create(drop_table, NULL);
	f = table_file_create(1, &p, slice_make(a, key_encode(a, &from)),
	    slice_make(b, key_encode(b, &limit)), NULL, 0, 0);
	ck_assert(nothing != NULL && f != NULL);
	ck_assert_int_eq(version_edit_add(&e, 4, f), 0);
	ck_assert_int_eq(version_apply(nothing, &e, &something), 0);
	version_edit_fini(&e);
}

static void
teardown(void)
{
	version_unref(nothing);
	version_unref(something);
}

static size_t
ikey_of(uint8_t *dst, const struct entry *e)
{
	return key_append_trailer(dst, key_encode(dst, &e->key), e->seq,
	    e->type);
}

static int
cmp_entry(const void *a, const void *b)
{
	uint8_t x[KEY_INTERNAL_MAX], y[KEY_INTERNAL_MAX];
	size_t xlen = ikey_of(x, a), ylen = ikey_of(y, b);

	return key_cmp(slice_make(x, xlen), slice_make(y, ylen));
}

static void
run(struct entry *e, size_t count, const uint64_t *snapshots,
    size_t snapshot_count, const struct version *below, int below_level)
{
	struct gc_filter f;

	qsort(e, count, sizeof(*e), cmp_entry);
	gc_filter_init(&f, snapshots, snapshot_count, below, below_level);
	for (size_t i = 0; i < count; i++) {
		uint8_t ikey[KEY_INTERNAL_MAX];
		size_t len = ikey_of(ikey, &e[i]);

		e[i].kept = gc_filter_keep(&f, slice_make(ikey, len));
	}
	ck_assert_int_eq(f.error, 0);
	gc_filter_fini(&f);
}

static struct entry
entry_of(uint64_t group, const char *name, uint64_t seq, enum key_type type)
{
	return (
	    struct entry){ { 1, group, slice_str(name) }, seq, type, false };
}

static bool
is_kept(const struct entry *e, size_t count, uint64_t seq)
{
	for (size_t i = 0; i < count; i++)
		if (e[i].seq == seq)
			return e[i].kept;
	ck_abort_msg("no entry %llu", (unsigned long long)seq);
}

START_TEST(without_snapshots_only_the_newest_of_a_key_stays)
{
	struct entry e[] = { entry_of(1, "k", 10, KEY_VALUE),
		entry_of(1, "k", 20, KEY_POINTER),
		entry_of(1, "k", 30, KEY_VALUE),
		entry_of(1, "l", 5, KEY_VALUE) };

	run(e, 4, NULL, 0, nothing, LEVELS);
	ck_assert(is_kept(e, 4, 30));
	ck_assert(!is_kept(e, 4, 20));
	ck_assert(!is_kept(e, 4, 10));
	ck_assert(is_kept(e, 4, 5));
}
END_TEST

START_TEST(each_snapshot_keeps_the_newest_that_it_sees)
{
	static const uint64_t snapshots[] = { 10, 25 };
	struct entry e[] = { entry_of(1, "k", 5, KEY_VALUE),
		entry_of(1, "k", 10, KEY_VALUE),
		entry_of(1, "k", 11, KEY_VALUE),
		entry_of(1, "k", 25, KEY_VALUE),
		entry_of(1, "k", 26, KEY_VALUE),
		entry_of(1, "k", 30, KEY_VALUE) };

	run(e, 6, snapshots, 2, nothing, LEVELS);
	ck_assert(!is_kept(e, 6, 5));
	ck_assert(is_kept(e, 6, 10));
	ck_assert(!is_kept(e, 6, 11));
	ck_assert(is_kept(e, 6, 25));
	ck_assert(!is_kept(e, 6, 26));
	ck_assert(is_kept(e, 6, 30));
}
END_TEST

START_TEST(a_deletion_goes_when_nothing_below_can_hold_the_key)
{
	struct entry e[] = { entry_of(1, "k", 10, KEY_DELETE),
		entry_of(2, "a", 11, KEY_DELETE),
		entry_of(2, "k", 12, KEY_DELETE),
		entry_of(2, "y", 13, KEY_DELETE) };

	run(e, 4, NULL, 0, something, 3);
	ck_assert(!is_kept(e, 4, 10));
	ck_assert(!is_kept(e, 4, 11)); /* before the table */
	ck_assert(is_kept(e, 4, 12));
	ck_assert(!is_kept(e, 4, 13)); /* its limit is not in it */
	/* The table is an input itself. */
	run(e, 4, NULL, 0, something, 5);
	ck_assert(!is_kept(e, 4, 12));
}
END_TEST

START_TEST(a_deletion_that_a_snapshot_does_not_see_stays)
{
	static const uint64_t snapshots[] = { 10 };
	struct entry e[] = { entry_of(1, "k", 9, KEY_VALUE),
		entry_of(1, "k", 11, KEY_DELETE),
		entry_of(1, "l", 9, KEY_DELETE) };

	run(e, 3, snapshots, 1, nothing, LEVELS);
	ck_assert(e[0].seq == 11 && e[0].kept);
	ck_assert(e[1].seq == 9 && e[1].kept);
	/* The snapshot sees this one: nothing is older. */
	ck_assert(!e[2].kept);
}
END_TEST

START_TEST(a_groups_deletion_hides_what_is_older_in_its_group_alone)
{
	struct entry e[] = { entry_of(1, "", 20, KEY_DELETE_GROUP),
		entry_of(1, "", 15, KEY_VALUE), entry_of(1, "k", 10, KEY_VALUE),
		entry_of(1, "k", 30, KEY_VALUE),
		entry_of(1, "l", 19, KEY_POINTER),
		entry_of(3, "k", 11, KEY_VALUE) };

	run(e, 6, NULL, 0, nothing, LEVELS);
	ck_assert(!is_kept(e, 6, 20));
	ck_assert(!is_kept(e, 6, 15));
	ck_assert(!is_kept(e, 6, 10));
	ck_assert(is_kept(e, 6, 30));
	ck_assert(!is_kept(e, 6, 19));
	ck_assert(is_kept(e, 6, 11));
}
END_TEST

START_TEST(a_groups_deletion_stays_while_anything_below_is_of_its_group)
{
	struct entry e[] = { entry_of(1, "", 20, KEY_DELETE_GROUP),
		entry_of(2, "", 21, KEY_DELETE_GROUP),
		entry_of(2, "", 19, KEY_DELETE_GROUP),
		entry_of(2, "k", 10, KEY_VALUE) };

	run(e, 4, NULL, 0, something, 1);
	ck_assert(!is_kept(e, 4, 20));
	ck_assert(is_kept(e, 4, 21));
	ck_assert(!is_kept(e, 4, 19)); /* the newer one does its work */
	ck_assert(!is_kept(e, 4, 10));
}
END_TEST

START_TEST(a_snapshot_between_keeps_what_a_groups_deletion_hides)
{
	static const uint64_t snapshots[] = { 15 };
	struct entry e[] = { entry_of(1, "", 20, KEY_DELETE_GROUP),
		entry_of(1, "k", 10, KEY_VALUE),
		entry_of(1, "k", 18, KEY_VALUE) };

	run(e, 3, snapshots, 1, nothing, LEVELS);
	ck_assert(is_kept(e, 3, 20));
	ck_assert(is_kept(e, 3, 10));
	ck_assert(!is_kept(e, 3, 18));
}
END_TEST

/* ---- Random streams ---- */

#define NAMES 4
#define GROUPS 3
#define STREAM_MAX 60
#define OLD_SEQ 100 /* entries below have numbers up to it */

static const char *const names[NAMES] = { "", "b", "bb", "x" };

struct stream {
	struct entry entries[STREAM_MAX];
	size_t count;
};

/* The number of the value that a reader at seq finds, 0 for none. Entries
 * that were dropped are passed over if asked. */
static uint64_t
visible(const struct stream *s, const struct stream *below, bool only_kept,
    uint64_t group, const char *name, uint64_t at)
{
	uint64_t newest = 0, deleted = 0;
	enum key_type type = KEY_DELETE;

	for (int part = 0; part < 2; part++) {
		const struct stream *from = part == 0 ? s : below;

		for (size_t i = 0; i < from->count; i++) {
			const struct entry *e = &from->entries[i];

			if (e->key.group != group || e->seq > at ||
			    (part == 0 && only_kept && !e->kept))
				continue;
			if (e->type == KEY_DELETE_GROUP) {
				if (e->seq > deleted)
					deleted = e->seq;
			} else if (slice_eq(e->key.name, slice_str(name)) &&
			    e->seq > newest) {
				newest = e->seq;
				type = e->type;
			}
		}
	}
	return type == KEY_DELETE || newest < deleted ? 0 : newest;
}

static void
make_stream(struct stream *s, struct rng *r, uint64_t first_seq,
    const uint64_t *groups, size_t group_count)
{
	s->count = 1 + rng_below(r, STREAM_MAX - 1);
	for (size_t i = 0; i < s->count; i++) {
		uint64_t dice = rng_below(r, 10);
		enum key_type type = dice < 2 ? KEY_DELETE_GROUP :
		    dice < 4                  ? KEY_DELETE :
		    dice < 6                  ? KEY_POINTER :
						KEY_VALUE;

		s->entries[i] = entry_of(groups[rng_below(r, group_count)],
		    type == KEY_DELETE_GROUP ? "" : names[rng_below(r, NAMES)],
		    first_seq + i, type);
	}
}

START_TEST(no_reader_can_tell_that_anything_was_dropped)
{
	static const uint64_t groups[GROUPS] = { 1, 2, 3 };
	struct rng r = { test_seed() };
	static struct stream s, below;

	for (int round = 0; round < 3000; round++) {
		uint64_t snapshots[4], at;
		size_t n = rng_below(&r, 5), dropped = 0;
		bool has_below = rng_below(&r, 2) != 0;

		below.count = 0;
		if (has_below) {
			/* Group 2, names from b to x: what something holds. */
			make_stream(&below, &r, 1, &groups[1], 1);
			for (size_t i = 0; i < below.count; i++) {
				below.entries[i].type = KEY_VALUE;
				below.entries[i].key.name = slice_str(
				    names[1 + rng_below(&r, 3)]);
			}
		}
		make_stream(&s, &r, OLD_SEQ + 1, groups, GROUPS);
		at = OLD_SEQ;
		for (size_t i = 0; i < n; i++)
			snapshots[i] = at += rng_below(&r, 20);
		run(s.entries, s.count, snapshots, n,
		    has_below ? something : nothing, has_below ? 4 : LEVELS);
		for (size_t i = 0; i <= n; i++)
			for (uint64_t g = 1; g <= GROUPS; g++)
				for (int k = 0; k < NAMES; k++) {
					at = i < n ? snapshots[i] : SEQ_MAX;
					ck_assert_uint_eq(visible(&s, &below,
							      true, g, names[k],
							      at),
					    visible(&s, &below, false, g,
						names[k], at));
				}
		for (size_t i = 0; i < s.count; i++)
			dropped += !s.entries[i].kept;
		if (n == 0 && !has_below)
			/* Values that are seen, and next to nothing else. */
			ck_assert_uint_le(s.count - dropped, GROUPS * NAMES);
	}
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_snapshots_only_the_newest_of_a_key_stays);
	tcase_add_test(tc, each_snapshot_keeps_the_newest_that_it_sees);
	tcase_add_test(tc, a_deletion_goes_when_nothing_below_can_hold_the_key);
	tcase_add_test(tc, a_deletion_that_a_snapshot_does_not_see_stays);
	tcase_add_test(tc,
	    a_groups_deletion_hides_what_is_older_in_its_group_alone);
	tcase_add_test(tc,
	    a_groups_deletion_stays_while_anything_below_is_of_its_group);
	tcase_add_test(tc,
	    a_snapshot_between_keeps_what_a_groups_deletion_hides);
	tcase_add_test(tc, no_reader_can_tell_that_anything_was_dropped);
	return run_case("gc_filter", tc);
}
