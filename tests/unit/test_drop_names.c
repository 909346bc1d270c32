/* SPDX-License-Identifier: ISC */
/* What the kernel is told to have names dropped, by its version. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/drop_names.h"
#include "support/suite.h"

/* A connection: what is written comes out of it, as whole messages do when
 * each is read before the next. */
static int ends[2];
static struct drop_names d;

static void
connect_to(enum drop_way way)
{
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	d = (struct drop_names){ .fd = ends[1], .way = way };
}

static void
disconnect(void)
{
	drop_names_end(&d);
	close(ends[0]);
	close(ends[1]);
}

/* One message: its code and what follows; -1 when there is none. */
static int
next_message(uint8_t *body, size_t *lenp)
{
	struct {
		uint32_t len;
		int32_t code;
		uint64_t unique;
	} head;

	if (read(ends[0], &head, sizeof(head)) != (ssize_t)sizeof(head))
		return -1;
	ck_assert_uint_eq(head.unique, 0);
	*lenp = head.len - sizeof(head);
	ck_assert_int_eq(read(ends[0], body, *lenp), (ssize_t)*lenp);
	return head.code;
}

static struct fs_cold
cold(uint64_t ino, bool is_dir, const char *name)
{
	return (struct fs_cold){ ino, is_dir, 1, slice_str(name) };
}

START_TEST(inodes_are_told_many_at_a_time)
{
	static uint8_t body[8192];
	struct fs_cold c;
	uint32_t count;
	uint64_t ino;
	size_t len;

	connect_to(DROP_UNUSED);
	for (uint64_t i = 0; i < DROP_MANY + 3; i++) {
		c = cold(100 + i, i % 2 != 0, i % 3 != 0 ? "name" : "");
		drop_names_add(&d, &c);
	}
	ck_assert_int_eq(next_message(body, &len), 9);
	ck_assert_uint_eq(len, 16 + DROP_MANY * 8);
	memcpy(&count, body, 4);
	ck_assert_uint_eq(count, DROP_MANY);
	ck_assert_int_eq(next_message(body, &len), -1);
	drop_names_end(&d);
	ck_assert_int_eq(next_message(body, &len), 9);
	ck_assert_uint_eq(len, 16 + 3 * 8);
	memcpy(&ino, body + 16, 8);
	ck_assert_uint_eq(ino, 100 + DROP_MANY);
	disconnect();
}
END_TEST

START_TEST(names_expire_and_are_not_taken_away)
{
	static uint8_t body[8192];
	struct fs_cold named = cold(7, true, "name");
	struct fs_cold nameless = cold(8, false, "");
	uint32_t head[4];
	size_t len;

	connect_to(DROP_EXPIRED);
	drop_names_add(&d, &nameless);
	ck_assert_int_eq(next_message(body, &len), -1);
	drop_names_add(&d, &named);
	ck_assert_int_eq(next_message(body, &len), 3);
	ck_assert_uint_eq(len, sizeof(head) + 5);
	memcpy(head, body, sizeof(head));
	ck_assert_uint_eq(head[0], 1); /* parent */
	ck_assert_uint_eq(head[2], 4);
	ck_assert_uint_eq(head[3], 1); /* FUSE_EXPIRE_ONLY */
	ck_assert_str_eq((char *)body + sizeof(head), "name");
	disconnect();
}
END_TEST

START_TEST(of_old_kernels_only_files_are_taken_away)
{
	static uint8_t body[8192];
	struct fs_cold dir = cold(7, true, "name");
	/* proc is mounted at /proc here. */
	struct fs_cold mounted = cold(8, false, "proc");
	struct fs_cold odd = cold(9, false, "with space");
	struct fs_cold file = cold(10, false, "no-such-mount-point");
	uint32_t flags;
	size_t len;

	connect_to(DROP_FILES);
	drop_names_add(&d, &dir);
	drop_names_add(&d, &mounted);
	drop_names_add(&d, &odd);
	ck_assert_int_eq(next_message(body, &len), -1);
	drop_names_add(&d, &file);
	ck_assert_int_eq(next_message(body, &len), 3);
	memcpy(&flags, body + 12, 4);
	ck_assert_uint_eq(flags, 0);
	disconnect();
}
END_TEST

START_TEST(the_kernel_is_asked_for_what_its_version_promises)
{
	connect_to(DROP_FILES);
	drop_names_init(&d, ends[1], 37);
	ck_assert_int_eq(d.way, DROP_FILES);
	drop_names_init(&d, ends[1], 38);
	ck_assert_int_eq(d.way, DROP_EXPIRED);
	drop_names_init(&d, ends[1], 45);
	ck_assert_int_eq(d.way, DROP_UNUSED);
	/* It says no all the same: here, since it cannot be written to. */
	drop_names_init(&d, ends[0], 45);
	ck_assert_int_eq(d.way, DROP_EXPIRED);
	disconnect();
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("drop_names");

	tcase_add_test(tc, inodes_are_told_many_at_a_time);
	tcase_add_test(tc, names_expire_and_are_not_taken_away);
	tcase_add_test(tc, of_old_kernels_only_files_are_taken_away);
	tcase_add_test(tc, the_kernel_is_asked_for_what_its_version_promises);
	return run_case("drop_names", tc);
}
