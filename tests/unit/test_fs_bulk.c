/* SPDX-License-Identifier: ISC */
/* Bulk changes: many files in few commits, whole or not at all, beside others. */
#include <pthread.h>

#include "unit/fs_test.h"

static struct fs_bulk *bulk;
static unsigned failed_count;
static int failed_rc;
static char failed_path[300];
static unsigned names_changed, inodes_changed, listings_changed;

static void
note_failed(void *arg, struct slice path, uint64_t tag, int rc)
{
	(void)arg;
	(void)tag;
	failed_count++;
	failed_rc = rc;
	snprintf(failed_path, sizeof(failed_path), "%.*s", (int)path.len,
	    (const char *)path.data);
}

static void
note_name(void *arg, uint64_t dir, struct slice name)
{
	(void)arg;
	(void)dir;
	(void)name;
	names_changed++;
}

static void
note_inode(void *arg, uint64_t ino, bool is_dir)
{
	(void)arg;
	(void)ino;
	inodes_changed += !is_dir;
	listings_changed += is_dir;
}

static void
begin_with(unsigned flags, size_t batch_bytes)
{
	const struct fs_bulk_options o = {
		.base = FS_ROOT_INO,
		.flags = flags,
		.cred = cred,
		.batch_bytes = batch_bytes,
		.failed = note_failed,
		.name_changed = note_name,
		.inode_changed = note_inode,
	};

	failed_count = names_changed = inodes_changed = listings_changed = 0;
	ck_assert_int_eq(fs_bulk_open(fs, &o, &bulk), 0);
}

static void
begin(void)
{
	begin_with(FS_BULK_PARENTS | FS_BULK_DIR_TIMES, 0);
}

static void
end(void)
{
	ck_assert_int_eq(fs_bulk_commit(bulk), 0);
	fs_bulk_close(bulk);
	bulk = NULL;
}

static struct fs_bulk_entry
entry(const char *path, uint32_t mode)
{
	return (struct fs_bulk_entry){ .path = slice_str(path), .mode = mode };
}

static void
add_dir(const char *path)
{
	struct fs_bulk_entry e = entry(path, S_IFDIR | 0755);

	ck_assert_int_eq(fs_bulk_add(bulk, &e), 0);
}

static void
add_bytes(const char *path, const void *data, size_t len)
{
	struct fs_bulk_entry e = entry(path, S_IFREG | 0640);

	ck_assert_int_eq(fs_bulk_add(bulk, &e), 0);
	/* In two pieces, which meet nowhere in particular. */
	ck_assert_int_eq(fs_bulk_write(bulk, 0, slice_make(data, len / 3)), 0);
	ck_assert_int_eq(fs_bulk_write(bulk, len / 3,
			     slice_make((const char *)data + len / 3,
				 len - len / 3)),
	    0);
	ck_assert_int_eq(fs_bulk_end_file(bulk, len, true), 0);
}

static void
add_file(const char *path, const char *text)
{
	add_bytes(path, text, strlen(text));
}

static void
add_link(const char *path, const char *target)
{
	ck_assert_int_eq(fs_bulk_link(bulk, slice_str(path), slice_str(target),
			     0),
	    0);
}

/* The inode at a path, or 0. Its lookups are given back. */
static uint64_t
find(const char *path)
{
	uint64_t at = FS_ROOT_INO, up;
	char name[64];
	size_t n;

	while (*path != '\0' && at != 0) {
		n = strcspn(path, "/");
		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		path += n + (path[n] == '/');
		up = at;
		at = lookup_in(up, name);
		if (up != FS_ROOT_INO)
			fs_forget(fs, up, 1);
	}
	return at;
}

static void
expect_at(const char *path, const char *text)
{
	uint64_t ino = find(path);

	ck_assert_msg(ino != 0, "%s is not there", path);
	expect_str(ino, text);
	fs_forget(fs, ino, 1);
}

static void
expect_no(const char *path)
{
	ck_assert_msg(find(path) == 0, "%s is there", path);
}

