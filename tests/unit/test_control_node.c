/* SPDX-License-Identifier: ISC */
/*
 * Nodes of control files: their numbers, how long they live, what they hold,
 * and who waits for a text. The store is one that has backups only.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/control/control.h"
#include "fuse/control/control_dir.h"
#include "support/suite.h"

#define ARCHIVE "an archive"

static struct control c;
static int closed, show_rc;

static ssize_t
read_archive(struct kv_backup *b, void *buf, size_t len, uint64_t off)
{
	ck_assert_uint_lt(off, b->size);
	len = len < b->size - off ? len : b->size - off;
	memcpy(buf, &ARCHIVE[off], len);
	return (ssize_t)len;
}

static void
close_archive(struct kv_backup *b)
{
	closed++;
	free(b);
}

static int
open_archive(struct control *control, struct kv_backup **backupp)
{
	static const struct kv_backup_ops ops = {
		.read = read_archive,
		.close = close_archive,
	};

	ck_assert_ptr_eq(control, &c);
	*backupp = malloc(sizeof(**backupp));
	**backupp = (struct kv_backup){ &ops, strlen(ARCHIVE) };
	return 0;
}

static int
show(struct control *control, FILE *out)
{
	(void)control;
	fputs("some text", out);
	return show_rc;
}

static const struct control_spec text_spec = { .name = "text", .show = show };
static const struct control_spec backup_spec = {
	.name = "backup",
	.backup = open_archive,
	.read_job = JOB_BACKUP,
};

static void
setup(void)
{
	struct options opts = { 0 };

	closed = show_rc = 0;
	control_init(&c, &opts, "store", "mount", NULL);
}

static void
teardown(void)
{
	control_end(&c);
	control_fini(&c);
}

static struct control_node *
add(const struct control_spec *spec)
{
	struct control_node *node = control_node_add(&c, spec, 7, NULL);

	ck_assert_ptr_nonnull(node);
	control_node_put(&c, node);
	return node;
}

static bool
is_there(uint64_t number)
{
	struct control_node *node = control_node_get(&c, number);

	if (node != NULL)
		control_node_put(&c, node);
	return node != NULL;
}

START_TEST(numbers_are_of_the_directory_and_new)
{
	uint64_t last = 0, number;

	for (int i = 0; i < 1000; i++) {
		number = add(&text_spec)->number;
		ck_assert(control_owns(number));
		ck_assert_uint_lt(last, number);
		ck_assert_uint_lt(number, CONTROL_DIR_INO);
		ck_assert(is_there(number));
		last = number;
		if (i % 2 == 0)
			control_node_forget(&c, number, 1);
		ck_assert_int_eq(is_there(number), i % 2 != 0);
	}
	ck_assert(!is_there(last + 1));
	control_node_forget(&c, last + 1, 1);
}
END_TEST

START_TEST(a_node_lives_as_long_as_it_is_known_or_used)
{
	struct control_node *node = add(&backup_spec);
	uint64_t number = node->number;

	ck_assert_int_eq(control_text_make(&c, &backup_spec, &node->text), 0);
	ck_assert_uint_eq(atomic_load(&c.backups), 1);
	ck_assert_ptr_eq(control_node_get(&c, number), node);
	control_node_hold(&c, node);
	control_node_forget(&c, number, 1);
	control_node_put(&c, node);
	ck_assert_int_eq(closed, 0);
	control_node_put(&c, node);
	ck_assert_int_eq(closed, 1);
	ck_assert(!is_there(number));
	ck_assert_uint_eq(atomic_load(&c.backups), 0);
}
END_TEST

START_TEST(what_is_not_forgotten_ends_with_the_mount)
{
	struct control_node *node = add(&backup_spec);

	ck_assert_int_eq(control_text_make(&c, &backup_spec, &node->text), 0);
	(void)add(&text_spec);
	control_end(&c);
	ck_assert_int_eq(closed, 1);
}
END_TEST

/* Whose turn it is when a request comes; is_use: it needs the text. */
static int
turn(struct control_node *node, bool is_use)
{
	const struct control_ask ask = { .what = ASK_ATTR, .is_use = is_use };

	return control_node_turn(&c, node, &ask);
}

