/* SPDX-License-Identifier: ISC */
/* Where what was merged is cut into tables. */
#include <check.h>
#include <stdlib.h>

#include "engine/key/key.h"
#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/compact/output.h"
#include "engine/state/install.h"
#include "engine/state/view.h"
#include "engine/store/db.h"
#include "engine/tree/version.h"
#include "support/env_mem.h"
#include "support/keys.h"
#include "support/suite.h"

#define KEYS 8000
#define FROM 2000 /* a run of deletions ... */
#define TO 6000 /* ... ends before this */
#define LEVEL (LEVEL_LAST - 1)

static struct env *env;
static struct kv *kv;
static struct memtable *mem;
static struct version_edit edit;
static uint8_t value[100];

/* All keys in the last level, so that deletions above are kept. */
static void
setup(void)
{
	struct kv_options opts;
	struct kv_batch b;
	char name[16];

	env = env_mem_create(1);
	kv_options_init(&opts);
	opts.sync = KV_SYNC_OFF;
	opts.memtable_bytes = 1u << 20;
	opts.compress = false;
	ck_assert_int_eq(db_open(env, "/store", &opts, &kv), 0);
	kv_batch_init(&b);
	for (unsigned i = 0; i < KEYS; i++) {
		struct kv_key key = key_of(i, name);

		kv_batch_put(&b, &key, slice_make(value, sizeof(value)));
	}
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
	ck_assert_int_eq(kv_flush(kv), 0);
	ck_assert_int_eq(kv_compact(kv), 0);
	ck_assert_uint_ne(db_of(kv)
			      ->views.current->version->levels[LEVEL_LAST]
			      .count,
	    0);
	mem = memtable_create(1, 0);
	ck_assert_ptr_nonnull(mem);
}

static void
teardown(void)
{
	memtable_unref(mem);
	db_edit_abandon(db_of(kv), &edit);
	ck_assert_int_eq(kv_close(kv), 0);
	env_mem_destroy(env);
}

static void
change(unsigned i, bool is_delete)
{
	uint8_t user[KEY_USER_MAX];
	char name[16];
	struct kv_key key = key_of(i, name);
	size_t len = key_encode(user, &key);

	ck_assert_int_eq(memtable_add(mem, 100000 + i,
			     is_delete ? KEY_DELETE : KEY_VALUE,
			     slice_make(user, len),
			     is_delete ? slice_str("") :
					 slice_make(value, sizeof(value))),
	    0);
}

/* The number of tables. */
static size_t
merge(int level)
{
	struct view *v = view_acquire(&db_of(kv)->views);
	struct output out = { .db = db_of(kv),
		.edit = &edit,
		.level = level,
		.below = v->version,
		.below_level = level + 1 };

	ck_assert_int_eq(output_merge(&out, memtable_iter(mem)), 0);
	view_release(&db_of(kv)->views, v);
	return edit.add_count;
}

START_TEST(a_run_of_deletions_is_a_table_of_its_own)
{
	const struct table_props *p;

	for (unsigned i = 0; i < KEYS; i++)
		change(i, i >= FROM && i < TO);
	ck_assert_uint_eq(merge(LEVEL), 3);
	/* Some pass before it is known for one; its end is exact, so that
	 * the next one that follows on does not overlap it. */
	p = &edit.adds[0].file->props;
	ck_assert_uint_ge(p->entries - p->deletes, FROM);
	ck_assert_uint_le(p->deletes, 100);
	p = &edit.adds[1].file->props;
	ck_assert_uint_eq(p->entries, p->deletes);
	ck_assert_uint_ge(p->deletes, TO - FROM - 100);
	p = &edit.adds[2].file->props;
	ck_assert_uint_eq(p->entries, KEYS - TO);
	ck_assert_uint_eq(p->deletes, 0);
}
END_TEST

START_TEST(one_in_level_0_is_not)
{
	for (unsigned i = 0; i < KEYS; i++)
		change(i, i >= FROM && i < TO);
	ck_assert_uint_eq(merge(0), 1);
}
END_TEST

START_TEST(deletions_here_and_there_are_no_run)
{
	for (unsigned i = 0; i < KEYS; i++)
		change(i, i % 3 != 0);
	ck_assert_uint_eq(merge(LEVEL), 1);
}
END_TEST

START_TEST(neither_are_few)
{
	for (unsigned i = 0; i < KEYS; i++)
		change(i, i < 500 || i % 1000 < 30);
	ck_assert_uint_eq(merge(LEVEL), 1);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("cuts");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_run_of_deletions_is_a_table_of_its_own);
	tcase_add_test(tc, one_in_level_0_is_not);
	tcase_add_test(tc, deletions_here_and_there_are_no_run);
	tcase_add_test(tc, neither_are_few);
	return run_case("output", tc);
}
