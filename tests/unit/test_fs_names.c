/* SPDX-License-Identifier: ISC */
/* Names and inodes: create, link, unlink, rename, lookup counts, listings. */
#include <fcntl.h>

#include "unit/fs_test.h"

START_TEST(a_new_file_is_found_with_its_attributes)
{
	struct fs_attr made, found;

	ck_assert_int_eq(fs_create(fs, FS_ROOT_INO, slice_str("f"),
			     S_IFREG | 0640, 0, &cred, &made),
	    0);
	ck_assert_int_eq(fs_lookup(fs, FS_ROOT_INO, slice_str("f"), &found), 0);
	ck_assert_uint_eq(found.ino, made.ino);
	ck_assert_uint_eq(found.mode, S_IFREG | 0640);
	ck_assert_uint_eq(found.uid, cred.uid);
	ck_assert_uint_eq(found.gid, cred.gid);
	ck_assert_uint_eq(found.nlink, 1);
	ck_assert_uint_eq(found.size, 0);
	ck_assert_uint_eq(found.blocks, 0);
	reopen();
	ck_assert_int_eq(fs_lookup(fs, FS_ROOT_INO, slice_str("f"), &found), 0);
	ck_assert_uint_eq(found.ino, made.ino);
	ck_assert_int_eq(found.mtime.tv_nsec, made.mtime.tv_nsec);
	ck_assert_int_eq(found.btime.tv_sec, made.btime.tv_sec);
}
END_TEST

START_TEST(a_create_is_one_commit_of_two_rows)
{
	uint64_t before;

	make("first"); /* reserves numbers */
	before = kv_mem_commits(kv);
	make("second");
	ck_assert_uint_eq(kv_mem_commits(kv), before + 1);
}
END_TEST

START_TEST(names_are_refused_as_posix_says)
{
	char name[300];
	struct fs_attr attr;

	memset(name, 'n', sizeof(name));
	ck_assert_int_eq(fs_create(fs, FS_ROOT_INO, slice_make(name, 256),
			     S_IFREG, 0, &cred, &attr),
	    -ENAMETOOLONG);
	ck_assert_int_eq(fs_lookup(fs, FS_ROOT_INO, slice_make(name, 256),
			     &attr),
	    -ENAMETOOLONG);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_make(name, 256)),
	    -ENAMETOOLONG);
	ck_assert_int_eq(fs_create(fs, FS_ROOT_INO, slice_make(name, 255),
			     S_IFREG, 0, &cred, &attr),
	    0);
	ck_assert_int_eq(fs_create(fs, FS_ROOT_INO, slice_str("."), S_IFREG, 0,
			     &cred, &attr),
	    -EINVAL);
	ck_assert_int_eq(fs_create(fs, attr.ino, slice_str("x"), S_IFREG, 0,
			     &cred, &attr),
	    -ESTALE);
}
END_TEST

START_TEST(a_file_is_no_directory)
{
	uint64_t f = make("f");
	struct fs_attr attr;

	ck_assert_int_eq(fs_lookup(fs, f, slice_str("x"), &attr), -ENOTDIR);
	ck_assert_int_eq(fs_rmdir(fs, FS_ROOT_INO, slice_str("f")), -ENOTDIR);
	make_dir("d");
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("d")), -EISDIR);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("x")), -ENOENT);
}
END_TEST

START_TEST(directories_count_their_links)
{
	uint64_t d = make_dir("d");

	ck_assert_uint_eq(stat_of(d).nlink, 2);
	make_in(d, "sub", S_IFDIR | 0755);
	make_in(d, "file", S_IFREG | 0644);
	ck_assert_uint_eq(stat_of(d).nlink, 3);
	ck_assert_int_eq(fs_rmdir(fs, FS_ROOT_INO, slice_str("d")), -ENOTEMPTY);
	ck_assert_int_eq(fs_rmdir(fs, d, slice_str("sub")), 0);
	ck_assert_uint_eq(stat_of(d).nlink, 2);
	ck_assert_int_eq(fs_unlink(fs, d, slice_str("file")), 0);
	ck_assert_int_eq(fs_rmdir(fs, FS_ROOT_INO, slice_str("d")), 0);
	ck_assert_uint_eq(stat_of(d).nlink, 0);
	ck_assert_uint_eq(stat_of(FS_ROOT_INO).nlink, 2);
}
END_TEST

