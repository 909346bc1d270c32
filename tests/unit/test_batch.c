/* SPDX-License-Identifier: ISC */
/* The list of changes that a commit takes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "kvfs/kv.h"
#include "support/suite.h"

static struct kv_key
key_of(const char *name)
{
	return (struct kv_key){ 1, 2, slice_str(name) };
}

static struct slice
name_of(const struct kv_batch *b, size_t i)
{
	return slice_make(b->names + b->ops[i].name_off, b->ops[i].name_len);
}

START_TEST(changes_stay_in_order)
{
	struct kv_batch b;
	struct kv_key a = key_of("a"), none = key_of("");

	kv_batch_init(&b);
	kv_batch_put(&b, &a, slice_str("value"));
	kv_batch_delete(&b, &none);
	kv_batch_delete_group(&b, 9, 10);
	kv_batch_delete_group_hint(&b, 11, 12, 1000);
	ck_assert_int_eq(b.error, 0);
	ck_assert_uint_eq(b.count, 4);
	ck_assert_int_eq(b.ops[0].type, KV_OP_PUT);
	ck_assert_uint_eq(b.ops[0].space, 1);
	ck_assert_uint_eq(b.ops[0].group, 2);
	ck_assert(slice_eq(name_of(&b, 0), slice_str("a")));
	ck_assert(slice_eq(b.ops[0].value, slice_str("value")));
	ck_assert_int_eq(b.ops[1].type, KV_OP_DELETE);
	ck_assert_uint_eq(b.ops[1].name_len, 0);
	ck_assert_int_eq(b.ops[2].type, KV_OP_DELETE_GROUP);
	ck_assert_uint_eq(b.ops[2].space, 9);
	ck_assert_uint_eq(b.ops[2].group, 10);
	ck_assert_uint_eq(b.ops[2].bytes_hint, 0);
	ck_assert_uint_eq(b.ops[3].bytes_hint, 1000);
	kv_batch_fini(&b);
}
END_TEST

START_TEST(names_are_copied)
{
	struct kv_batch b;
	char name[16];

	kv_batch_init(&b);
	for (int i = 0; i < 5000; i++) {
		struct kv_key k = { 1, 2, { name, 0 } };

		k.name.len = (size_t)snprintf(name, sizeof(name), "n%d", i);
		kv_batch_delete(&b, &k);
	}
	ck_assert_uint_eq(b.count, 5000);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		ck_assert(slice_eq(name_of(&b, (size_t)i), slice_str(name)));
	}
	kv_batch_fini(&b);
}
END_TEST

START_TEST(a_name_that_is_too_long_is_remembered_as_an_error)
{
	struct kv_batch b;
	char name[KV_NAME_MAX + 1];
	struct kv_key good = { 1, 2, { name, KV_NAME_MAX } };
	struct kv_key bad = { 1, 2, { name, KV_NAME_MAX + 1 } };

	memset(name, 'n', sizeof(name));
	kv_batch_init(&b);
	kv_batch_put(&b, &good, slice_str("v"));
	ck_assert_int_eq(b.error, 0);
	kv_batch_put(&b, &bad, slice_str("v"));
	ck_assert_int_eq(b.error, -EINVAL);
	/* The first error stays, and nothing is added behind it. */
	kv_batch_put(&b, &good, slice_make(name, KV_VALUE_MAX + 1));
	ck_assert_int_eq(b.error, -EINVAL);
	kv_batch_delete_group_hint(&b, 1, 1, 5);
	ck_assert_uint_eq(b.count, 1);
	ck_assert_uint_eq(b.ops[0].bytes_hint, 0);
	kv_batch_fini(&b);
}
END_TEST

START_TEST(values_and_batches_have_their_largest_size)
{
	struct kv_batch b;
	struct kv_key k = key_of("k");
	char *value = malloc(KV_VALUE_MAX);

	ck_assert_ptr_nonnull(value);
	kv_batch_init(&b);
	/* Values are borrowed, not read: one byte more is never looked at. */
	kv_batch_put(&b, &k, slice_make(value, KV_VALUE_MAX + 1ul));
	ck_assert_int_eq(b.error, -E2BIG);
	kv_batch_clear(&b);
	for (int i = 0; i < 3; i++)
		kv_batch_put(&b, &k, slice_make(value, KV_VALUE_MAX));
	kv_batch_put(&b, &k, slice_make(value, KV_VALUE_MAX - 4));
	ck_assert_int_eq(b.error, 0);
	ck_assert_uint_eq(b.bytes, KV_BATCH_MAX);
	kv_batch_put(&b, &k, slice_make(value, 0));
	ck_assert_int_eq(b.error, -E2BIG);
	ck_assert_uint_eq(b.count, 4);
	kv_batch_fini(&b);
	free(value);
}
END_TEST

START_TEST(a_cleared_batch_starts_again_with_its_memory)
{
	struct kv_batch b;
	struct kv_key k = key_of("key");
	const void *ops;

	kv_batch_init(&b);
	for (int i = 0; i < 100; i++)
		kv_batch_put(&b, &k, slice_str("v"));
	ops = b.ops;
	kv_batch_clear(&b);
	ck_assert_uint_eq(b.count, 0);
	ck_assert_uint_eq(b.bytes, 0);
	for (int i = 0; i < 100; i++)
		kv_batch_put(&b, &k, slice_str("v"));
	ck_assert_ptr_eq(b.ops, ops);
	ck_assert_uint_eq(b.count, 100);
	ck_assert(slice_eq(name_of(&b, 99), slice_str("key")));
	kv_batch_fini(&b);
	kv_batch_fini(&b);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, changes_stay_in_order);
	tcase_add_test(tc, names_are_copied);
	tcase_add_test(tc, a_name_that_is_too_long_is_remembered_as_an_error);
	tcase_add_test(tc, values_and_batches_have_their_largest_size);
	tcase_add_test(tc, a_cleared_batch_starts_again_with_its_memory);
	return run_case("batch", tc);
}
