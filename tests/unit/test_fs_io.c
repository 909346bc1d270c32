/* SPDX-License-Identifier: ISC */
/* Contents and attributes: the write-back cache, truncation, holes, times,
 * extended attributes, and failures of the store. */
#include <fcntl.h>
#include <linux/falloc.h>
#include <sched.h>
#include <sys/xattr.h>

#include "unit/fs_test.h"

START_TEST(small_contents_live_in_the_row)
{
	save("f", "small");
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_CHUNK), 0);
	reopen();
	expect_file("f", "small");
	ck_assert_uint_eq(stat_of(lookup("f")).blocks, 8);
}
END_TEST

START_TEST(contents_move_to_chunks_and_back_by_size)
{
	uint8_t *data = pattern(INLINE_MAX + 1, 3);
	uint64_t f = make("f");

	write_at(f, 0, data, INLINE_MAX);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_CHUNK), 0);
	write_at(f, FS_APPEND, data + INLINE_MAX, 1);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_CHUNK), 1);
	expect_clean();
	expect_bytes(f, data, INLINE_MAX + 1);
	save("f", "small again");
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_CHUNK), 0);
	expect_clean();
	expect_str(f, "small again");
	free(data);
}
END_TEST

START_TEST(close_commits_unless_it_is_lazy)
{
	struct fs_options lazy = opts;
	uint64_t f = make("f"), before = kv_mem_commits(kv);

	write_str(f, "one");
	ck_assert_uint_eq(kv_mem_commits(kv), before);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_uint_eq(kv_mem_commits(kv), before + 1);
	lazy.flush_on_close = false;
	fs_set_options(fs, &lazy);
	write_str(f, "two");
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_uint_eq(kv_mem_commits(kv), before + 1);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	ck_assert_uint_eq(kv_mem_commits(kv), before + 2);
	ck_assert_uint_eq(kv_mem_synced(kv), before + 2);
}
END_TEST

START_TEST(contents_do_not_wait_longer_than_they_may)
{
	struct fs_options soon = opts;
	uint64_t f = make("f"), before = kv_mem_commits(kv);

	soon.writeback_ms = 10;
	fs_set_options(fs, &soon);
	write_str(f, "waits");
	for (int i = 0; i < 5000 && kv_mem_commits(kv) == before; i++)
		usleep(1000);
	ck_assert_uint_eq(kv_mem_commits(kv), before + 1);
}
END_TEST

/* A thread that sleeps for the hour that contents might have waited. */
START_TEST(a_shorter_wait_holds_for_contents_that_wait)
{
	struct fs_options o = opts;
	uint64_t f = make("f"), before;

	for (int round = 0; round < 5; round++) {
		o.writeback_ms = 3600000;
		fs_set_options(fs, &o);
		before = kv_mem_commits(kv);
		write_str(f, "waits");
		ck_assert_uint_eq(kv_mem_commits(kv), before);
		sched_yield();
		o.writeback_ms = 10;
		fs_set_options(fs, &o);
		for (int i = 0; i < 5000 && kv_mem_commits(kv) == before; i++)
			usleep(1000);
		ck_assert_uint_eq(kv_mem_commits(kv), before + 1);
	}
}
END_TEST

START_TEST(fsync_makes_what_came_before_durable)
{
	uint64_t f = make("f"), d = make_dir("d");

	write_str(f, "x");
	ck_assert_int_eq(fs_fsync(fs, d), 0);
	ck_assert_uint_eq(kv_mem_synced(kv), kv_mem_commits(kv));
	ck_assert_int_eq(fs_fsync(fs, FS_ROOT_INO), 0);
	ck_assert_uint_eq(kv_mem_synced(kv), kv_mem_commits(kv));
	/* Known to the store only, from before it was looked up. */
	fs_forget(fs, f, 1);
	save("g", "y");
	f = lookup("f");
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	ck_assert_uint_eq(kv_mem_synced(kv), kv_mem_commits(kv));
}
END_TEST

START_TEST(a_large_write_is_committed_while_it_goes_on)
{
	size_t len = 5u << 20;
	uint8_t *data = pattern(len, 9);
	uint64_t f = make("f"), before = kv_mem_commits(kv);

	for (size_t off = 0; off < len; off += 100000)
		write_at(f, off, data + off,
		    len - off < 100000 ? len - off : 100000);
	ck_assert_uint_ge(kv_mem_commits(kv), before + 3);
	expect_clean();
	expect_bytes(f, data, len);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_uint_eq(stat_of(f).blocks, len / 512);
	reopen();
	expect_clean();
	expect_bytes(lookup("f"), data, len);
	free(data);
}
END_TEST