START_TEST(nothing_is_made_in_a_removed_directory)
{
	uint64_t d = make_dir("d"), f = make("f");
	struct fs_attr attr;

	ck_assert_int_eq(fs_rmdir(fs, FS_ROOT_INO, slice_str("d")), 0);
	ck_assert_int_eq(fs_create(fs, d, slice_str("x"), S_IFREG, 0, &cred,
			     &attr),
	    -ENOENT);
	ck_assert_int_eq(fs_link(fs, f, d, slice_str("x"), &attr), -ENOENT);
	ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str("f"), d,
			     slice_str("x"), 0),
	    -ENOENT);
}
END_TEST

START_TEST(a_change_moves_the_times_of_the_directory)
{
	struct fs_attr before = stat_of(FS_ROOT_INO), after;

	make("f");
	after = stat_of(FS_ROOT_INO);
	ck_assert(after.mtime.tv_sec > before.mtime.tv_sec ||
	    after.mtime.tv_nsec > before.mtime.tv_nsec);
	ck_assert_int_eq(after.mtime.tv_nsec, after.ctime.tv_nsec);
}
END_TEST

START_TEST(set_gid_directories_hand_down_their_group)
{
	struct fs_attr attr = { .mode = 02775, .gid = 7 };
	uint64_t d = make_dir("d"), sub, f;

	ck_assert_int_eq(fs_setattr(fs, d, &attr, FS_SET_GID, &attr), 0);
	attr.mode = 02775;
	ck_assert_int_eq(fs_setattr(fs, d, &attr, FS_SET_MODE, &attr), 0);
	sub = make_in(d, "sub", S_IFDIR | 0755);
	f = make_in(d, "f", S_IFREG | 0644);
	ck_assert_uint_eq(stat_of(sub).gid, 7);
	ck_assert_uint_eq(stat_of(sub).mode, S_IFDIR | 02755);
	ck_assert_uint_eq(stat_of(f).gid, 7);
	ck_assert_uint_eq(stat_of(f).mode, S_IFREG | 0644);
}
END_TEST

START_TEST(a_hard_link_is_the_same_file)
{
	uint64_t f = save("a", "contents"), d = make_dir("d");
	struct fs_attr attr;

	ck_assert_int_eq(fs_link(fs, f, d, slice_str("b"), &attr), 0);
	ck_assert_uint_eq(attr.ino, f);
	ck_assert_uint_eq(attr.nlink, 2);
	reopen();
	expect_clean();
	d = lookup("d");
	f = lookup_in(d, "b");
	ck_assert_uint_eq(f, lookup("a"));
	expect_str(f, "contents");
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("a")), 0);
	ck_assert_uint_eq(stat_of(f).nlink, 1);
	expect_str(f, "contents");
	expect_clean();
	ck_assert_int_eq(fs_unlink(fs, d, slice_str("b")), 0);
	expect_clean();
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_INODE), 1);
	ck_assert_int_eq(fs_link(fs, d, d, slice_str("l"), &attr), -EPERM);
}
END_TEST

START_TEST(a_device_keeps_its_number)
{
	struct fs_attr attr;

	ck_assert_int_eq(fs_create(fs, FS_ROOT_INO, slice_str("null"),
			     S_IFCHR | 0666, 0x103, &cred, &attr),
	    0);
	reopen();
	ck_assert_uint_eq(stat_of(lookup("null")).rdev, 0x103);
	ck_assert_uint_eq(stat_of(lookup("null")).mode, S_IFCHR | 0666);
}
END_TEST

START_TEST(a_symlink_holds_its_target)
{
	char target[FS_SYMLINK_MAX + 1];
	struct buf got = { 0 };
	struct fs_attr attr;

	memset(target, 't', sizeof(target));
	ck_assert_int_eq(fs_symlink(fs, FS_ROOT_INO, slice_str("s"),
			     slice_make(target, sizeof(target)), &cred, &attr),
	    -ENAMETOOLONG);
	ck_assert_int_eq(fs_symlink(fs, FS_ROOT_INO, slice_str("s"),
			     slice_make(target, FS_SYMLINK_MAX), &cred, &attr),
	    0);
	ck_assert_uint_eq(attr.size, FS_SYMLINK_MAX);
	reopen();
	ck_assert_int_eq(fs_readlink(fs, lookup("s"), &got), 0);
	ck_assert_uint_eq(got.len, FS_SYMLINK_MAX);
	ck_assert_mem_eq(got.data, target, got.len);
	ck_assert_int_eq(fs_readlink(fs, FS_ROOT_INO, &got), -EINVAL);
	buf_fini(&got);
}
END_TEST

