/* SPDX-License-Identifier: ISC */
/* Keys: their bytes, and that these sort as kv.h says. */
#include <check.h>
#include <stdlib.h>

#include "engine/key/change.h"
#include "engine/key/key.h"
#include "support/model.h"
#include "support/suite.h"

/* Order by the rules of kv.h and key.h, field by field. */
static int
cmp_fields(const struct kv_key *a, uint64_t ta, const struct kv_key *b,
    uint64_t tb)
{
	int c;

	if (a->space != b->space)
		return a->space < b->space ? -1 : 1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	c = slice_cmp(a->name, b->name);
	if (c != 0)
		return c < 0 ? -1 : 1;
	return ta > tb ? -1 : ta < tb;
}

static int
sign(int n)
{
	return (n > 0) - (n < 0);
}

static struct kv_key
random_key(struct rng *r, uint8_t *name)
{
	static const uint64_t groups[] = { 0, 1, 0xff, 0x100, 1ull << 56,
		UINT64_MAX };
	size_t len = rng_below(r, 4);

	for (size_t i = 0; i < len; i++)
		name[i] = rng_below(r, 2) != 0 ? 0xff : 0;
	return (struct kv_key){
		.space = (uint8_t)(rng_below(r, 3) * 127),
		.group = groups[rng_below(r, 6)],
		.name = slice_make(name, len),
	};
}

START_TEST(a_key_comes_back_from_its_bytes)
{
	uint8_t name[KV_NAME_MAX], bytes[KEY_USER_MAX];
	struct rng r = { test_seed() };

	for (size_t len = 0; len <= KV_NAME_MAX; len++) {
		struct kv_key k = { (uint8_t)rng_next(&r), rng_next(&r),
			slice_make(name, len) };
		struct kv_key back;

		for (size_t i = 0; i < len; i++)
			name[i] = (uint8_t)rng_next(&r);
		ck_assert_uint_eq(key_encode(bytes, &k), KEY_PREFIX_LEN + len);
		back = key_decode(slice_make(bytes, KEY_PREFIX_LEN + len));
		ck_assert_uint_eq(back.space, k.space);
		ck_assert_uint_eq(back.group, k.group);
		ck_assert(slice_eq(back.name, k.name));
	}
}
END_TEST

START_TEST(bytes_sort_as_space_group_and_name_then_newest_first)
{
	struct rng r = { test_seed() };

	for (int i = 0; i < 20000; i++) {
		uint8_t na[4], nb[4], a[KEY_INTERNAL_MAX], b[KEY_INTERNAL_MAX];
		struct kv_key ka = random_key(&r, na), kb = random_key(&r, nb);
		uint64_t sa = rng_below(&r, 4), sb = rng_below(&r, 4);
		enum key_type ta = (enum key_type)rng_below(&r, 4);
		enum key_type tb = (enum key_type)rng_below(&r, 4);
		size_t la = key_append_trailer(a, key_encode(a, &ka), sa, ta);
		size_t lb = key_append_trailer(b, key_encode(b, &kb), sb, tb);
		int want = cmp_fields(&ka, key_pack(sa, ta), &kb,
		    key_pack(sb, tb));

		ck_assert_int_eq(sign(key_cmp(slice_make(a, la),
				     slice_make(b, lb))),
		    want);
	}
}
END_TEST

START_TEST(an_internal_key_has_its_parts)
{
	uint8_t b[KEY_INTERNAL_MAX];
	struct kv_key k = { 3, 77, slice_str("name") };
	struct slice ikey;

	ikey = slice_make(b,
	    key_append_trailer(b, key_encode(b, &k), SEQ_MAX, KEY_POINTER));
	ck_assert(key_is_valid(ikey));
	ck_assert_uint_eq(key_seq(ikey), SEQ_MAX);
	ck_assert_int_eq(key_type(ikey), KEY_POINTER);
	ck_assert_uint_eq(key_user(ikey).len, KEY_PREFIX_LEN + 4);
	ck_assert(slice_eq(key_decode(key_user(ikey)).name, k.name));
}
END_TEST

START_TEST(impossible_internal_keys_are_told)
{
	uint8_t b[KEY_INTERNAL_MAX + 1] = { 0 };

	for (size_t len = 0; len <= sizeof(b); len++)
		ck_assert_int_eq(key_is_valid(slice_make(b, len)),
		    len >= KEY_PREFIX_LEN + KEY_TRAILER_LEN &&
			len <= KEY_INTERNAL_MAX);
	for (unsigned type = 0; type < 256; type++) {
		b[KEY_PREFIX_LEN] = (uint8_t)type;
		ck_assert_int_eq(key_is_valid(slice_make(b,
				     KEY_PREFIX_LEN + KEY_TRAILER_LEN)),
		    type <= KEY_TYPE_MAX);
	}
}
END_TEST

#define CHANGES 500
#define NAME_MAX_HERE 12

/* The order is that of the keys up to the fourth byte behind what all begin
 * with; no change is lost, and equal ones stay in the order of the batch. */
static void
expect_order(const struct key_change *changes, size_t n, size_t prefix)
{
	static struct change_place space[2 * CHANGES];
	const struct change_place *order = key_changes_order(changes, n, space);
	bool seen[CHANGES] = { false };

	for (size_t i = 0; i < n; i++) {
		struct slice a, b = changes[order[i].index].user;
		int c;

		ck_assert(!seen[order[i].index]);
		seen[order[i].index] = true;
		if (i == 0)
			continue;
		a = changes[order[i - 1].index].user;
		/* The bytes behind the keys are zeros. */
		c = memcmp(a.data, b.data, prefix + 4);
		ck_assert_int_le(c, 0);
		if (c == 0)
			ck_assert_uint_lt(order[i - 1].index, order[i].index);
	}
}

START_TEST(changes_close_to_each_other_come_together)
{
	static uint8_t bytes[CHANGES][KEY_PREFIX_LEN + NAME_MAX_HERE + 4];
	struct key_change changes[CHANGES];
	struct rng r = { test_seed() };

	for (uint64_t groups = 1; groups <= 3; groups += 2) {
		memset(bytes, 0, sizeof(bytes));
		for (uint32_t i = 0; i < CHANGES; i++) {
			uint8_t name[NAME_MAX_HERE];
			struct kv_key k = { 1, rng_below(&r, groups),
				slice_make(name, rng_below(&r, sizeof(name))) };

			for (size_t j = 0; j < k.name.len; j++)
				name[j] = (uint8_t)rng_below(&r, 300);
			/* Both kinds are there, whatever the seed. */
			if (i < 2)
				k = (struct kv_key){ 1, i % groups,
					slice_make(&"ab"[i], 1) };
			changes[i] = (struct key_change){
				.user = slice_make(bytes[i],
				    key_encode(bytes[i], &k))
			};
		}
		expect_order(changes, CHANGES,
		    groups == 1 ? KEY_PREFIX_LEN : KEY_PREFIX_LEN - 1);
		expect_order(changes, 1, changes[0].user.len);
	}
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_key_comes_back_from_its_bytes);
	tcase_add_test(tc,
	    bytes_sort_as_space_group_and_name_then_newest_first);
	tcase_add_test(tc, an_internal_key_has_its_parts);
	tcase_add_test(tc, impossible_internal_keys_are_told);
	tcase_add_test(tc, changes_close_to_each_other_come_together);
	return run_case("key", tc);
}