START_TEST(a_tree_is_one_commit)
{
	uint64_t before;
	char path[64];

	make("first"); /* reserves numbers */
	before = kv_mem_commits(kv);
	begin();
	add_dir("d");
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "d/%d/f", i);
		add_file(path, path);
	}
	end();
	ck_assert_uint_le(kv_mem_commits(kv), before + 2);
	ck_assert_uint_eq(failed_count, 0);
	expect_clean();
	reopen();
	for (int i = 0; i < 1000; i += 37) {
		snprintf(path, sizeof(path), "d/%d/f", i);
		expect_at(path, path);
	}
	ck_assert_uint_eq(stat_of(lookup("d")).nlink, 1002);
}
END_TEST

START_TEST(attributes_are_as_given)
{
	static const struct fs_bulk_xattr x[] = {
		{ { "user.a", 6 }, { "1", 1 } },
		{ { "user.b", 6 }, { "22", 2 } },
		{ { "user.a", 6 }, { "3", 1 } },
		{ { "wrong.c", 7 }, { "4", 1 } },
	};
	struct fs_bulk_entry e = entry("d", S_IFDIR | S_ISGID | 0711);
	struct buf value = { 0 };
	struct fs_attr attr;

	e.valid = FS_SET_UID | FS_SET_GID | FS_SET_ATIME | FS_SET_MTIME;
	e.uid = 7;
	e.gid = 8;
	e.atime = (struct timespec){ 111, 222 };
	e.mtime = (struct timespec){ 333, 444 };
	begin_with(FS_BULK_PARENTS | FS_BULK_DIR_TIMES, 700);
	ck_assert_int_eq(fs_bulk_add(bulk, &e), 0);
	/* Committed by now; what comes later in it leaves its mtime. */
	e.path = slice_str("d/f");
	e.mode = S_IFREG | 04755;
	e.xattrs = x;
	e.nxattrs = 4;
	ck_assert_int_eq(fs_bulk_add(bulk, &e), 0);
	ck_assert_int_eq(fs_bulk_end_file(bulk, 12345678, true), 0);
	e = entry("d/g", S_IFCHR | 0600);
	e.rdev = 0x103;
	ck_assert_int_eq(fs_bulk_add(bulk, &e), 0);
	e = entry("d/l", S_IFLNK | 0777);
	e.target = slice_str("to/where");
	ck_assert_int_eq(fs_bulk_add(bulk, &e), 0);
	end();
	ck_assert_uint_eq(failed_count, 1); /* wrong.c alone */
	ck_assert_int_eq(failed_rc, -EOPNOTSUPP);
	attr = stat_of(lookup("d"));
	ck_assert_uint_eq(attr.mode, S_IFDIR | S_ISGID | 0711);
	ck_assert_int_eq(attr.mtime.tv_sec, 333);
	ck_assert_int_eq(attr.mtime.tv_nsec, 444);
	attr = stat_of(find("d/f"));
	ck_assert_uint_eq(attr.mode, S_IFREG | 04755);
	ck_assert_uint_eq(attr.uid, 7);
	ck_assert_uint_eq(attr.gid, 8);
	ck_assert_uint_eq(attr.size, 12345678);
	ck_assert_uint_eq(attr.blocks, 0);
	ck_assert_int_eq(attr.atime.tv_nsec, 222);
	ck_assert_int_eq(fs_getxattr(fs, attr.ino, slice_str("user.a"), &value),
	    0);
	ck_assert(slice_eq(buf_slice(&value), slice_str("3")));
	buf_fini(&value);
	attr = stat_of(find("d/g"));
	ck_assert_uint_eq(attr.rdev, 0x103);
	ck_assert_uint_eq(attr.gid, 8); /* of the directory */
	ck_assert_int_eq(fs_readlink(fs, find("d/l"), &value), 0);
	ck_assert(slice_eq(buf_slice(&value), slice_str("to/where")));
	buf_fini(&value);
}
END_TEST