/* Once nobody knows them, files without a name leave nothing behind. */
static void
expect_no_orphans(void)
{
	ck_assert_int_eq(fs_sync(fs), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_ORPHAN), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_INODE), 1);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_CHUNK), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_XATTR), 0);
	expect_clean();
}

START_TEST(an_unlinked_open_file_lives_until_it_is_forgotten)
{
	uint64_t f = save("f", "still here");
	struct fs_attr attr;

	ck_assert_int_eq(fs_openfile(fs, f, false), 0);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("f")), 0);
	ck_assert_uint_eq(stat_of(f).nlink, 0);
	ck_assert_uint_eq(lookup("f"), 0);
	expect_str(f, "still here");
	write_str(f, "and changes");
	expect_str(f, "and changes");
	ck_assert_int_eq(fs_link(fs, f, FS_ROOT_INO, slice_str("g"), &attr),
	    -ENOENT);
	expect_clean();
	fs_release(fs, f);
	/* Closed, but not forgotten. */
	ck_assert_int_eq(fs_openfile(fs, f, false), 0);
	expect_str(f, "and changes");
	fs_forget(fs, f, 1);
	fs_release(fs, f);
	ck_assert_int_eq(fs_openfile(fs, f, false), -ESTALE);
	expect_no_orphans();
}
END_TEST

/* All that can be done with f, which is known but has no name; it began with
 * a pattern of size bytes. */
static void
use_without_name(uint64_t f, size_t size)
{
	struct fs_attr attr = { .mode = 0600 };
	struct buf value = { 0 };
	uint8_t *was = pattern(size, 1), now[6] = { 0 };

	ck_assert_uint_eq(stat_of(f).nlink, 0);
	ck_assert_uint_eq(stat_of(f).size, size);
	ck_assert_int_eq(fs_openfile(fs, f, false), 0);
	expect_bytes(f, was, size);
	if (size != 0)
		memcpy(now, was, sizeof(now));
	memcpy(now + 3, "xyz", 3);
	free(was);
	write_at(f, 3, "xyz", 3);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	fs_release(fs, f);
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_MODE, &attr), 0);
	ck_assert_uint_eq(attr.mode & 07777, 0600);
	attr.size = 6;
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_SIZE, &attr), 0);
	ck_assert_int_eq(fs_setxattr(fs, f, slice_str("user.a"), slice_str("b"),
			     0),
	    0);
	ck_assert_int_eq(fs_getxattr(fs, f, slice_str("user.a"), &value), 0);
	ck_assert_uint_eq(value.len, 1);
	buf_fini(&value);
	expect_clean();
	expect_bytes(f, now, sizeof(now));
}

START_TEST(a_removed_file_that_is_known_can_be_used)
{
	const size_t sizes[] = { 0, 100, 2000, 300000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * 2; i++) {
		size_t size = sizes[i / 2];
		uint8_t *data = pattern(size, 1);
		uint64_t f = make("f"), g = 0;

		if (size != 0)
			write_at(f, 0, data, size);
		ck_assert_int_eq(fs_flush(fs, f), 0);
		if (i % 2 == 0) {
			ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO,
					     slice_str("f")),
			    0);
		} else {
			g = save("g", "new");
			ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO,
					     slice_str("g"), FS_ROOT_INO,
					     slice_str("f"), 0),
			    0);
			expect_file("f", "new");
		}
		use_without_name(f, size);
		fs_forget(fs, f, 1);
		if (g != 0) {
			ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO,
					     slice_str("f")),
			    0);
			fs_forget(fs, g, 2);
		}
		expect_no_orphans();
		free(data);
	}
}
END_TEST

