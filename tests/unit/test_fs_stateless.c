/* SPDX-License-Identifier: ISC */
/* A caller that tells of no open and no close: contents are committed with
 * each write, and nothing waits for a release. */
#include <fcntl.h>
#include <unistd.h>

#include "unit/fs_test.h"

/* Leave out the first commits, which make the store. */
static void
setup_stateless(void)
{
	setup();
	unmount_fs();
	opts.atime = FS_ATIME_NEVER;
	opts.stateless = true;
	mount_fs();
}

/* Fail unless name holds text in the store as a killed daemon leaves it. */
static void
expect_committed(const char *name, const void *data, size_t len)
{
	struct kv *live_kv = kv;
	struct fs *live_fs = fs;
	uint64_t ino;

	kv = kv_mem_copy_at(live_kv, kv_mem_commits(live_kv));
	mount_fs();
	ino = lookup(name);
	ck_assert_msg(ino != 0, "%s is not there", name);
	expect_bytes(ino, data, len);
	unmount_fs();
	expect_clean();
	kv_close(kv);
	kv = live_kv;
	fs = live_fs;
}

START_TEST(a_write_is_committed_before_it_returns)
{
	uint8_t *data = pattern(200000, 1);
	uint64_t f, commits;

	kv_mem_keep_history(kv);
	f = make("f");
	for (size_t at = 0, n = 1; at < 200000; at += n, n = n * 3 + 1) {
		if (n > 200000 - at)
			n = 200000 - at;
		commits = kv_mem_commits(kv);
		write_at(f, at, data + at, n);
		ck_assert_uint_eq(kv_mem_commits(kv), commits + 1);
		expect_committed("f", data, at + n);
	}
	free(data);
}
END_TEST

START_TEST(a_truncation_is_committed_before_it_returns)
{
	struct fs_attr attr = { .size = 3 };
	uint64_t f;

	kv_mem_keep_history(kv);
	f = make("f");
	write_str(f, "12345");
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_SIZE, &attr), 0);
	expect_committed("f", "123", 3);
	ck_assert_int_eq(fs_fallocate(fs, f,
			     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2),
	    0);
	expect_committed("f", "\0\0003", 3);
}
END_TEST

START_TEST(lazy_contents_wait_all_the_same)
{
	uint64_t f, commits;

	unmount_fs();
	opts.flush_on_close = false;
	opts.writeback_ms = 3600000;
	mount_fs();
	f = make("f");
	commits = kv_mem_commits(kv);
	write_str(f, "text");
	ck_assert_uint_eq(kv_mem_commits(kv), commits);
	reopen();
	expect_file("f", "text");
}
END_TEST

START_TEST(a_failed_commit_fails_the_write_and_changes_nothing)
{
	uint64_t f = make("f"), commits;

	write_str(f, "before");
	kv_mem_fail_commit_once(kv, -EIO);
	ck_assert_int_eq(fs_write(fs, f, 3, slice_str("after")), -EIO);
	expect_str(f, "before");
	/* Nothing is left that could be committed later. */
	commits = kv_mem_commits(kv);
	ck_assert_int_eq(fs_sync(fs), 0);
	ck_assert_uint_eq(kv_mem_commits(kv), commits);
	write_at(f, 6, "!", 1);
	expect_str(f, "before!");
}
END_TEST

START_TEST(a_lost_race_for_room_is_tried_once_more)
{
	uint64_t f = make("f"), commits;

	kv_mem_fail_commit_once(kv, -ENOSPC);
	commits = kv_mem_commits(kv);
	write_str(f, "there is room now");
	ck_assert_uint_eq(kv_mem_commits(kv), commits + 1);
	expect_str(f, "there is room now");
}
END_TEST

/* A file without a name would not be found after a crash. */
START_TEST(a_file_without_a_name_is_committed_when_it_gets_one)
{
	uint64_t commits;
	struct fs_attr attr;

	kv_mem_keep_history(kv);
	ck_assert_int_eq(fs_tmpfile(fs, FS_ROOT_INO, 0600, &cred, &attr), 0);
	commits = kv_mem_commits(kv);
	write_str(attr.ino, "contents");
	ck_assert_uint_eq(kv_mem_commits(kv), commits);
	ck_assert_int_eq(fs_link(fs, attr.ino, FS_ROOT_INO, slice_str("name"),
			     &attr),
	    0);
	expect_committed("name", "contents", 8);
}
END_TEST