START_TEST(contents_of_any_size_and_holes)
{
	static const size_t lens[] = { 0, 1, 2047, 2048, 2049, 32767, 32768,
		32769, 65536, 1000000, (1 << 20) + 1, 5000000 };
	char path[32];
	uint8_t *data;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		begin();
		data = pattern(lens[i], (unsigned)i);
		snprintf(path, sizeof(path), "f%zu", i);
		add_bytes(path, data, lens[i]);
		end();
		expect_bytes(lookup(path), data, lens[i]);
		free(data);
		expect_clean();
	}
	/* Data, a hole of chunks, data at an odd place, a hole. */
	struct fs_bulk_entry e = entry("sparse", S_IFREG | 0600);

	begin();
	ck_assert_int_eq(fs_bulk_add(bulk, &e), 0);
	ck_assert_int_eq(fs_bulk_write(bulk, 10, slice_str("abc")), 0);
	ck_assert_int_eq(fs_bulk_write(bulk, 200001, slice_str("xyz")), 0);
	ck_assert_int_eq(fs_bulk_end_file(bulk, 500000, true), 0);
	end();
	data = calloc(1, 500000);
	memcpy(data + 10, "abc", 3);
	memcpy(data + 200001, "xyz", 3);
	expect_bytes(lookup("sparse"), data, 500000);
	free(data);
	ck_assert_uint_lt(stat_of(lookup("sparse")).blocks, 100);
	ck_assert_int_eq(fs_lseek(fs, lookup("sparse"), 0, SEEK_HOLE), 13);
}
END_TEST

START_TEST(what_exists_is_replaced)
{
	struct fs_bulk_entry link = entry("link", S_IFREG | 0600);
	uint64_t f = save("f", "old contents"), d = make_dir("d"), other;
	struct fs_attr attr;

	make_in(d, "in", S_IFREG | 0600);
	make_dir("empty");
	save("as-dir", "x");
	ck_assert_int_eq(fs_symlink(fs, FS_ROOT_INO, slice_str("link"),
			     slice_str("f"), &cred, &attr),
	    0);
	save("two", "same");
	other = lookup("two");
	ck_assert_int_eq(fs_link(fs, other, FS_ROOT_INO, slice_str("two-b"),
			     &attr),
	    0);
	begin();
	add_file("f", "new");
	add_dir("d"); /* stays, with what is in it */
	add_file("d/more", "m");
	add_file("empty", "a file now");
	add_dir("as-dir");
	add_file("as-dir/x", "y");
	ck_assert_int_eq(fs_bulk_add(bulk, &link), 0);
	ck_assert_int_eq(fs_bulk_end_file(bulk, 0, true), 0);
	add_file("two", "1");
	add_file("two-b", "2"); /* both names at once */
	end();
	ck_assert_uint_eq(failed_count, 0);
	expect_str(f, "old contents"); /* who has it open keeps it */
	expect_at("f", "new");
	expect_at("d/more", "m");
	expect_at("d/in", "");
	expect_at("empty", "a file now");
	expect_at("as-dir/x", "y");
	expect_at("link", "");
	expect_at("two", "1");
	expect_at("two-b", "2");
	ck_assert_uint_eq(stat_of(other).nlink, 0);
	fs_forget(fs, f, 9);
	fs_forget(fs, other, 9);
	expect_clean();
}
END_TEST

START_TEST(failures_name_the_path)
{
	uint64_t d = make_dir("d");
	struct fs_attr attr;

	make_in(d, "in", S_IFREG | 0600);
	save("f", "x");
	ck_assert_int_eq(fs_symlink(fs, FS_ROOT_INO, slice_str("l"),
			     slice_str("d"), &cred, &attr),
	    0);
	begin();
	add_file("good", "1");
	add_file("d", "not in place of a directory that is not empty");
	end();
	ck_assert_uint_eq(failed_count, 1);
	ck_assert_str_eq(failed_path, "d");
	ck_assert_int_eq(failed_rc, -EISDIR);
	expect_at("good", "1");
	begin();
	add_file("l/x", "no symbolic links");
	ck_assert_int_eq(failed_rc, -ELOOP);
	add_file("f/x", "no directory");
	ck_assert_int_eq(failed_rc, -ENOTDIR);
	add_file("../x", "not out of the store");
	ck_assert_int_eq(failed_rc, -EINVAL);
	add_file("a//x", "nor this");
	ck_assert_int_eq(failed_rc, -EINVAL);
	add_link("hard", "missing");
	ck_assert_int_eq(failed_rc, -ENOENT);
	add_link("hard", "d");
	ck_assert_int_eq(failed_rc, -EPERM);
	end();
	ck_assert_uint_eq(failed_count, 6);
	begin_with(0, 0);
	add_file("no/parents", "");
	end();
	ck_assert_int_eq(failed_rc, -ENOENT);
	expect_no("no");
	expect_clean();
}
END_TEST