START_TEST(a_removed_directory_takes_no_names)
{
	uint64_t d = make_dir("d"), e;
	struct fs_attr attr = { .mode = 0700 };

	ck_assert_int_eq(fs_rmdir(fs, FS_ROOT_INO, slice_str("d")), 0);
	ck_assert_uint_eq(stat_of(d).nlink, 0);
	ck_assert_int_eq(fs_create(fs, d, slice_str("f"), S_IFREG | 0644, 0,
			     &cred, &attr),
	    -ENOENT);
	ck_assert_uint_eq(lookup_in(d, "f"), 0);
	attr.mode = 0700;
	ck_assert_int_eq(fs_setattr(fs, d, &attr, FS_SET_MODE, &attr), 0);
	ck_assert_int_eq(fs_setxattr(fs, d, slice_str("user.a"), slice_str("b"),
			     0),
	    0);
	ck_assert_uint_eq(stat_of(d).mode & 07777, 0700);
	expect_clean();
	/* Its name is free. */
	e = make_dir("d");
	ck_assert_uint_ne(e, d);
	ck_assert_uint_eq(lookup("d"), e);
	fs_forget(fs, d, 1);
	ck_assert_int_eq(fs_rmdir(fs, FS_ROOT_INO, slice_str("d")), 0);
	fs_forget(fs, e, 2);
	expect_no_orphans();
}
END_TEST

START_TEST(names_that_are_lost_are_gone_after_a_crash_though_known)
{
	uint8_t *data = pattern(100000, 1);
	uint64_t f = make("f"), d = make_dir("d");
	struct fs_attr attr;

	write_at(f, 0, data, 100000);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("f")), 0);
	ck_assert_int_eq(fs_rmdir(fs, FS_ROOT_INO, slice_str("d")), 0);
	ck_assert_int_eq(fs_setxattr(fs, d, slice_str("user.a"), slice_str("b"),
			     0),
	    0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_ORPHAN), 2);
	ck_assert_int_eq(fs_getattr(fs, f, &attr), 0);
	reopen();
	expect_no_orphans();
	free(data);
}
END_TEST

START_TEST(orphans_of_a_crash_are_swept_at_the_next_mount)
{
	uint8_t *data = pattern(100000, 1);
	uint64_t f = make("f");
	struct kv *crashed;
	struct fs *other;
	struct buf value = { 0 };

	write_at(f, 0, data, 100000);
	ck_assert_int_eq(fs_setxattr(fs, f, slice_str("user.x"), slice_str("y"),
			     0),
	    0);
	ck_assert_int_eq(fs_openfile(fs, f, false), 0);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("f")), 0);
	crashed = kv_mem_copy_at(kv, kv_mem_commits(kv));
	expect_clean_kv(crashed);
	ck_assert_uint_eq(kv_mem_rows(crashed, SPACE_ORPHAN), 1);
	ck_assert_uint_gt(kv_mem_rows(crashed, SPACE_CHUNK), 0);
	ck_assert_int_eq(fs_open(crashed, &opts, &other), 0);
	ck_assert_uint_eq(kv_mem_rows(crashed, SPACE_ORPHAN), 0);
	ck_assert_uint_eq(kv_mem_rows(crashed, SPACE_CHUNK), 0);
	ck_assert_uint_eq(kv_mem_rows(crashed, SPACE_XATTR), 0);
	ck_assert_int_eq(fs_close(other), 0);
	expect_clean_kv(crashed);
	kv_close(crashed);
	fs_release(fs, f);
	buf_fini(&value);
	free(data);
}
END_TEST

START_TEST(a_temporary_file_can_be_given_a_name)
{
	struct fs_attr attr, linked;

	ck_assert_int_eq(fs_tmpfile(fs, FS_ROOT_INO, 0600, &cred, &attr), 0);
	ck_assert_uint_eq(attr.nlink, 0);
	write_str(attr.ino, "temporary");
	expect_clean();
	ck_assert_int_eq(fs_link(fs, attr.ino, FS_ROOT_INO, slice_str("t"),
			     &linked),
	    0);
	ck_assert_uint_eq(linked.nlink, 1);
	fs_release(fs, attr.ino);
	reopen();
	expect_clean();
	expect_file("t", "temporary");
	ck_assert_int_eq(fs_tmpfile(fs, FS_ROOT_INO, 0600, &cred, &attr), 0);
	fs_release(fs, attr.ino);
	fs_forget(fs, attr.ino, 1);
	ck_assert_int_eq(fs_sync(fs), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_ORPHAN), 0);
}
END_TEST

START_TEST(deleted_files_leave_no_rows)
{
	uint8_t *data = pattern(200000, 1);
	uint64_t f = make("f"), g = make("g");

	write_at(f, 0, data, 200000);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_int_eq(fs_setxattr(fs, f, slice_str("user.x"), slice_str("y"),
			     0),
	    0);
	write_at(g, 0, data, 200000);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("f")), 0);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("g")), 0);
	fs_forget(fs, f, 1);
	fs_forget(fs, g, 1);
	ck_assert_int_eq(fs_sync(fs), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_CHUNK), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_XATTR), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_DENTRY), 0);
	free(data);
}
END_TEST