START_TEST(memory_stays_within_its_bound)
{
	uint8_t *data = pattern(100000, 9);
	char *text, name[16];
	size_t len;
	unsigned long long bytes;
	struct report report;
	FILE *out;

	unmount_fs();
	opts.writeback_bytes = 1u << 20;
	opts.writeback_ms = 100000;
	opts.flush_on_close = false;
	mount_fs();
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		write_at(make(name), 0, data, 100000);
		out = open_memstream(&text, &len);
		report_init(&report, out, REPORT_TEXT);
		fs_report(fs, &report);
		fclose(out);
		ck_assert_int_eq(sscanf(strstr(text, "Write-back bytes: "),
				     "Write-back bytes: %llu", &bytes),
		    1);
		ck_assert_uint_le(bytes, (1u << 20) + 300000);
		free(text);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		expect_bytes(lookup(name), data, 100000);
	}
	free(data);
}
END_TEST

START_TEST(holes_read_as_zeros_and_take_no_blocks)
{
	uint64_t f = make("f");
	uint8_t *zeros = calloc(1, 1 << 20);

	write_at(f, 10u << 20, "end", 3);
	ck_assert_uint_eq(stat_of(f).blocks, 8);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_uint_eq(stat_of(f).blocks, 8);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_CHUNK), 1);
	ck_assert_int_eq(fs_lseek(fs, f, 0, SEEK_DATA), 10 << 20);
	ck_assert_int_eq(fs_lseek(fs, f, 0, SEEK_HOLE), 0);
	ck_assert_int_eq(fs_lseek(fs, f, 10u << 20, SEEK_HOLE), (10 << 20) + 3);
	ck_assert_int_eq(fs_lseek(fs, f, (10u << 20) + 3, SEEK_DATA), -ENXIO);
	expect_clean();
	free(zeros);
}
END_TEST

/* Who has a file mapped may write to a hole without our knowledge. */
START_TEST(a_writer_hides_holes_that_were_read)
{
	static const uint8_t zeros[100];
	struct fs_attr attr = { .size = sizeof(zeros) };
	uint64_t f = make("f");

	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_SIZE, &attr), 0);
	ck_assert(!fs_writer_begin(fs, f));
	ck_assert_uint_eq(stat_of(f).blocks, 0);
	expect_bytes(f, zeros, sizeof(zeros));
	ck_assert_uint_eq(stat_of(f).blocks, 8);
	ck_assert(fs_writer_end(fs, f));
	ck_assert_uint_eq(stat_of(f).blocks, 0);
	/* Emptied, it has no hole, and the caller nothing to ask again. */
	ck_assert_int_eq(fs_openfile(fs, f, true), 0);
	ck_assert(!fs_writer_begin(fs, f));
	ck_assert_uint_eq(stat_of(f).blocks, 0);
	write_str(f, "contents");
	ck_assert(!fs_writer_end(fs, f));
	fs_release(fs, f);
}
END_TEST

START_TEST(growing_after_a_cut_reads_zeros)
{
	uint8_t *data = pattern(100000, 2), *want = calloc(1, 100000);
	struct fs_attr attr = { .size = 50000 };
	uint64_t f = make("f");

	write_at(f, 0, data, 100000);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_SIZE, &attr), 0);
	attr.size = 100000;
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_SIZE, &attr), 0);
	memcpy(want, data, 50000);
	expect_bytes(f, want, 100000);
	expect_clean();
	reopen();
	expect_bytes(lookup("f"), want, 100000);
	free(data);
	free(want);
}
END_TEST

