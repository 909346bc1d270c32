/* SPDX-License-Identifier: ISC */
/* The spelling of sync modes, and the defaults. */
#include <check.h>
#include <stdlib.h>

#include "kvfs/store.h"
#include "support/suite.h"

START_TEST(the_defaults_are_as_documented)
{
	struct kv_options o;
	char text[48];

	kv_options_init(&o);
	kv_options_format_sync(&o, text, sizeof(text));
	ck_assert_str_eq(text, "interval:1000");
	ck_assert_uint_eq(o.wal_buffer_bytes, 0);
	ck_assert(o.compress && o.create && !o.read_only);
	ck_assert_ptr_null(o.owner);
}
END_TEST

START_TEST(every_mode_comes_back_as_it_was_spelled)
{
	static const struct {
		const char *text;
		enum kv_sync_mode mode;
	} cases[] = {
		{ "full", KV_SYNC_FULL },
		{ "every:1", KV_SYNC_EVERY },
		{ "every:1000000000", KV_SYNC_EVERY },
		{ "interval:250", KV_SYNC_INTERVAL },
		{ "hybrid:100:2000", KV_SYNC_HYBRID },
		{ "hybrid:1000000000:1000000000", KV_SYNC_HYBRID },
		{ "checkpoint", KV_SYNC_CHECKPOINT },
		{ "off", KV_SYNC_OFF },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kv_options o;
		char text[48];

		kv_options_init(&o);
		ck_assert_int_eq(kv_options_parse_sync(&o, cases[i].text), 0);
		ck_assert_int_eq(o.sync, cases[i].mode);
		kv_options_format_sync(&o, text, sizeof(text));
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

START_TEST(numbers_reach_their_fields)
{
	struct kv_options o;

	kv_options_init(&o);
	ck_assert_int_eq(kv_options_parse_sync(&o, "hybrid:12:34"), 0);
	ck_assert_uint_eq(o.sync_commits, 12);
	ck_assert_uint_eq(o.sync_ms, 34);
}
END_TEST

START_TEST(anything_else_is_refused_and_changes_nothing)
{
	static const char *const texts[] = { "", ":", "ful", "fulll",
		"full:", "full:1", "Full", "every", "every:", "every:0",
		"every:x", "every:1x", "every:-1", "every: 1",
		"every:1:", "every:1:2", "every:1000000001",
		"every:99999999999999999999", "interval",
		"interval:", "interval:0", "interval:1:2", "hybrid", "hybrid:1",
		"hybrid:1:", "hybrid::1", "hybrid:0:1", "hybrid:1:0",
		"hybrid:1:2:3", "hybrid:1:2:", "checkpoint:1", "off:", " off",
		"off ", "interval:1000000001" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct kv_options o;

		kv_options_init(&o);
		ck_assert_msg(kv_options_parse_sync(&o, texts[i]) == -EINVAL,
		    "\"%s\" is accepted", texts[i]);
		ck_assert_int_eq(o.sync, KV_SYNC_INTERVAL);
		ck_assert_uint_eq(o.sync_ms, 1000);
		ck_assert_uint_eq(o.sync_commits, 1);
	}
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_defaults_are_as_documented);
	tcase_add_test(tc, every_mode_comes_back_as_it_was_spelled);
	tcase_add_test(tc, numbers_reach_their_fields);
	tcase_add_test(tc, anything_else_is_refused_and_changes_nothing);
	return run_case("kv_options", tc);
}
