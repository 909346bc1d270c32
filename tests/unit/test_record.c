/* SPDX-License-Identifier: ISC */
/* A batch as the payload of a log frame, and back from untrusted bytes. */
#include <check.h>
#include <stdlib.h>

#include "engine/log/record.h"
#include "support/model.h"
#include "support/suite.h"

struct change {
	enum key_type type;
	uint8_t user[KEY_USER_MAX];
	size_t user_len;
	struct slice value;
};

static struct change changes[64];
static unsigned change_count;
static int refuse_at; /* the callback fails there, from 1 */

static int
note(void *arg, enum key_type type, struct slice user, struct slice value)
{
	struct change *c = &changes[change_count];

	ck_assert_ptr_eq(arg, changes);
	if (++change_count == (unsigned)refuse_at)
		return -ENOMEM;
	c->type = type;
	c->user_len = user.len;
	memcpy(c->user, user.data, user.len);
	c->value = value;
	return 0;
}

static int
decode(struct slice payload, uint32_t count)
{
	change_count = 0;
	return record_decode(payload, count, note, changes);
}

static void
expect(unsigned i, enum key_type type, const struct kv_key *key,
    struct slice value)
{
	uint8_t user[KEY_USER_MAX];
	size_t len = key_encode(user, key);

	ck_assert_int_eq(changes[i].type, type);
	ck_assert(slice_eq(slice_make(changes[i].user, changes[i].user_len),
	    slice_make(user, len)));
	ck_assert(slice_eq(changes[i].value, value));
}

static const struct kv_key key_a = { 1, 7, { "a", 1 } };
static const struct kv_key key_none = { 2, 8, { "", 0 } };
static const struct kv_key key_group = { 3, UINT64_MAX, { "", 0 } };

/* The five changes as they were encoded; of the third, a large value, the
 * pointer in its place if there is one. */
static struct key_change encoded[5];

static void
make_payload(struct buf *out, const struct segment_pointer *pointer,
    struct slice large)
{
	struct kv_batch b;

	kv_batch_init(&b);
	kv_batch_put(&b, &key_a, slice_str("value"));
	kv_batch_put(&b, &key_none, (struct slice){ 0 });
	kv_batch_put(&b, &key_a, large);
	kv_batch_delete(&b, &key_a);
	kv_batch_delete_group_hint(&b, key_group.space, key_group.group, 300);
	ck_assert_int_eq(b.error, 0);
	record_encode(&b, pointer != NULL, out, encoded);
	ck_assert_int_eq(buf_error(out), 0);
	if (encoded[2].type == KEY_POINTER)
		record_set_pointer(out, &encoded[2], pointer);
	kv_batch_fini(&b);
}

START_TEST(a_batch_comes_back)
{
	static char large[SEGMENT_VALUE_MIN];
	struct buf out = { 0 };

	make_payload(&out, NULL, slice_make(large, sizeof(large)));
	ck_assert_int_eq(decode(buf_slice(&out), 5), 0);
	ck_assert_uint_eq(change_count, 5);
	expect(0, KEY_VALUE, &key_a, slice_str("value"));
	expect(1, KEY_VALUE, &key_none, slice_str(""));
	expect(2, KEY_VALUE, &key_a, slice_make(large, sizeof(large)));
	expect(3, KEY_DELETE, &key_a, slice_str(""));
	expect(4, KEY_DELETE_GROUP, &key_group, slice_make("\xac\x02", 2));
	buf_fini(&out);
}
END_TEST

START_TEST(only_large_values_become_pointers)
{
	static char large[SEGMENT_VALUE_MIN];
	struct segment_pointer p = { 9, 64, SEGMENT_VALUE_MIN + 104,
		SEGMENT_VALUE_MIN };
	struct segment_pointer back;
	struct buf out = { 0 };

	make_payload(&out, &p, slice_make(large, sizeof(large)));
	ck_assert_int_eq(decode(buf_slice(&out), 5), 0);
	ck_assert_int_eq(changes[0].type, KEY_VALUE);
	ck_assert_int_eq(changes[2].type, KEY_POINTER);
	ck_assert_int_eq(segment_pointer_decode(changes[2].value, &back), 0);
	ck_assert_int_eq(memcmp(&p, &back, sizeof(p)), 0);
	buf_fini(&out);
	/* One byte less stays where it is. */
	make_payload(&out, &p, slice_make(large, sizeof(large) - 1));
	ck_assert_int_eq(decode(buf_slice(&out), 5), 0);
	ck_assert_int_eq(changes[2].type, KEY_VALUE);
	buf_fini(&out);
}
END_TEST

/* What goes to the memtable is what a recovery reads from the log. */
START_TEST(the_changes_are_those_of_the_record)
{
	static char large[SEGMENT_VALUE_MIN];
	struct segment_pointer p = { 9, 64, SEGMENT_VALUE_MIN + 104,
		SEGMENT_VALUE_MIN };

	for (int with_pointer = 0; with_pointer < 2; with_pointer++) {
		struct buf out = { 0 };

		make_payload(&out, with_pointer ? &p : NULL,
		    slice_make(large, sizeof(large)));
		ck_assert_int_eq(decode(buf_slice(&out), 5), 0);
		for (unsigned i = 0; i < 5; i++) {
			ck_assert_int_eq(encoded[i].type, changes[i].type);
			ck_assert(slice_eq(encoded[i].user,
			    slice_make(changes[i].user, changes[i].user_len)));
			ck_assert(slice_eq(encoded[i].value, changes[i].value));
		}
		buf_fini(&out);
	}
}
END_TEST