START_TEST(punching_gives_blocks_back)
{
	uint8_t *data = pattern(8 * CHUNK_SIZE, 2);
	uint64_t f = make("f");

	write_at(f, 0, data, 8 * CHUNK_SIZE);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_uint_eq(stat_of(f).blocks, 8 * CHUNK_SIZE / 512);
	ck_assert_int_eq(fs_fallocate(fs, f,
			     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000,
			     4 * CHUNK_SIZE),
	    0);
	ck_assert_uint_eq(stat_of(f).blocks, 8 + 4 * CHUNK_SIZE / 512);
	memset(data + 1000, 0, 4 * CHUNK_SIZE);
	expect_bytes(f, data, 8 * CHUNK_SIZE);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_CHUNK), 5);
	expect_bytes(f, data, 8 * CHUNK_SIZE);
	/* The first chunk ends where the hole begins. */
	ck_assert_int_eq(fs_lseek(fs, f, 0, SEEK_HOLE), 1000);
	ck_assert_int_eq(fs_lseek(fs, f, 1000, SEEK_DATA), 4 * CHUNK_SIZE);
	ck_assert_int_eq(fs_fallocate(fs, f, FALLOC_FL_COLLAPSE_RANGE, 0,
			     CHUNK_SIZE),
	    -EOPNOTSUPP);
	expect_clean();
	free(data);
}
END_TEST

START_TEST(sizes_go_to_eight_exbibytes)
{
	struct fs_attr attr = { .size = INT64_MAX };
	uint64_t f = make("f");
	size_t n;
	uint8_t *got;

	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_SIZE, &attr), 0);
	ck_assert_int_eq(fs_write(fs, f, INT64_MAX, slice_str("x")), -EFBIG);
	ck_assert_int_eq(fs_write(fs, f, FS_APPEND, slice_str("x")), -EFBIG);
	write_at(f, (uint64_t)INT64_MAX - 5, "tail", 4);
	got = read_at(f, (uint64_t)INT64_MAX - 6, 100, &n);
	ck_assert_uint_eq(n, 6);
	ck_assert_mem_eq(got, "\0tail", 6);
	free(got);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_int_eq(fs_lseek(fs, f, 0, SEEK_DATA),
	    INT64_MAX / CHUNK_SIZE * CHUNK_SIZE);
	attr.size = (uint64_t)INT64_MAX + 1;
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_SIZE, &attr), -EFBIG);
	attr.size = 4;
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_SIZE, &attr), 0);
	ck_assert_uint_eq(stat_of(f).blocks, 0);
	expect_clean();
}
END_TEST

START_TEST(a_cut_of_many_chunks_goes_in_steps)
{
	struct fs_attr attr = { .size = 3 };
	uint64_t f = make("f");

	/* One byte in each of many chunks: more than a batch holds. */
	for (uint64_t i = 0; i < 20000; i++)
		write_at(f, i * CHUNK_SIZE, "x", 1);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_CHUNK), 20000);
	expect_clean();
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_SIZE, &attr), 0);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_CHUNK), 1);
	expect_bytes(f, "x\0", 3);
	expect_clean();
}
END_TEST

START_TEST(chmod_keeps_what_waits_apart)
{
	uint8_t *data = pattern(3u << 20, 4);
	struct fs_attr attr = { .mode = 0600 };
	uint64_t f = save("f", "old");
	struct fs *live = fs;
	struct kv *crashed;

	/* Random writes wait; far more than rides with a chmod. */
	ck_assert_int_eq(fs_openfile(fs, f, false), 0);
	for (int i = 0; i < 100; i++)
		write_at(f, (uint64_t)i * CHUNK_SIZE + 10, data, 20000);
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_MODE, &attr), 0);
	ck_assert_uint_eq(attr.size, 99 * CHUNK_SIZE + 20010);
	crashed = kv_mem_copy_at(kv, kv_mem_commits(kv));
	expect_clean_kv(crashed);
	ck_assert_int_eq(fs_open(crashed, &opts, &fs), 0);
	expect_file("f", "old");
	ck_assert_uint_eq(stat_of(lookup("f")).mode, S_IFREG | 0600);
	unmount_fs();
	kv_close(crashed);
	fs = live;
	fs_release(fs, f);
	free(data);
}
END_TEST

