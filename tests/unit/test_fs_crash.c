/* SPDX-License-Identifier: ISC */
/*
 * A crash after any commit: the store is taken as it was after each of
 * them, opened, walked, and looked at. Whatever the prefix, rows are whole
 * and files are old or new.
 */
#include <fcntl.h>
#include <linux/falloc.h>

#include "unit/fs_test.h"

/* How many states with patches were looked at. */
static unsigned patched;

/* Open the state after each commit from first on, and let look look. */
static void
each_prefix(uint64_t first, void (*look)(uint64_t seq))
{
	uint64_t last = kv_mem_commits(kv);
	struct fs *live = fs;
	struct kv *crashed;

	for (uint64_t seq = first; seq <= last; seq++) {
		crashed = kv_mem_copy_at(kv, seq);
		expect_clean_kv(crashed);
		patched += kv_mem_rows(crashed, SPACE_PATCH) != 0;
		ck_assert_int_eq(fs_open(crashed, &opts, &fs), 0);
		if (look != NULL)
			look(seq);
		ck_assert_int_eq(fs_close(fs), 0);
		expect_clean_kv(crashed);
		ck_assert_uint_eq(kv_mem_rows(crashed, SPACE_ORPHAN), 0);
		kv_close(crashed);
	}
	fs = live;
}

static void
setup_history(void)
{
	setup();
	kv_mem_keep_history(kv);
}

static uint8_t *old_data, *new_data;
#define OLD_LEN 150000u
#define NEW_LEN 4000000u

static void
old_or_new(uint64_t seq)
{
	uint64_t f = lookup("file");
	size_t n;
	uint8_t *got;

	(void)seq;
	ck_assert_uint_ne(f, 0);
	got = read_at(f, 0, NEW_LEN + 1, &n);
	if (n == OLD_LEN)
		ck_assert_mem_eq(got, old_data, n);
	else
		ck_assert_uint_eq(n, NEW_LEN);
	if (n == NEW_LEN)
		ck_assert_mem_eq(got, new_data, n);
	free(got);
}

START_TEST(a_file_replaced_by_rename_is_old_or_new)
{
	static const size_t lens[] = { 0, 10, 1500, 40000, 900000 };
	uint64_t first, f;

	for (int lazy = 0; lazy < 2; lazy++) {
		opts.flush_on_close = lazy == 0;
		fs_set_options(fs, &opts);
		old_data = pattern(OLD_LEN, 1);
		new_data = pattern(NEW_LEN, 2);
		f = make("file");
		write_at(f, 0, old_data, OLD_LEN);
		ck_assert_int_eq(fs_fsync(fs, f), 0);
		first = kv_mem_commits(kv);
		f = make("temporary");
		ck_assert_int_eq(fs_openfile(fs, f, true), 0);
		for (size_t off = 0; off < NEW_LEN; off += 100000)
			write_at(f, off, new_data + off, 100000);
		ck_assert_int_eq(fs_flush(fs, f), 0);
		fs_release(fs, f);
		ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO,
				     slice_str("temporary"), FS_ROOT_INO,
				     slice_str("file"), 0),
		    0);
		each_prefix(first, old_or_new);
		ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("file")),
		    0);
		free(old_data);
		free(new_data);
	}
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		new_data = pattern(lens[i], 2);
		save("a", "old");
		f = make("b");
		write_at(f, 0, new_data, lens[i]);
		first = kv_mem_commits(kv);
		ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str("b"),
				     FS_ROOT_INO, slice_str("a"), 0),
		    0);
		ck_assert_uint_eq(kv_mem_commits(kv), first + 1);
		free(new_data);
	}
}
END_TEST

static void
three_or_more(uint64_t seq)
{
	uint64_t f = lookup("file");
	size_t n;
	uint8_t *got;

	(void)seq;
	got = read_at(f, 0, 10u << 20, &n);
	ck_assert_mem_eq(got, new_data, n < 3 ? n : 3);
	free(got);
}

START_TEST(a_cut_is_whole_at_each_of_its_commits)
{
	struct fs_attr attr = { .size = 3 };
	uint64_t f = make("file"), first;

	new_data = pattern(10, 3);
	for (uint64_t i = 0; i < 40000; i++)
		write_at(f, i * CHUNK_SIZE, new_data, 3);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	first = kv_mem_commits(kv);
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_SIZE, &attr), 0);
	ck_assert_uint_gt(kv_mem_commits(kv), first + 1);
	each_prefix(first, three_or_more);
	free(new_data);
}
END_TEST