START_TEST(hard_links_to_staged_and_to_stored_files)
{
	save("old", "o");
	begin();
	add_file("a", "shared");
	add_link("b", "a");
	add_link("sub/c", "b");
	add_link("old2", "old");
	add_link("sub/old3", "old");
	add_link("a2", "a"); /* committed by now */
	end();
	ck_assert_uint_eq(failed_count, 0);
	ck_assert_uint_eq(stat_of(find("a")).nlink, 4);
	ck_assert_uint_eq(find("a"), find("sub/c"));
	ck_assert_uint_eq(find("a"), find("a2"));
	ck_assert_uint_eq(stat_of(find("old")).nlink, 3);
	expect_at("sub/c", "shared");
	expect_clean();
	/* The same once more, over itself. */
	begin();
	add_file("a", "again");
	add_link("b", "a");
	add_link("sub/c", "b");
	add_link("a2", "a");
	end();
	ck_assert_uint_eq(failed_count, 0);
	ck_assert_uint_eq(stat_of(find("a")).nlink, 4);
	expect_at("a2", "again");
	expect_clean();
}
END_TEST

START_TEST(the_last_of_two_entries_counts)
{
	begin();
	add_file("f", "1");
	add_link("g", "f");
	add_file("f", "2");
	add_dir("x");
	add_file("x/y", "");
	add_file("z", "");
	add_dir("z");
	add_file("z/w", "in");
	end();
	expect_at("f", "2");
	expect_at("g", "1");
	ck_assert_uint_eq(stat_of(find("g")).nlink, 1);
	expect_at("z/w", "in");
	expect_clean();
}
END_TEST

START_TEST(atomic_batches_are_all_or_nothing)
{
	struct fs_bulk_entry e = entry("b", S_IFREG | 0644);
	uint64_t before;
	uint8_t *big = pattern(3000000, 1);

	save("a", "old a");
	save("gone", "x");
	begin_with(FS_BULK_ATOMIC, 0);
	add_file("a", "new a");
	ck_assert_int_eq(fs_bulk_remove(bulk, slice_str("missing"), 5), 0);
	end();
	ck_assert_uint_eq(failed_count, 1);
	ck_assert_int_eq(failed_rc, -ENOENT);
	expect_at("a", "old a");
	begin_with(FS_BULK_ATOMIC, 0);
	e.is_value = true;
	ck_assert_int_eq(fs_bulk_add(bulk, &e), 0);
	ck_assert_int_eq(fs_bulk_write(bulk, 0, slice_make(big, 3000000)), 0);
	ck_assert_int_eq(fs_bulk_end_file(bulk, 3000000, true), 0);
	for (int i = 0; i < 5000; i++)
		add_file(i % 2 ? "a" : "c", i % 3 ? "x" : "last");
	ck_assert_int_eq(fs_bulk_remove(bulk, slice_str("gone"), 0), 0);
	expect_at("a", "old a");
	before = kv_mem_commits(kv);
	ck_assert_int_eq(fs_bulk_commit(bulk), 0);
	ck_assert_uint_eq(kv_mem_commits(kv), before + 1);
	fs_bulk_close(bulk);
	expect_bytes(lookup("b"), big, 3000000);
	expect_no("gone");
	expect_clean();
	free(big);
}
END_TEST