START_TEST(setattr_follows_posix)
{
	struct timespec past = { -5000000000, 7 };
	struct timespec future = { 1LL << 40, 999999999 };
	struct fs_attr attr = { .mode = 06755 }, before;
	uint64_t f = make("f");

	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_MODE, &attr), 0);
	ck_assert_uint_eq(attr.mode, S_IFREG | 06755);
	attr.uid = 5;
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_UID, &attr), 0);
	ck_assert_uint_eq(attr.mode, S_IFREG | 0755);
	ck_assert_uint_eq(attr.uid, 5);
	ck_assert_uint_eq(attr.gid, cred.gid);
	attr.mode = 06745;
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_MODE, &attr), 0);
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_KILL_SUID, &attr), 0);
	/* Without group execution it means mandatory locking. */
	ck_assert_uint_eq(attr.mode, S_IFREG | 02745);
	before = attr;
	attr.atime = past;
	attr.mtime = future;
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_ATIME | FS_SET_MTIME,
			     &attr),
	    0);
	ck_assert(attr.ctime.tv_sec > before.ctime.tv_sec ||
	    attr.ctime.tv_nsec > before.ctime.tv_nsec);
	reopen();
	attr = stat_of(lookup("f"));
	ck_assert_int_eq(attr.atime.tv_sec, past.tv_sec);
	ck_assert_int_eq(attr.atime.tv_nsec, past.tv_nsec);
	ck_assert_int_eq(attr.mtime.tv_sec, future.tv_sec);
	ck_assert_int_eq(attr.mtime.tv_nsec, future.tv_nsec);
	ck_assert_int_eq(fs_setattr(fs, make_dir("d"), &attr, FS_SET_SIZE,
			     &attr),
	    -EISDIR);
}
END_TEST

START_TEST(a_caller_may_keep_the_times)
{
	struct fs_attr before, after;
	uint64_t f = make("f");

	ck_assert_int_eq(fs_write(fs, f, 0, slice_str("first")), 5);
	opts.keep_times = true;
	reopen();
	f = lookup("f");
	before = stat_of(f);
	ck_assert_int_eq(fs_write(fs, f, 0, slice_str("again and more")), 14);
	ck_assert_int_eq(fs_fallocate(fs, f,
			     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 4),
	    0);
	opts.keep_times = false;
	reopen();
	after = stat_of(lookup("f"));
	ck_assert_uint_eq(after.size, 14);
	ck_assert_mem_eq(&after.mtime, &before.mtime, sizeof(after.mtime));
	ck_assert_mem_eq(&after.ctime, &before.ctime, sizeof(after.ctime));
}
END_TEST

START_TEST(reading_moves_atime_as_relatime_does)
{
	struct fs_attr attr;
	uint64_t f = save("f", "x"), seq;
	struct fs_read r;

	attr = stat_of(f);
	ck_assert_int_eq(fs_read(fs, f, 0, 10, &r), 0);
	fs_read_done(&r);
	ck_assert(stat_of(f).atime.tv_nsec != attr.atime.tv_nsec);
	attr = stat_of(f);
	seq = kv_mem_commits(kv);
	ck_assert_int_eq(fs_read(fs, f, 0, 10, &r), 0);
	fs_read_done(&r);
	ck_assert_int_eq(stat_of(f).atime.tv_nsec, attr.atime.tv_nsec);
	/* No commit of its own; it goes with the write-back. */
	ck_assert_uint_eq(kv_mem_commits(kv), seq);
	ck_assert_int_eq(fs_sync(fs), 0);
	ck_assert_uint_eq(kv_mem_commits(kv), seq + 1);
	reopen();
	ck_assert_int_eq(stat_of(lookup("f")).atime.tv_nsec,
	    attr.atime.tv_nsec);
	expect_file("f", "x");
}
END_TEST

START_TEST(reading_moves_atime_always_or_never)
{
	struct fs_attr before, after;
	struct fs_read r;
	uint64_t f;

	unmount_fs();
	opts.atime = _i == 0 ? FS_ATIME_ALWAYS : FS_ATIME_NEVER;
	mount_fs();
	f = save("f", "x");
	for (int i = 0; i < 3; i++) {
		before = stat_of(f);
		ck_assert_int_eq(fs_read(fs, f, 0, 10, &r), 0);
		fs_read_done(&r);
		after = stat_of(f);
		ck_assert((memcmp(&before.atime, &after.atime,
			       sizeof(after.atime)) != 0) == (_i == 0));
	}
}
END_TEST

START_TEST(copies_go_by_range)
{
	uint8_t *data = pattern(200000, 8), *want = calloc(1, 300000);
	uint64_t f = make("f"), g = make("g");

	write_at(f, 0, data, 200000);
	ck_assert_int_eq(fs_copy_range(fs, f, 5000, g, 70000, 1u << 30),
	    195000);
	memcpy(want + 70000, data + 5000, 195000);
	expect_bytes(g, want, 265000);
	ck_assert_int_eq(fs_copy_range(fs, f, 200000, g, 0, 10), 0);
	free(data);
	free(want);
}
END_TEST