START_TEST(numbers_are_never_used_again)
{
	uint64_t last = 0, ino;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 5000; i++) {
			ino = make("f");
			ck_assert_uint_gt(ino, last);
			last = ino;
			ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO,
					     slice_str("f")),
			    0);
			fs_forget(fs, ino, 1);
		}
		reopen();
	}
}
END_TEST

START_TEST(a_directory_is_not_moved_into_itself)
{
	uint64_t a = make_dir("a"), b = make_in(a, "b", S_IFDIR | 0755);

	ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str("a"), b,
			     slice_str("c"), 0),
	    -EINVAL);
	ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str("a"), a,
			     slice_str("c"), 0),
	    -EINVAL);
	ck_assert_int_eq(fs_rename(fs, a, slice_str("b"), FS_ROOT_INO,
			     slice_str("a"), 0),
	    -ENOTEMPTY);
	ck_assert_int_eq(fs_rename(fs, a, slice_str("b"), FS_ROOT_INO,
			     slice_str("b"), 0),
	    0);
	ck_assert_uint_eq(stat_of(a).nlink, 2);
	ck_assert_uint_eq(stat_of(FS_ROOT_INO).nlink, 4);
}
END_TEST

START_TEST(two_names_are_exchanged_in_one_step)
{
	uint64_t d = make_dir("d"), f = save("f", "file");
	struct kv *copy;

	make_in(d, "x", S_IFREG | 0644);
	kv_mem_keep_history(kv);
	ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str("f"), FS_ROOT_INO,
			     slice_str("d"), RENAME_EXCHANGE),
	    0);
	ck_assert_uint_eq(lookup("d"), f);
	ck_assert_uint_eq(lookup("f"), d);
	ck_assert_uint_ne(lookup_in(d, "x"), 0);
	copy = kv_mem_copy_at(kv, kv_mem_commits(kv) - 1);
	expect_clean_kv(copy);
	kv_close(copy);
	ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str("f"), FS_ROOT_INO,
			     slice_str("nothing"), RENAME_EXCHANGE),
	    -ENOENT);
}
END_TEST

START_TEST(a_renamed_file_keeps_what_waited)
{
	uint64_t f = make("f");

	ck_assert_int_eq(fs_openfile(fs, f, false), 0);
	write_str(f, "waiting");
	ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str("f"), FS_ROOT_INO,
			     slice_str("g"), 0),
	    0);
	/* Committed with the rename: a crash now loses nothing of it. */
	struct kv *crashed = kv_mem_copy_at(kv, kv_mem_commits(kv));
	struct fs *live = fs;

	ck_assert_int_eq(fs_open(crashed, &opts, &fs), 0);
	expect_file("g", "waiting");
	unmount_fs();
	kv_close(crashed);
	fs = live;
	write_str(f, "writing");
	expect_file("g", "writing");
	fs_release(fs, f);
}
END_TEST

START_TEST(lookups_are_counted)
{
	uint64_t f = make("f");
	struct fs_attr attr;

	ck_assert_uint_eq(lookup("f"), f);
	fs_forget(fs, f, 1);
	ck_assert_int_eq(fs_getattr(fs, f, &attr), 0);
	fs_forget(fs, f, 1);
	ck_assert_int_eq(fs_getattr(fs, f, &attr), -ESTALE);
	fs_forget(fs, f, 1);
	ck_assert_int_eq(fs_getattr(fs, FS_ROOT_INO, &attr), 0);
	fs_forget(fs, FS_ROOT_INO, 5);
	ck_assert_int_eq(fs_getattr(fs, FS_ROOT_INO, &attr), 0);
}
END_TEST

/* ---- Listings ---- */

struct names {
	char name[4096][16];
	size_t count, limit;
	int64_t next[4096];
	bool with_attr;
	size_t attrs;
};

static bool
collect(void *arg, const struct fs_dirent *e)
{
	struct names *n = arg;

	if (n->limit != 0 && n->count == n->limit)
		return false;
	ck_assert_uint_lt(e->name.len, 16);
	memcpy(n->name[n->count], e->name.data, e->name.len);
	n->name[n->count][e->name.len] = '\0';
	n->next[n->count++] = e->next;
	if (e->attr != NULL) {
		n->attrs++;
		fs_forget(fs, e->ino, 1);
	}
	return true;
}