START_TEST(a_new_value_keeps_mode_owner_and_attributes)
{
	struct fs_bulk_entry e = entry("k", S_IFREG | 0666);
	struct fs_attr attr = { .mode = 0400, .uid = 5, .gid = 6 }, got;
	struct buf value = { 0 };
	uint64_t k = save("k", "old");

	ck_assert_int_eq(fs_setattr(fs, k, &attr,
			     FS_SET_MODE | FS_SET_UID | FS_SET_GID, &got),
	    0);
	ck_assert_int_eq(fs_setxattr(fs, k, slice_str("user.x"), slice_str("v"),
			     0),
	    0);
	begin();
	e.is_value = true;
	ck_assert_int_eq(fs_bulk_add(bulk, &e), 0);
	ck_assert_int_eq(fs_bulk_write(bulk, 0, slice_str("new")), 0);
	ck_assert_int_eq(fs_bulk_end_file(bulk, 3, true), 0);
	end();
	expect_at("k", "new");
	got = stat_of(lookup("k"));
	ck_assert_uint_ne(got.ino, k);
	ck_assert_uint_eq(got.mode, S_IFREG | 0400);
	ck_assert_uint_eq(got.uid, 5);
	ck_assert_int_eq(fs_getxattr(fs, got.ino, slice_str("user.x"), &value),
	    0);
	buf_fini(&value);
	make_dir("d");
	begin();
	e.path = slice_str("d");
	ck_assert_int_eq(fs_bulk_add(bulk, &e), 0);
	ck_assert_int_eq(fs_bulk_end_file(bulk, 0, true), 0);
	end();
	ck_assert_int_eq(failed_rc, -EISDIR);
}
END_TEST

START_TEST(those_who_cache_are_told)
{
	uint64_t d = make_dir("d");

	begin();
	add_file("d/1", "");
	add_file("d/2", "");
	add_file("new/3", ""); /* nobody can know what is in it */
	end();
	ck_assert_uint_eq(names_changed, 3); /* d/1, d/2, new */
	ck_assert_uint_eq(listings_changed, 2);
	fs_forget(fs, d, 9);
	begin();
	add_file("d/4", "");
	end();
	ck_assert_uint_eq(names_changed, 0);
	ck_assert_uint_eq(listings_changed, 0);
}
END_TEST

START_TEST(an_end_without_commit_leaves_nothing)
{
	uint8_t *big = pattern(4000000, 3);
	uint64_t before = kv_mem_rows(kv, SPACE_DENTRY);

	begin();
	add_file("x", "1");
	add_bytes("big", big, 4000000);
	fs_bulk_close(bulk);
	ck_assert_int_eq(fs_sync(fs), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_DENTRY), before);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_CHUNK), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_ORPHAN), 0);
	expect_clean();
	free(big);
}
END_TEST

START_TEST(a_failed_commit_ends_the_work)
{
	begin();
	add_file("x", "1");
	kv_mem_fail_commits(kv, -EIO, 0);
	ck_assert_int_eq(fs_bulk_commit(bulk), -EIO);
	kv_mem_fail_commits(kv, 0, 0);
	struct fs_bulk_entry e = entry("y", S_IFREG | 0600);

	ck_assert_int_eq(fs_bulk_add(bulk, &e), -EIO);
	fs_bulk_close(bulk);
	expect_no("x");
	save("x", "works");
	expect_clean();
}
END_TEST

/* ---- A crash after any commit ---- */

START_TEST(after_a_crash_files_are_whole_or_absent)
{
	static const size_t lens[] = { 3, 3000, 40000, 300000, 1500000 };
	const size_t n = sizeof(lens) / sizeof(lens[0]);
	uint64_t first, last, ino;
	struct fs *live = fs;
	uint8_t *data;
	char path[32];
	size_t got;

	save("f1", "old");
	first = kv_mem_commits(kv);
	begin_with(FS_BULK_PARENTS, 20000);
	for (unsigned i = 0; i < 12; i++) {
		snprintf(path, sizeof(path), i == 1 ? "f%u" : "d%u/f", i);
		data = pattern(lens[i % n], i);
		add_bytes(path, data, lens[i % n]);
		free(data);
	}
	end();
	last = kv_mem_commits(kv);
	ck_assert_uint_gt(last, first + 6);
	for (uint64_t seq = first; seq <= last; seq++) {
		struct kv *crashed = kv_mem_copy_at(kv, seq);

		expect_clean_kv(crashed);
		ck_assert_int_eq(fs_open(crashed, &opts, &fs), 0);
		for (unsigned i = 0; i < 12; i++) {
			snprintf(path, sizeof(path), i == 1 ? "f%u" : "d%u/f",
			    i);
			ino = find(path);
			if (ino == 0)
				continue;
			uint8_t *bytes = read_at(ino, 0, 3000000, &got);

			data = pattern(lens[i % n], i);
			if (got != 3 || memcmp(bytes, "old", 3) != 0) {
				ck_assert_uint_eq(got, lens[i % n]);
				ck_assert_mem_eq(bytes, data, got);
			}
			free(data);
			free(bytes);
			fs_forget(fs, ino, 1);
		}
		ck_assert_int_eq(fs_close(fs), 0);
		expect_clean_kv(crashed);
		ck_assert_uint_eq(kv_mem_rows(crashed, SPACE_ORPHAN), 0);
		kv_close(crashed);
	}
	fs = live;
}
END_TEST

