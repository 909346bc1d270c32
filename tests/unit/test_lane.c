/* SPDX-License-Identifier: ISC */
/* Messages of the fast lane: what is written is read; bytes from the other side
 * are not trusted. */
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include "lane/lane_serve.h"
#include "unit/fs_test.h"

static struct slice
body(const struct buf *m)
{
	return slice_make(m->data + LANE_HEAD, m->len - LANE_HEAD);
}

START_TEST(an_entry_is_read_as_it_was_written)
{
	struct lane_entry a = { .ino = 5, .size = 6, .blocks = 7, .nlink = 8 };
	struct lane_entry b;
	struct buf m = { 0 };

	a.e = (struct fs_bulk_entry){
		.path = slice_str("a/b"),
		.tag = 77,
		.mode = S_IFLNK | 0777,
		.valid = FS_SET_UID,
		.uid = 1,
		.gid = 2,
		.rdev = 3,
		.atime = { -5, 999999999 },
		.mtime = { 1, 2 },
		.target = slice_str("to"),
		.xattrs = a.xattrs,
		.nxattrs = 1,
		.is_value = true,
	};
	a.xattrs[0].name = slice_str("user.x");
	a.xattrs[0].value = slice_str("v");
	ck_assert_int_eq(lane_put_entry(&m, &a), 0);
	ck_assert_int_eq(lane_get_entry(body(&m), &b), 0);
	ck_assert(slice_eq(b.e.path, a.e.path));
	ck_assert(slice_eq(b.e.target, a.e.target));
	ck_assert_uint_eq(b.e.tag, 77);
	ck_assert_int_eq(b.e.atime.tv_sec, -5);
	ck_assert_int_eq(b.e.atime.tv_nsec, 999999999);
	ck_assert_uint_eq(b.e.nxattrs, 1);
	ck_assert(slice_eq(b.e.xattrs[0].name, slice_str("user.x")));
	ck_assert(b.e.is_value);
	ck_assert_uint_eq(b.nlink, 8);
	/* No part of it is one. */
	for (size_t n = 0; n < body(&m).len; n++)
		ck_assert_int_eq(lane_get_entry(slice_make(body(&m).data, n),
				     &b),
		    -EPROTO);
	buf_fini(&m);
}
END_TEST

START_TEST(a_message_that_is_too_long_is_none)
{
	static char big[LANE_MESSAGE_MAX];
	struct buf m = { 0 };

	ck_assert_int_eq(lane_put_data(&m, 0, slice_str("x")), 0);
	ck_assert_int_eq(lane_put_data(&m, 0, slice_make(big, sizeof(big))),
	    -E2BIG);
	ck_assert_uint_eq(m.len, LANE_HEAD + 9);
	buf_fini(&m);
}
END_TEST

static int ends[2];
static struct lane_server server;
static pthread_t thread;

static void *
serve(void *arg)
{
	lane_serve(arg);
	shutdown(ends[1], SHUT_RDWR);
	return NULL;
}

static void
begin_session(uint32_t uid)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	server = (struct lane_server){
		.fs = fs,
		.fd = ends[1],
		.uid = uid,
		.gid = uid,
	};
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, &server), 0);
}

static void
end_session(void)
{
	shutdown(ends[0], SHUT_WR);
	pthread_join(thread, NULL);
	close(ends[0]);
	close(ends[1]);
}

START_TEST(random_bytes_do_no_harm)
{
	const struct lane_hello h = { .work = LANE_LOAD };
	uint8_t junk[600];
	struct buf m = { 0 };

	seed_begin();
	signal(SIGPIPE, SIG_IGN);
	for (int round = 0; round < 300; round++) {
		struct lane_hello hello = h;

		begin_session(0);
		buf_clear(&m);
		hello.work = (uint32_t)rng(5);
		if (rng(4) != 0)
			lane_put_hello(&m, &hello);
		for (int k = 0; k < 4; k++) {
			size_t at = lane_begin(&m, (enum lane_type)(rng(14)));

			for (size_t i = 0; i < sizeof(junk); i++)
				junk[i] = (uint8_t)(rng(3) == 0 ? rng(256) :
								  rng(5));
			buf_append(&m, junk, rng(sizeof(junk)));
			if (rng(5) != 0)
				lane_end(&m, at);
		}
		(void)!write(ends[0], m.data, m.len);
		end_session();
	}
	buf_fini(&m);
	expect_clean();
}
END_TEST

START_TEST(who_is_not_root_gets_no_owner_and_no_device)
{
	const struct lane_hello h = { .work = LANE_LOAD };
	struct lane_entry e = { 0 };
	struct lane_stream s;
	struct lane_result r;
	struct slice m;
	uint32_t type;

	begin_session(1000);
	lane_stream_init(&s, ends[0]);
	lane_put_hello(&s.out, &h);
	e.e = (struct fs_bulk_entry){ .path = slice_str("f"),
		.mode = S_IFREG | 0600,
		.valid = FS_SET_UID | FS_SET_GID,
		.xattrs = e.xattrs,
		.nxattrs = 2 };
	e.xattrs[0] = (struct fs_bulk_xattr){ slice_str("trusted.x"),
		slice_str("1") };
	e.xattrs[1] = (struct fs_bulk_xattr){ slice_str("user.x"),
		slice_str("1") };
	lane_put_entry(&s.out, &e);
	lane_put_end_file(&s.out, 0, true);
	e.e.path = slice_str("dev");
	e.e.mode = S_IFCHR | 0600;
	lane_put_entry(&s.out, &e);
	e.e.path = slice_str(".kvfs/x");
	e.e.mode = S_IFREG | 0600;
	lane_put_entry(&s.out, &e);
	lane_end(&s.out, lane_begin(&s.out, LANE_COMMIT));
	ck_assert_int_eq(lane_receive(&s, &type, &m), 0);
	ck_assert_uint_eq(type, LANE_WELCOME);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(lane_receive(&s, &type, &m), 0);
		ck_assert_uint_eq(type, LANE_FAILED);
		ck_assert_int_eq(lane_get_result(m, &r), 0);
		ck_assert_int_eq(r.rc, -EPERM);
	}
	ck_assert_int_eq(lane_receive(&s, &type, &m), 0);
	ck_assert_uint_eq(type, LANE_DONE);
	ck_assert_int_eq(lane_get_result(m, &r), 0);
	ck_assert_uint_eq(r.stored, 1);
	lane_stream_fini(&s);
	end_session();
	ck_assert_uint_eq(stat_of(lookup("f")).uid, 1000);
	struct buf names = { 0 };

	ck_assert_int_eq(fs_listxattr(fs, lookup("f"), true, &names), 0);
	ck_assert_str_eq((char *)names.data, "user.x");
	ck_assert_uint_eq(names.len, 7);
	buf_fini(&names);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("lane");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_entry_is_read_as_it_was_written);
	tcase_add_test(tc, a_message_that_is_too_long_is_none);
	tcase_add_test(tc, random_bytes_do_no_harm);
	tcase_add_test(tc, who_is_not_root_gets_no_owner_and_no_device);
	return run_case("lane", tc);
}