static void
random_step(uint64_t *inos, size_t ninos)
{
	char name[16], other[8];
	struct fs_attr attr = { 0 };
	uint64_t ino;
	uint8_t *data;
	size_t len;

	snprintf(name, sizeof(name), "n%d", (int)rng(6));
	snprintf(other, sizeof(other), "n%d", (int)rng(6));
	ino = inos[rng(ninos)];
	switch (rng(10)) {
	case 0:
	case 1:
		fs_create(fs, ino, slice_str(name),
		    (rng(3) == 0 ? S_IFDIR : S_IFREG) | 0755, 0, &cred, &attr);
		break;
	case 2:
		fs_unlink(fs, ino, slice_str(name));
		return;
	case 3:
		fs_rmdir(fs, ino, slice_str(name));
		return;
	case 4:
	case 5:
		fs_rename(fs, ino, slice_str(name), inos[rng(ninos)],
		    slice_str(other), rng(4) == 0 ? RENAME_EXCHANGE : 0);
		return;
	case 6:
		fs_link(fs, inos[rng(ninos)], ino, slice_str(name), &attr);
		break;
	case 7:
		len = rng(2) ? rng(3000) + 1 : rng(200000) + 1;
		data = pattern(len, (unsigned)rng(9));
		fs_write(fs, ino, rng(100000), slice_make(data, len));
		free(data);
		return;
	case 8:
		attr.size = rng(100000);
		fs_setattr(fs, ino, &attr,
		    rng(2) ? FS_SET_SIZE : FS_SET_MTIME_NOW, &attr);
		return;
	default:
		if (rng(2))
			fs_fallocate(fs, ino,
			    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    rng(100000), rng(100000) + 1);
		else
			fs_setxattr(fs, ino, slice_str(name), slice_str(other),
			    0);
		return;
	}
	if (attr.ino != 0)
		inos[rng(ninos)] = attr.ino;
}

START_TEST(every_prefix_of_random_work_is_clean)
{
	uint64_t inos[12], opened[3] = { 0 };
	uint64_t first;

	seed_begin();
	opts.writeback_bytes = 1u << 20;
	opts.writeback_ms = 1;
	reopen();
	for (size_t i = 0; i < 12; i++)
		inos[i] = FS_ROOT_INO;
	first = kv_mem_commits(kv);
	for (int step = 0; step < 400; step++) {
		random_step(inos, 12);
		if (rng(10) == 0) {
			size_t i = rng(3);

			if (opened[i] != 0)
				fs_release(fs, opened[i]);
			opened[i] = inos[rng(12)];
			if (fs_openfile(fs, opened[i], rng(3) == 0) < 0)
				opened[i] = 0;
		}
	}
	ck_assert_int_eq(fs_sync(fs), 0);
	each_prefix(first, NULL);
}
END_TEST

/* One file that is written at random, a part of which is in patches. Blocks
 * are as they were after one of the writes, never a mixture of two. */
#define BLOCKS 24u
#define BLOCK 4096u

static void
blocks_are_whole(uint64_t seq)
{
	uint64_t f = lookup("file");
	uint8_t *got;
	size_t n;

	(void)seq;
	got = read_at(f, 0, BLOCKS * BLOCK, &n);
	ck_assert_uint_eq(n, BLOCKS * BLOCK);
	for (size_t i = 0; i < n; i += BLOCK)
		ck_assert_int_eq(memcmp(got + i, got + i + 1, BLOCK - 1), 0);
	free(got);
}

START_TEST(a_patched_file_is_whole_at_each_commit)
{
	uint8_t data[BLOCK];
	uint64_t f = make("file"), first;

	seed_begin();
	opts.patch_rest_ms = 1;
	opts.writeback_ms = 1;
	memset(data, 0, BLOCK);
	for (unsigned i = 0; i < BLOCKS; i++)
		write_at(f, i * BLOCK, data, BLOCK);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	reopen();
	f = lookup("file");
	first = kv_mem_commits(kv);
	patched = 0;
	for (unsigned i = 1; i < 150; i++) {
		memset(data, (int)i, BLOCK);
		write_at(f, rng(BLOCKS) * BLOCK, data, BLOCK);
		if (rng(3) == 0)
			ck_assert_int_eq(fs_fsync(fs, f), 0);
		if (rng(20) == 0)
			usleep(2000);
	}
	opts.patch_rest_ms = 5000;
	each_prefix(first, blocks_are_whole);
	ck_assert_uint_gt(patched, 20);
}
END_TEST

static void
new_is_whole(uint64_t seq)
{
	uint64_t f = lookup("file");
	size_t n;
	uint8_t *got;

	(void)seq;
	/* Committed chunk after chunk: a beginning of it, never a gap. */
	if (f == 0)
		return;
	got = read_at(f, 0, NEW_LEN + 1, &n);
	ck_assert_mem_eq(got, new_data, n);
	free(got);
}

START_TEST(a_growing_file_is_whole_up_to_its_size)
{
	uint64_t first = kv_mem_commits(kv), f = make("file");

	new_data = pattern(NEW_LEN, 2);
	for (size_t off = 0; off < NEW_LEN; off += 50000)
		write_at(f, off, new_data + off, 50000);
	ck_assert_int_eq(fs_flush(fs, f), 0);
	ck_assert_uint_gt(kv_mem_commits(kv), first + 3);
	each_prefix(first, new_is_whole);
	free(new_data);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("crash");

	tcase_add_checked_fixture(tc, setup_history, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_file_replaced_by_rename_is_old_or_new);
	tcase_add_test(tc, a_cut_is_whole_at_each_of_its_commits);
	tcase_add_test(tc, every_prefix_of_random_work_is_clean);
	tcase_add_test(tc, a_patched_file_is_whole_at_each_commit);
	tcase_add_test(tc, a_growing_file_is_whole_up_to_its_size);
	return run_case("fs_crash", tc);
}