START_TEST(files_without_a_name_end_when_they_are_forgotten)
{
	uint64_t f = make("f");
	struct fs_attr attr;

	write_str(f, "still there");
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("f")), 0);
	expect_str(f, "still there");
	write_at(f, 11, "!", 1);
	expect_str(f, "still there!");
	fs_forget(fs, f, 1);
	ck_assert_int_eq(fs_getattr(fs, f, &attr), -ESTALE);
	ck_assert_int_eq(fs_tmpfile(fs, FS_ROOT_INO, 0600, &cred, &attr), 0);
	f = attr.ino;
	fs_forget(fs, f, 1);
	ck_assert_int_eq(fs_getattr(fs, f, &attr), -ESTALE);
}
END_TEST

/* A program may write to a page of a hole through a map. */
START_TEST(holes_are_told_once_the_copies_of_them_are_gone)
{
	uint64_t f = make("f");
	struct fs_read r;

	write_at(f, 10 * CHUNK_SIZE, "x", 1);
	ck_assert(!fs_holes_leave(fs, f));
	ck_assert_int_eq(fs_lseek(fs, f, 0, SEEK_DATA), 10 * CHUNK_SIZE);
	ck_assert_int_eq(fs_read(fs, f, 0, 1, &r), 0);
	fs_read_done(&r);
	ck_assert_int_eq(fs_lseek(fs, f, 0, SEEK_DATA), 0);
	ck_assert(fs_holes_leave(fs, f));
	ck_assert_int_eq(fs_lseek(fs, f, 0, SEEK_DATA), 0);
	fs_holes_left(fs, f);
	ck_assert_int_eq(fs_lseek(fs, f, 0, SEEK_DATA), 10 * CHUNK_SIZE);
	/* A read before they are gone makes new copies. */
	ck_assert_int_eq(fs_read(fs, f, 0, 1, &r), 0);
	fs_read_done(&r);
	ck_assert(fs_holes_leave(fs, f));
	ck_assert_int_eq(fs_read(fs, f, 0, 1, &r), 0);
	fs_read_done(&r);
	fs_holes_left(fs, f);
	ck_assert_int_eq(fs_lseek(fs, f, 0, SEEK_DATA), 0);
}
END_TEST

START_TEST(a_copy_is_committed_in_large_pieces)
{
	uint8_t *data = pattern(3u << 20, 4);
	uint64_t f = make("f"), g = make("g"), commits;

	write_at(f, 0, data, 3u << 20);
	commits = kv_mem_commits(kv);
	ck_assert_int_eq(fs_copy_range(fs, f, 0, g, 0, 3u << 20), 3 << 20);
	ck_assert_uint_le(kv_mem_commits(kv), commits + 3);
	kv_mem_fail_commits(kv, -EIO, 0);
	expect_bytes(g, data, 3u << 20);
	kv_mem_fail_commits(kv, 0, 0);
	free(data);
}
END_TEST

START_TEST(a_copy_that_fails_midway_commits_what_it_says)
{
	uint8_t *data = pattern(20 * CHUNK_SIZE, 4);
	uint64_t f = make("f"), g = make("g");
	ssize_t n;

	kv_mem_keep_history(kv);
	write_at(f, 0, data, 20 * CHUNK_SIZE);
	/* The destination ends at the largest offset there is. */
	n = fs_copy_range(fs, f, 0, g, SIZE_LIMIT - 10 * CHUNK_SIZE - 5,
	    20 * CHUNK_SIZE);
	ck_assert_int_eq(n, 10 * CHUNK_SIZE);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_CHUNK), 20 + 11);
	free(data);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("fs_stateless");

	tcase_add_checked_fixture(tc, setup_stateless, teardown);
	tcase_add_test(tc, a_write_is_committed_before_it_returns);
	tcase_add_test(tc, a_truncation_is_committed_before_it_returns);
	tcase_add_test(tc, lazy_contents_wait_all_the_same);
	tcase_add_test(tc, a_failed_commit_fails_the_write_and_changes_nothing);
	tcase_add_test(tc, a_lost_race_for_room_is_tried_once_more);
	tcase_add_test(tc, a_file_without_a_name_is_committed_when_it_gets_one);
	tcase_add_test(tc, files_without_a_name_end_when_they_are_forgotten);
	tcase_add_test(tc, holes_are_told_once_the_copies_of_them_are_gone);
	tcase_add_test(tc, a_copy_is_committed_in_large_pieces);
	tcase_add_test(tc, a_copy_that_fails_midway_commits_what_it_says);
	return run_case("fs_stateless", tc);
}
