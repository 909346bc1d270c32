/* SPDX-License-Identifier: ISC */
/* The list of dirty inodes, without a file system: order, references, who is
 * picked, and what is counted. */
#include <check.h>

#include "fs/content.h"
#include "fs/fs_invariants.h"
#include "support/aborts.h"
#include "support/suite.h"

#define INODES 4

static struct dirty_list list;
static struct inode *ins[INODES];

static uint64_t
refs(const struct inode *in)
{
	return atomic_load(&in->table.refs);
}

static void
add(struct inode *in)
{
	mutex_lock(&in->mu);
	dirty_list_add(&list, in);
	mutex_unlock(&in->mu);
}

static void
take_off(struct inode *in)
{
	mutex_lock(&in->mu);
	dirty_list_remove(&list, in);
	mutex_unlock(&in->mu);
}

static size_t
pick(struct inode **out, size_t max, uint64_t until_ns)
{
	size_t n;

	mutex_lock(&list.mu);
	n = dirty_list_pick(&list, out, max, until_ns);
	mutex_unlock(&list.mu);
	return n;
}

/* Picked, they have one reference more, which goes back here. */
static void
give_back(struct inode **all, size_t n)
{
	dirty_list_unpick(&list, all, n);
	for (size_t i = 0; i < n; i++)
		atomic_fetch_sub(&all[i]->table.refs, 1);
}

static void
setup(void)
{
	list = (struct dirty_list){ 0 };
	dirty_list_init(&list);
	for (uint64_t i = 0; i < INODES; i++) {
		ins[i] = inode_alloc(i + 10);
		ck_assert_ptr_nonnull(ins[i]);
	}
}

static void
teardown(void)
{
	dirty_list_check(&list);
	for (size_t i = 0; i < INODES; i++) {
		take_off(ins[i]);
		ck_assert_uint_eq(refs(ins[i]), 1);
		inode_free(ins[i]);
	}
	dirty_list_fini(&list);
}

static size_t
listed(void)
{
	size_t n;

	mutex_lock(&list.mu);
	n = list.count;
	mutex_unlock(&list.mu);
	return n;
}

static uint64_t
last_ticket(void)
{
	uint64_t n;

	mutex_lock(&list.mu);
	n = list.ticket;
	mutex_unlock(&list.mu);
	return n;
}

START_TEST(an_inode_is_listed_once_and_referenced_while_it_is)
{
	add(ins[0]);
	add(ins[0]);
	ck_assert_uint_eq(listed(), 1);
	ck_assert_uint_eq(refs(ins[0]), 2);
	take_off(ins[0]);
	take_off(ins[0]);
	ck_assert_uint_eq(listed(), 0);
	ck_assert_uint_eq(refs(ins[0]), 1);
}
END_TEST

START_TEST(the_oldest_are_picked_first_and_none_twice)
{
	struct inode *out[INODES];

	for (size_t i = 0; i < INODES; i++)
		add(ins[i]);
	/* Added again it keeps its place. */
	add(ins[0]);
	ck_assert_uint_eq(pick(out, 2, UINT64_MAX), 2);
	ck_assert_ptr_eq(out[0], ins[0]);
	ck_assert_ptr_eq(out[1], ins[1]);
	ck_assert_uint_eq(refs(ins[0]), 3);
	/* Those two are busy. */
	ck_assert_uint_eq(pick(out + 2, 2, UINT64_MAX), 2);
	ck_assert_ptr_eq(out[2], ins[2]);
	ck_assert_ptr_eq(out[3], ins[3]);
	give_back(out, INODES);
	ck_assert_uint_eq(pick(out, INODES, UINT64_MAX), INODES);
	give_back(out, INODES);
}
END_TEST

START_TEST(what_is_younger_waits)
{
	struct inode *out[INODES];
	uint64_t since;

	add(ins[0]);
	add(ins[1]);
	since = ins[0]->dirty.since_ns;
	ck_assert_uint_eq(pick(out, INODES, since - 1), 0);
	ins[1]->dirty.since_ns = since + 1;
	ck_assert_uint_eq(pick(out, INODES, since), 1);
	ck_assert_ptr_eq(out[0], ins[0]);
	give_back(out, 1);
}
END_TEST

START_TEST(what_failed_goes_behind_the_others)
{
	struct inode *out[INODES];
	uint64_t ticket;

	add(ins[0]);
	add(ins[1]);
	ticket = last_ticket();
	dirty_list_requeue(&list, ins[0]);
	ck_assert_uint_gt(ins[0]->dirty.ticket, ticket);
	ck_assert_uint_eq(listed(), 2);
	ck_assert_uint_eq(refs(ins[0]), 2);
	/* One that is on no list stays so. */
	dirty_list_requeue(&list, ins[2]);
	ck_assert(!ins[2]->dirty.is_listed);
	ck_assert_uint_eq(pick(out, INODES, UINT64_MAX), 2);
	ck_assert_ptr_eq(out[0], ins[1]);
	ck_assert_ptr_eq(out[1], ins[0]);
	give_back(out, 2);
}
END_TEST

START_TEST(memory_is_counted_up_and_down)
{
	dirty_list_account(&list, 100, 60);
	dirty_list_account(&list, -40, 0);
	ck_assert(dirty_list_is_over(&list, 59));
	ck_assert(!dirty_list_is_over(&list, 60));
	ck_assert_uint_eq(atomic_load(&list.data_bytes), 60);
}
END_TEST

static void
check_list(void *arg)
{
	dirty_list_check(arg);
}

static void
check_sums(void *arg)
{
	dirty_list_check_sums(arg);
}

START_TEST(a_broken_list_is_told)
{
	struct content contents[2] = {
		{ .mem_bytes = 100, .data_bytes = 60 },
		{ .mem_bytes = 7, .data_bytes = 5 },
	};

	for (int i = 0; i < 2; i++) {
		ins[i]->content = &contents[i];
		add(ins[i]);
	}
	dirty_list_account(&list, 107, 65);
	dirty_list_check_sums(&list);
	dirty_list_account(&list, 0, -1);
	ck_assert(aborts_with("dirty list: 65 bytes wait, 64 are counted",
	    check_sums, &list));
	ins[1]->dirty.ticket = 1;
	ck_assert(aborts_with("dirty list: inode 11 is out of order",
	    check_list, &list));
	ins[1]->dirty.ticket = 2;
	for (int i = 0; i < 2; i++) {
		ins[i]->content = NULL;
		take_off(ins[i]);
	}
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("dirty_list");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_inode_is_listed_once_and_referenced_while_it_is);
	tcase_add_test(tc, the_oldest_are_picked_first_and_none_twice);
	tcase_add_test(tc, what_is_younger_waits);
	tcase_add_test(tc, what_failed_goes_behind_the_others);
	tcase_add_test(tc, memory_is_counted_up_and_down);
	tcase_add_test(tc, a_broken_list_is_told);
	return run_case("dirty_list", tc);
}