START_TEST(reads_borrow_what_is_committed)
{
	uint8_t *data = pattern(4 * CHUNK_SIZE, 8);
	uint64_t f = make("f");
	struct fs_read r;

	write_at(f, 0, data, 4 * CHUNK_SIZE);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_int_eq(fs_read(fs, f, 100, 3 * CHUNK_SIZE, &r), 0);
	ck_assert_uint_eq(r.bytes, 3 * CHUNK_SIZE);
	ck_assert_uint_eq(r.count, 4);
	/* What is replaced meanwhile stays as it was read. */
	write_at(f, 0, "overwritten", 11);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_mem_eq(r.pieces[0].data, data + 100, CHUNK_SIZE - 100);
	fs_read_done(&r);
	free(data);
}
END_TEST

/* ---- Extended attributes ---- */

START_TEST(names_of_xattrs_begin_with_what_the_kernel_checks)
{
	static const struct {
		const char *name;
		int rc;
	} cases[] = {
		{ "user.x", 0 },
		{ "trusted.x", 0 },
		{ "security.x", 0 },
		{ "user.", -EINVAL },
		{ "trusted.", -EINVAL },
		{ "security.", -EINVAL },
		{ "user", -EOPNOTSUPP },
		{ "system.x", -EOPNOTSUPP },
		{ "system.posix_acl_access", -EOPNOTSUPP },
		{ "other.x", -EOPNOTSUPP },
		{ "", -ERANGE },
	};
	struct buf out = { 0 };
	uint64_t f = make("f");
	struct slice name;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		name = slice_str(cases[i].name);
		ck_assert_int_eq(fs_setxattr(fs, f, name, slice_str("v"), 0),
		    cases[i].rc);
		ck_assert_int_eq(fs_getxattr(fs, f, name, &out), cases[i].rc);
		if (cases[i].rc != 0)
			ck_assert_int_eq(fs_removexattr(fs, f, name),
			    cases[i].rc);
	}
	buf_clear(&out);
	ck_assert_int_eq(fs_listxattr(fs, f, false, &out), 0);
	ck_assert_uint_eq(out.len, strlen("security.x") + strlen("user.x") + 2);
	buf_fini(&out);
}
END_TEST

START_TEST(xattrs_follow_their_flags)
{
	static char big[FS_XATTR_SIZE_MAX + 1];
	struct buf value = { 0 }, list = { 0 };
	struct slice name = slice_str("user.name");
	uint64_t f = make("f");

	ck_assert_int_eq(fs_getxattr(fs, f, name, &value), -ENODATA);
	ck_assert_int_eq(fs_setxattr(fs, f, name, slice_str("v"),
			     XATTR_REPLACE),
	    -ENODATA);
	ck_assert_int_eq(fs_setxattr(fs, f, name, slice_str("v"), XATTR_CREATE),
	    0);
	ck_assert_int_eq(fs_setxattr(fs, f, name, slice_str("w"), XATTR_CREATE),
	    -EEXIST);
	ck_assert_int_eq(fs_setxattr(fs, f, name, slice_make(big, sizeof(big)),
			     0),
	    -E2BIG);
	ck_assert_int_eq(fs_setxattr(fs, f, slice_str("user.big"),
			     slice_make(big, FS_XATTR_SIZE_MAX), 0),
	    0);
	ck_assert_int_eq(fs_setxattr(fs, f, slice_str("user.empty"),
			     slice_str(""), 0),
	    0);
	reopen();
	expect_clean();
	f = lookup("f");
	ck_assert_int_eq(fs_getxattr(fs, f, name, &value), 0);
	ck_assert(slice_eq(buf_slice(&value), slice_str("v")));
	buf_clear(&value);
	ck_assert_int_eq(fs_getxattr(fs, f, slice_str("user.empty"), &value),
	    0);
	ck_assert_uint_eq(value.len, 0);
	ck_assert_int_eq(fs_listxattr(fs, f, true, &list), 0);
	ck_assert_uint_eq(list.len, 9 + 10 + 11);
	ck_assert_int_eq(fs_removexattr(fs, f, name), 0);
	ck_assert_int_eq(fs_removexattr(fs, f, name), -ENODATA);
	buf_fini(&value);
	buf_fini(&list);
}
END_TEST