START_TEST(a_listing_holds_no_view_and_can_be_sought)
{
	struct names *n = calloc(2, sizeof(*n)), *m = n + 1;
	struct fs_dir *dir;
	char name[16];

	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "f%04d", i);
		fs_forget(fs, make(name), 1);
	}
	ck_assert_int_eq(fs_opendir(fs, FS_ROOT_INO, &dir), 0);
	n->limit = 1500;
	ck_assert_int_eq(fs_readdir(fs, dir, 0, false, collect, n), 0);
	ck_assert_uint_eq(n->count, 1500);
	ck_assert_uint_eq(kv_mem_views(kv), 0);
	/* Changes behind and before do not move offsets. */
	fs_unlink(fs, FS_ROOT_INO, slice_str("f0003"));
	fs_forget(fs, make("a"), 1);
	fs_forget(fs, make("z"), 1);
	n->limit = 3001;
	ck_assert_int_eq(fs_readdir(fs, dir, n->next[1499], false, collect, n),
	    0);
	ck_assert_uint_eq(n->count, 3001);
	ck_assert_str_eq(n->name[3000], "f2998");
	for (int i = 0; i < 40; i++) {
		size_t at = (size_t)i * 71 + 5; /* first what is gone */

		m->count = 0;
		m->limit = 2;
		ck_assert_int_eq(fs_readdir(fs, dir, n->next[at], false,
				     collect, m),
		    0);
		ck_assert_str_eq(m->name[0], n->name[at + 1]);
		ck_assert_str_eq(m->name[1], n->name[at + 2]);
	}
	n->count = n->limit = 0;
	ck_assert_int_eq(fs_readdir(fs, dir, 0, true, collect, n), 0);
	ck_assert_uint_eq(n->count, 3003);
	ck_assert_str_eq(n->name[2], "a");
	ck_assert_uint_eq(n->attrs, 3001);
	m->count = m->limit = 0;
	ck_assert_int_eq(fs_readdir(fs, dir, n->next[3002], false, collect, m),
	    0);
	ck_assert_uint_eq(m->count, 0);
	/* A place that never was: from the beginning. */
	m->limit = 1;
	ck_assert_int_eq(fs_readdir(fs, dir, 12345, false, collect, m), 0);
	ck_assert_str_eq(m->name[0], "a");
	fs_closedir(fs, dir);
	free(n);
}
END_TEST

START_TEST(a_listing_never_brings_back_what_is_gone)
{
	struct names *n = calloc(1, sizeof(*n));
	uint64_t stays = save("stays", "1"), moved = save("moved", "2");
	struct fs_dir *dir;

	save("gone", "3");
	fs_forget(fs, stays, 3);
	fs_forget(fs, moved, 3);
	ck_assert_int_eq(fs_opendir(fs, FS_ROOT_INO, &dir), 0);
	n->limit = 2;
	ck_assert_int_eq(fs_readdir(fs, dir, 0, true, collect, n), 0);
	fs_unlink(fs, FS_ROOT_INO, slice_str("gone"));
	save("stays", "longer than before");
	fs_rename(fs, FS_ROOT_INO, slice_str("moved"), FS_ROOT_INO,
	    slice_str("elsewhere"), 0);
	n->limit = 0;
	ck_assert_int_eq(fs_readdir(fs, dir, n->next[1], true, collect, n), 0);
	ck_assert_uint_eq(n->count, 4);
	ck_assert_str_eq(n->name[2], "elsewhere");
	ck_assert_str_eq(n->name[3], "stays");
	ck_assert_uint_eq(n->attrs, 2);
	fs_closedir(fs, dir);
	free(n);
}
END_TEST

/* As the kernel does: it keeps one listing, and asks another descriptor,
 * which has not read yet, for what comes behind. */