START_TEST(a_wrong_count_or_length_is_corruption)
{
	struct buf out = { 0 };

	make_payload(&out, NULL, slice_str("x"));
	for (uint32_t count = 0; count < 20; count++)
		ck_assert_int_eq(decode(buf_slice(&out), count),
		    count == 5 ? 0 : -KVFS_ECORRUPT);
	ck_assert_int_eq(decode(buf_slice(&out), UINT32_MAX), -KVFS_ECORRUPT);
	for (size_t len = 0; len < out.len; len++)
		ck_assert_int_eq(decode(slice_make(out.data, len), 5),
		    -KVFS_ECORRUPT);
	buf_put_u8(&out, 0);
	ck_assert_int_eq(decode(buf_slice(&out), 5), -KVFS_ECORRUPT);
	ck_assert_int_eq(decode((struct slice){ 0 }, 0), 0);
	buf_fini(&out);
}
END_TEST

START_TEST(a_failing_callback_ends_it)
{
	struct buf out = { 0 };

	make_payload(&out, NULL, slice_str("x"));
	refuse_at = 3;
	ck_assert_int_eq(decode(buf_slice(&out), 5), -ENOMEM);
	ck_assert_uint_eq(change_count, 3);
	refuse_at = 0;
	buf_fini(&out);
}
END_TEST

static int
decode_one(uint8_t type, size_t user_len, struct slice value)
{
	static uint8_t user[KEY_USER_MAX + 1];
	struct buf out = { 0 };
	int rc;

	buf_put_u8(&out, type);
	buf_put_lenslice(&out, slice_make(user, user_len));
	if (type != KEY_DELETE)
		buf_put_lenslice(&out, value);
	rc = decode(buf_slice(&out), 1);
	buf_fini(&out);
	return rc;
}

START_TEST(impossible_changes_are_corruption)
{
	struct slice v = slice_str("v");

	ck_assert_int_eq(decode_one(KEY_VALUE, KEY_PREFIX_LEN, v), 0);
	ck_assert_int_eq(decode_one(KEY_VALUE, KEY_PREFIX_LEN - 1, v),
	    -KVFS_ECORRUPT);
	ck_assert_int_eq(decode_one(KEY_DELETE, 0, v), -KVFS_ECORRUPT);
	ck_assert_int_eq(decode_one(KEY_VALUE, KEY_USER_MAX, v), 0);
	ck_assert_int_eq(decode_one(KEY_VALUE, KEY_USER_MAX + 1, v),
	    -KVFS_ECORRUPT);
	ck_assert_int_eq(decode_one(KEY_TYPE_MAX + 1, KEY_PREFIX_LEN, v),
	    -KVFS_ECORRUPT);
	ck_assert_int_eq(decode_one(0xff, KEY_PREFIX_LEN, v), -KVFS_ECORRUPT);
	/* A group's deletion has no name. */
	ck_assert_int_eq(decode_one(KEY_DELETE_GROUP, KEY_PREFIX_LEN,
			     slice_str("\x01")),
	    0);
	ck_assert_int_eq(decode_one(KEY_DELETE_GROUP, KEY_PREFIX_LEN + 1,
			     slice_str("\x01")),
	    -KVFS_ECORRUPT);
}
END_TEST

static int
ignore(void *arg, enum key_type type, struct slice user, struct slice value)
{
	unsigned *sum = arg;

	ck_assert(type <= KEY_TYPE_MAX);
	for (size_t i = 0; i < user.len; i++)
		*sum += ((const uint8_t *)user.data)[i];
	for (size_t i = 0; i < value.len; i++)
		*sum += ((const uint8_t *)value.data)[i];
	return 0;
}

START_TEST(damaged_payloads_are_read_within_their_bounds)
{
	struct rng r = { test_seed() };
	struct buf out = { 0 };
	unsigned sum = 0;

	make_payload(&out, NULL, slice_str("some longer value"));
	for (int i = 0; i < 20000; i++) {
		size_t len = out.len -
		    rng_below(&r, 2) * rng_below(&r, out.len);
		uint8_t *bad = malloc(len);
		int rc;

		ck_assert_ptr_nonnull(bad);
		memcpy(bad, out.data, len);
		for (uint64_t n = rng_below(&r, 4); n > 0; n--)
			bad[rng_below(&r, len)] = (uint8_t)rng_next(&r);
		rc = record_decode(slice_make(bad, len), 5, ignore, &sum);
		ck_assert(rc == 0 || rc == -KVFS_ECORRUPT);
		free(bad);
	}
	printf("%x\n", sum);
	buf_fini(&out);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_batch_comes_back);
	tcase_add_test(tc, only_large_values_become_pointers);
	tcase_add_test(tc, the_changes_are_those_of_the_record);
	tcase_add_test(tc, a_wrong_count_or_length_is_corruption);
	tcase_add_test(tc, a_failing_callback_ends_it);
	tcase_add_test(tc, impossible_changes_are_corruption);
	tcase_add_test(tc, damaged_payloads_are_read_within_their_bounds);
	return run_case("record", tc);
}