START_TEST(xattrs_belong_to_the_inode_not_the_name)
{
	struct buf value = { 0 };
	struct fs_attr attr;
	uint64_t f = make("f");

	ck_assert_int_eq(fs_setxattr(fs, f, slice_str("user.a"), slice_str("1"),
			     0),
	    0);
	ck_assert_int_eq(fs_link(fs, f, FS_ROOT_INO, slice_str("g"), &attr), 0);
	ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str("g"), FS_ROOT_INO,
			     slice_str("h"), 0),
	    0);
	reopen();
	ck_assert_int_eq(fs_getxattr(fs, lookup("h"), slice_str("user.a"),
			     &value),
	    0);
	ck_assert_int_eq(fs_setxattr(fs, FS_ROOT_INO, slice_str("user.r"),
			     slice_str("root"), 0),
	    0);
	expect_clean();
	buf_fini(&value);
}
END_TEST

/* ---- A store that fails ---- */

START_TEST(a_failed_close_says_so_and_keeps_the_contents)
{
	uint64_t f = save("f", "old");

	ck_assert_int_eq(fs_openfile(fs, f, true), 0);
	write_str(f, "new contents");
	kv_mem_fail_commits(kv, -EIO, 0);
	ck_assert_int_eq(fs_flush(fs, f), -EIO);
	ck_assert_int_eq(fs_fsync(fs, f), -EIO);
	expect_str(f, "new contents");
	kv_mem_fail_commits(kv, 0, 0);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	fs_release(fs, f);
	reopen();
	expect_file("f", "new contents");
}
END_TEST

START_TEST(a_failed_change_leaves_everything_as_it_was)
{
	struct fs_attr attr = { .mode = 0777 };
	uint64_t f = save("f", "f"), g = save("g", "g"), d = make_dir("d");

	kv_mem_fail_commits(kv, -ENOSPC, 0);
	ck_assert_int_eq(fs_create(fs, FS_ROOT_INO, slice_str("n"), S_IFREG, 0,
			     &cred, &attr),
	    -ENOSPC);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("f")), -ENOSPC);
	ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str("f"), FS_ROOT_INO,
			     slice_str("g"), 0),
	    -ENOSPC);
	ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str("f"), d,
			     slice_str("x"), 0),
	    -ENOSPC);
	ck_assert_int_eq(fs_link(fs, f, d, slice_str("x"), &attr), -ENOSPC);
	ck_assert_int_eq(fs_rmdir(fs, FS_ROOT_INO, slice_str("d")), -ENOSPC);
	ck_assert_int_eq(fs_setxattr(fs, f, slice_str("user.x"), slice_str("y"),
			     0),
	    -ENOSPC);
	attr.mode = 0777;
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_MODE, &attr), -ENOSPC);
	kv_mem_fail_commits(kv, 0, 0);
	ck_assert_uint_eq(lookup("n"), 0);
	ck_assert_uint_eq(lookup("f"), f);
	ck_assert_uint_eq(lookup("g"), g);
	ck_assert_uint_eq(stat_of(f).mode, S_IFREG | 0644);
	ck_assert_uint_eq(stat_of(f).nlink, 1);
	ck_assert_uint_eq(stat_of(FS_ROOT_INO).nlink, 3);
	expect_str(f, "f");
	ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str("f"), d,
			     slice_str("x"), 0),
	    0);
	expect_clean();
}
END_TEST

/* Others took the room after it was asked for: each operation has the store
 * make some, without its locks, and succeeds. */
START_TEST(a_lost_race_for_room_is_tried_once_more)
{
	struct fs_attr attr;
	uint64_t f = save("f", "f");

	kv_mem_fail_commit_once(kv, -ENOSPC);
	ck_assert_int_eq(fs_create(fs, FS_ROOT_INO, slice_str("n"), S_IFREG, 0,
			     &cred, &attr),
	    0);
	kv_mem_fail_commit_once(kv, -ENOSPC);
	ck_assert_int_eq(fs_symlink(fs, FS_ROOT_INO, slice_str("s"),
			     slice_str("f"), &cred, &attr),
	    0);
	kv_mem_fail_commit_once(kv, -ENOSPC);
	ck_assert_int_eq(fs_link(fs, f, FS_ROOT_INO, slice_str("l"), &attr), 0);
	kv_mem_fail_commit_once(kv, -ENOSPC);
	ck_assert_int_eq(fs_setxattr(fs, f, slice_str("user.x"), slice_str("y"),
			     0),
	    0);
	kv_mem_fail_commit_once(kv, -ENOSPC);
	ck_assert_int_eq(fs_tmpfile(fs, FS_ROOT_INO, 0600, &cred, &attr), 0);
	fs_release(fs, attr.ino);
	fs_forget(fs, attr.ino, 1);
	ck_assert_uint_eq(stat_of(f).nlink, 2);
	reopen();
	ck_assert_uint_eq(stat_of(lookup("f")).nlink, 2);
	ck_assert_uint_ne(lookup("n"), 0);
	expect_clean();
}
END_TEST