/* ---- Beside others ---- */

static atomic_bool stop_others;

static void *
disturb(void *arg)
{
	uint64_t state = (uint64_t)(uintptr_t)arg * 7919 + 1;
	struct fs_attr attr;
	char name[8], other[8];

	while (!atomic_load(&stop_others)) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		snprintf(name, sizeof(name), "%u",
		    (unsigned)(state >> 40) % 20);
		snprintf(other, sizeof(other), "%u",
		    (unsigned)(state >> 50) % 20);
		switch ((state >> 33) % 6) {
		case 0:
			if (fs_create(fs, FS_ROOT_INO, slice_str(name),
				S_IFDIR | 0700, 0, &cred, &attr) == 0)
				fs_forget(fs, attr.ino, 1);
			break;
		case 1:
			(void)fs_unlink(fs, FS_ROOT_INO, slice_str(name));
			break;
		case 2:
			(void)fs_rmdir(fs, FS_ROOT_INO, slice_str(name));
			break;
		case 3:
			(void)fs_rename(fs, FS_ROOT_INO, slice_str(name),
			    FS_ROOT_INO, slice_str(other), 0);
			break;
		default:
			if (fs_lookup(fs, FS_ROOT_INO, slice_str(name),
				&attr) != 0)
				break;
			if (S_ISDIR(attr.mode)) {
				(void)fs_rename(fs, attr.ino, slice_str("f"),
				    FS_ROOT_INO, slice_str(other), 0);
				(void)fs_unlink(fs, attr.ino, slice_str("g"));
			} else {
				(void)fs_write(fs, attr.ino, 0, slice_str("w"));
			}
			fs_forget(fs, attr.ino, 1);
		}
	}
	return NULL;
}

START_TEST(others_change_the_same_directories)
{
	pthread_t threads[3];
	char path[32];

	atomic_store(&stop_others, false);
	for (uintptr_t i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, disturb,
				     (void *)(i + 1)),
		    0);
	for (int round = 0; round < 60; round++) {
		begin_with(FS_BULK_PARENTS, round % 2 ? 0 : 4000);
		for (int i = 0; i < 20; i++) {
			snprintf(path, sizeof(path), "%d/%c", (i * 7) % 20,
			    i % 2 ? 'f' : 'g');
			add_file(path, path);
			snprintf(path, sizeof(path), "%d",
			    (i * 3 + round) % 20);
			if (i % 5 == 0)
				add_file(path, path);
		}
		end();
	}
	atomic_store(&stop_others, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(fs_sync(fs), 0);
	expect_clean();
}
END_TEST

static void
setup_history(void)
{
	setup();
	kv_mem_keep_history(kv);
}

int
main(void)
{
	Suite *s = suite_create("fs_bulk");
	TCase *tc = tcase_create("bulk"), *crash = tcase_create("crash");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_checked_fixture(crash, setup_history, teardown);
	tcase_add_test(tc, a_tree_is_one_commit);
	tcase_add_test(tc, attributes_are_as_given);
	tcase_add_test(tc, contents_of_any_size_and_holes);
	tcase_add_test(tc, what_exists_is_replaced);
	tcase_add_test(tc, failures_name_the_path);
	tcase_add_test(tc, hard_links_to_staged_and_to_stored_files);
	tcase_add_test(tc, the_last_of_two_entries_counts);
	tcase_add_test(tc, atomic_batches_are_all_or_nothing);
	tcase_add_test(tc, a_new_value_keeps_mode_owner_and_attributes);
	tcase_add_test(tc, those_who_cache_are_told);
	tcase_add_test(tc, an_end_without_commit_leaves_nothing);
	tcase_add_test(tc, a_failed_commit_ends_the_work);
	tcase_add_test(tc, others_change_the_same_directories);
	tcase_add_test(crash, after_a_crash_files_are_whole_or_absent);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, crash);
	return run_suite(s);
}