/* End the making; returns how many have waited. */
static int
made(struct control_node *node, int rc)
{
	struct control_asks asks;
	struct control_ask *ask;
	int n = 0;

	control_node_made(&c, node, rc, &asks);
	while ((ask = STAILQ_FIRST(&asks)) != NULL) {
		STAILQ_REMOVE_HEAD(&asks, link);
		free(ask);
		n++;
	}
	return n;
}

START_TEST(one_makes_the_text_and_all_wait_for_it)
{
	struct control_node *node = add(&text_spec);

	ck_assert_int_eq(turn(node, false), TURN_ANSWER);
	ck_assert(!control_node_is_made(&c, node));
	ck_assert_int_eq(turn(node, true), TURN_MAKE);
	ck_assert_int_eq(turn(node, true), TURN_WAIT);
	ck_assert_int_eq(turn(node, false), TURN_WAIT);
	/* It could not be made: the next one tries again. */
	ck_assert_int_eq(made(node, -EBUSY), 3);
	ck_assert_int_eq(turn(node, false), TURN_ANSWER);
	ck_assert_int_eq(turn(node, true), TURN_MAKE);
	ck_assert_int_eq(made(node, 0), 1);
	ck_assert(control_node_is_made(&c, node));
	ck_assert_int_eq(turn(node, true), TURN_ANSWER);
	ck_assert_int_eq(turn(node, false), TURN_ANSWER);
}
END_TEST

/* What a read of size bytes at off gives must be want. */
static void
expect_read(const struct control_text *t, size_t size, uint64_t off,
    const char *want)
{
	struct slice bytes;
	char *copy;

	ck_assert_int_eq(control_text_read(&c, t, size, off, &bytes, &copy), 0);
	ck_assert_uint_eq(bytes.len, strlen(want));
	ck_assert_int_eq(memcmp(bytes.data, want, bytes.len), 0);
	free(copy);
}

START_TEST(texts_are_read_at_any_offset)
{
	struct control_text t;

	ck_assert_int_eq(control_text_make(&c, &text_spec, &t), 0);
	ck_assert_uint_eq(control_text_size(&t), 9);
	expect_read(&t, 4, 0, "some");
	expect_read(&t, 100, 5, "text");
	expect_read(&t, 1, 8, "t");
	control_text_fini(&c, &t);
	show_rc = -EIO;
	ck_assert_int_eq(control_text_make(&c, &text_spec, &t), -EIO);
	ck_assert_ptr_null(t.data);
}
END_TEST

START_TEST(a_backup_that_was_ended_is_not_read)
{
	struct control_text old, new;
	struct slice bytes;
	char *copy;

	ck_assert_int_eq(control_text_make(&c, &backup_spec, &old), 0);
	ck_assert_uint_eq(control_text_size(&old), strlen(ARCHIVE));
	expect_read(&old, 3, 3, "arc");
	atomic_fetch_add(&c.backup_ends, 1);
	ck_assert_int_eq(control_text_read(&c, &old, 3, 3, &bytes, &copy),
	    -ECANCELED);
	ck_assert_ptr_null(copy);
	ck_assert_int_eq(control_text_make(&c, &backup_spec, &new), 0);
	expect_read(&new, 100, 3, "archive");
	control_text_fini(&c, &new);
	control_text_fini(&c, &old);
	ck_assert_int_eq(closed, 2);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("control_node");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, numbers_are_of_the_directory_and_new);
	tcase_add_test(tc, a_node_lives_as_long_as_it_is_known_or_used);
	tcase_add_test(tc, what_is_not_forgotten_ends_with_the_mount);
	tcase_add_test(tc, one_makes_the_text_and_all_wait_for_it);
	tcase_add_test(tc, texts_are_read_at_any_offset);
	tcase_add_test(tc, a_backup_that_was_ended_is_not_read);
	return run_case("control_node", tc);
}