START_TEST(a_listing_goes_on_where_another_one_ended)
{
	struct names *n = calloc(2, sizeof(*n)), *m = n + 1;
	struct fs_dir *one, *two;
	char name[16];

	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "f%04d", i);
		fs_forget(fs, make(name), 1);
	}
	ck_assert_int_eq(fs_opendir(fs, FS_ROOT_INO, &one), 0);
	ck_assert_int_eq(fs_opendir(fs, FS_ROOT_INO, &two), 0);
	ck_assert_int_eq(fs_readdir(fs, one, 0, false, collect, n), 0);
	ck_assert_uint_eq(n->count, 3002);
	fs_closedir(fs, one);
	for (int i = 0; i < 1200; i++) {
		snprintf(name, sizeof(name), "f%04d", i);
		fs_unlink(fs, FS_ROOT_INO, slice_str(name));
	}
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "e%04d", i);
		fs_forget(fs, make(name), 1);
	}
	/* The entry before the place is there (f2000), is not (f1100), and
	 * none before it is (f0003). */
	m->limit = 1;
	ck_assert_int_eq(fs_readdir(fs, two, n->next[2002], false, collect, m),
	    0);
	ck_assert_str_eq(m->name[0], "f2001");
	ck_assert_int_eq(fs_readdir(fs, two, n->next[1102], false, collect, m),
	    0);
	m->count = 0;
	ck_assert_int_eq(fs_readdir(fs, two, n->next[1102], false, collect, m),
	    0);
	ck_assert_str_eq(m->name[0], "f1200");
	m->count = m->limit = 0;
	ck_assert_int_eq(fs_readdir(fs, two, n->next[5], false, collect, m), 0);
	ck_assert_str_eq(m->name[m->count - 1800], "f1200");
	ck_assert_str_eq(m->name[m->count - 1], "f2999");
	/* Back, after the end. */
	ck_assert_int_eq(fs_readdir(fs, two, m->next[m->count - 3], false,
			     collect, m),
	    0);
	ck_assert_str_eq(m->name[m->count - 2], "f2998");
	fs_closedir(fs, two);
	ck_assert_uint_eq(kv_mem_views(kv), 0);
	free(n);
}
END_TEST

START_TEST(a_crowded_directory_is_emptied_with_one_record)
{
	uint64_t d = make_dir("d"), seq;
	char name[16];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		fs_forget(fs, make_in(d, name, S_IFREG | 0644), 1);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		ck_assert_int_eq(fs_unlink(fs, d, slice_str(name)), 0);
	}
	seq = kv_mem_commits(kv);
	make_in(d, "new", S_IFREG | 0644);
	ck_assert_uint_eq(kv_mem_commits(kv), seq + 1);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_DENTRY), 2);
}
END_TEST

START_TEST(inodes_are_counted)
{
	struct fs_statfs st;
	uint64_t before;

	ck_assert_int_eq(fs_statfs(fs, &st), 0);
	before = st.inodes - st.inodes_free;
	ck_assert_uint_eq(before, 1);
	make("a");
	make_dir("d");
	save("b", "x");
	fs_unlink(fs, FS_ROOT_INO, slice_str("a"));
	ck_assert_int_eq(fs_statfs(fs, &st), 0);
	ck_assert_uint_eq(st.inodes - st.inodes_free, 3);
	reopen();
	ck_assert_int_eq(fs_statfs(fs, &st), 0);
	ck_assert_uint_eq(st.inodes - st.inodes_free, 3);
}
END_TEST

START_TEST(a_crash_does_not_lose_the_count)
{
	struct kv *crashed;
	struct fs_statfs st;
	struct fs *live = fs;

	make("a");
	make_dir("d");
	crashed = kv_mem_copy_at(kv, kv_mem_commits(kv));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(fs_open(crashed, &opts, &fs), 0);
		make(i == 0 ? "b" : "c");
		/* Counting is done, or is waited for by no one: close ends
		 * it, and the next mount begins anew. */
		do {
			ck_assert_int_eq(fs_statfs(fs, &st), 0);
		} while (st.inodes - st.inodes_free != 4u + (unsigned)i);
		unmount_fs();
		expect_clean_kv(crashed);
	}
	kv_close(crashed);
	fs = live;
}
END_TEST