START_TEST(a_full_store_refuses_writes_and_still_deletes)
{
	uint8_t *data = pattern(1u << 20, 1);
	uint64_t f, off = 0;
	ssize_t n;

	kv_mem_set_limit(kv, 20u << 20);
	f = make("f");
	ck_assert_int_eq(fs_openfile(fs, f, false), 0);
	while ((n = fs_write(fs, f, off, slice_make(data, 1u << 20))) > 0)
		off += (uint64_t)n;
	ck_assert_int_eq(n, -ENOSPC);
	ck_assert_uint_ge(off, 10u << 20);
	/* What was taken can be kept. */
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	fs_release(fs, f);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("f")), 0);
	fs_forget(fs, f, 1);
	f = make("g");
	write_at(f, 0, data, 1u << 20);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	free(data);
}
END_TEST

START_TEST(a_read_error_is_no_missing_file)
{
	uint64_t f = save("f", "x");
	struct fs_attr attr;
	struct fs_read r;

	kv_mem_fail_reads(kv, -KVFS_ECHECKSUM);
	ck_assert_int_eq(fs_lookup(fs, FS_ROOT_INO, slice_str("f"), &attr),
	    -KVFS_ECHECKSUM);
	ck_assert_int_eq(fs_create(fs, FS_ROOT_INO, slice_str("f"), S_IFREG, 0,
			     &cred, &attr),
	    -KVFS_ECHECKSUM);
	ck_assert_int_eq(fs_read(fs, f, 0, 10, &r), -KVFS_ECHECKSUM);
	kv_mem_fail_reads(kv, 0);
	expect_file("f", "x");
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("io");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, small_contents_live_in_the_row);
	tcase_add_test(tc, contents_move_to_chunks_and_back_by_size);
	tcase_add_test(tc, close_commits_unless_it_is_lazy);
	tcase_add_test(tc, contents_do_not_wait_longer_than_they_may);
	tcase_add_test(tc, a_shorter_wait_holds_for_contents_that_wait);
	tcase_add_test(tc, fsync_makes_what_came_before_durable);
	tcase_add_test(tc, a_large_write_is_committed_while_it_goes_on);
	tcase_add_test(tc, memory_stays_within_its_bound);
	tcase_add_test(tc, holes_read_as_zeros_and_take_no_blocks);
	tcase_add_test(tc, a_writer_hides_holes_that_were_read);
	tcase_add_test(tc, growing_after_a_cut_reads_zeros);
	tcase_add_test(tc, punching_gives_blocks_back);
	tcase_add_test(tc, sizes_go_to_eight_exbibytes);
	tcase_add_test(tc, a_cut_of_many_chunks_goes_in_steps);
	tcase_add_test(tc, chmod_keeps_what_waits_apart);
	tcase_add_test(tc, setattr_follows_posix);
	tcase_add_test(tc, reading_moves_atime_as_relatime_does);
	tcase_add_loop_test(tc, reading_moves_atime_always_or_never, 0, 2);
	tcase_add_test(tc, copies_go_by_range);
	tcase_add_test(tc, reads_borrow_what_is_committed);
	tcase_add_test(tc, names_of_xattrs_begin_with_what_the_kernel_checks);
	tcase_add_test(tc, xattrs_follow_their_flags);
	tcase_add_test(tc, xattrs_belong_to_the_inode_not_the_name);
	tcase_add_test(tc, a_failed_close_says_so_and_keeps_the_contents);
	tcase_add_test(tc, a_failed_change_leaves_everything_as_it_was);
	tcase_add_test(tc, a_lost_race_for_room_is_tried_once_more);
	tcase_add_test(tc, a_full_store_refuses_writes_and_still_deletes);
	tcase_add_test(tc, a_read_error_is_no_missing_file);
	tcase_add_test(tc, a_caller_may_keep_the_times);
	return run_case("fs_io", tc);
}