START_TEST(read_only_changes_nothing)
{
	struct fs_attr attr = { 0 };
	uint64_t f = save("f", "contents");
	struct kv *copy, *before;

	ck_assert_int_eq(fs_openfile(fs, f, false), 0);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("f")), 0);
	save("g", "other");
	copy = kv_mem_copy_at(kv, kv_mem_commits(kv));
	before = kv_mem_copy_at(kv, kv_mem_commits(kv));
	fs_release(fs, f);
	unmount_fs();

	opts.read_only = true;
	ck_assert_int_eq(fs_open(copy, &opts, &fs), 0);
	expect_file("g", "other");
	f = lookup("g");
	ck_assert_int_eq(fs_openfile(fs, f, false), 0);
	ck_assert_int_eq(fs_openfile(fs, f, true), -EROFS);
	ck_assert_int_eq(fs_write(fs, f, 0, slice_str("x")), -EROFS);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("g")), -EROFS);
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_MODE, &attr), -EROFS);
	ck_assert_int_eq(fs_create(fs, FS_ROOT_INO, slice_str("n"), S_IFREG, 0,
			     &cred, &attr),
	    -EROFS);
	ck_assert_int_eq(fs_setxattr(fs, f, slice_str("user.a"), slice_str("b"),
			     0),
	    -EROFS);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	fs_release(fs, f);
	unmount_fs();
	ck_assert(kv_mem_equal(copy, before));
	kv_close(copy);
	kv_close(before);
}
END_TEST

START_TEST(a_store_that_is_none_is_refused)
{
	struct kv *other = kv_mem_create();
	struct kv_key key = { SPACE_DENTRY, 1, slice_str("x") };
	struct kv_batch batch;
	struct super_row super = { .version = 2, .chunk_size = CHUNK_SIZE };
	uint8_t value[SCHEMA_ROW_MAX];
	struct fs *none;

	kv_batch_init(&batch);
	kv_batch_put(&batch, &key, slice_str("y"));
	kv_commit(other, &batch, NULL);
	ck_assert_int_eq(fs_open(other, &opts, &none), -KVFS_ECORRUPT);
	ck_assert_ptr_null(none);
	kv_close(other);

	other = kv_mem_create();
	kv_batch_clear(&batch);
	key = key_store(KEY_FORMAT);
	kv_batch_put(&batch, &key,
	    slice_make(value, schema_put_super(value, &super)));
	kv_commit(other, &batch, NULL);
	ck_assert_int_eq(fs_open(other, &opts, &none), -EPROTO);
	kv_close(other);
	kv_batch_fini(&batch);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("names");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_new_file_is_found_with_its_attributes);
	tcase_add_test(tc, a_create_is_one_commit_of_two_rows);
	tcase_add_test(tc, names_are_refused_as_posix_says);
	tcase_add_test(tc, a_file_is_no_directory);
	tcase_add_test(tc, directories_count_their_links);
	tcase_add_test(tc, nothing_is_made_in_a_removed_directory);
	tcase_add_test(tc, a_change_moves_the_times_of_the_directory);
	tcase_add_test(tc, set_gid_directories_hand_down_their_group);
	tcase_add_test(tc, a_hard_link_is_the_same_file);
	tcase_add_test(tc, a_device_keeps_its_number);
	tcase_add_test(tc, a_symlink_holds_its_target);
	tcase_add_test(tc, an_unlinked_open_file_lives_until_it_is_forgotten);
	tcase_add_test(tc, a_removed_file_that_is_known_can_be_used);
	tcase_add_test(tc, a_removed_directory_takes_no_names);
	tcase_add_test(tc,
	    names_that_are_lost_are_gone_after_a_crash_though_known);
	tcase_add_test(tc, orphans_of_a_crash_are_swept_at_the_next_mount);
	tcase_add_test(tc, a_temporary_file_can_be_given_a_name);
	tcase_add_test(tc, deleted_files_leave_no_rows);
	tcase_add_test(tc, numbers_are_never_used_again);
	tcase_add_test(tc, a_directory_is_not_moved_into_itself);
	tcase_add_test(tc, two_names_are_exchanged_in_one_step);
	tcase_add_test(tc, a_renamed_file_keeps_what_waited);
	tcase_add_test(tc, lookups_are_counted);
	tcase_add_test(tc, a_listing_holds_no_view_and_can_be_sought);
	tcase_add_test(tc, a_listing_never_brings_back_what_is_gone);
	tcase_add_test(tc, a_listing_goes_on_where_another_one_ended);
	tcase_add_test(tc, a_crowded_directory_is_emptied_with_one_record);
	tcase_add_test(tc, inodes_are_counted);
	tcase_add_test(tc, a_crash_does_not_lose_the_count);
	tcase_add_test(tc, read_only_changes_nothing);
	tcase_add_test(tc, a_store_that_is_none_is_refused);
	return run_case("fs_names", tc);
}
