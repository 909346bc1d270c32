/* SPDX-License-Identifier: ISC */
/*
 * Patches: a write of a part of a chunk becomes a small row over the chunk,
 * which is read with it, merged into it, and deleted with the file. Readers
 * never see a mixture of two writes, whatever is merged meanwhile.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "fs/fs_state.h"
#include "fs/patch_map.h"
#include "unit/fs_test.h"

#define CHUNKS 8u
#define FILE_LEN (CHUNKS * CHUNK_SIZE)
#define BLOCK 4096u
#define NEVER_MS 3600000u

static uint64_t file;
static uint8_t *want; /* FILE_LEN bytes */

static void
setup_file(void)
{
	setup();
	unmount_fs();
	opts.patch_rest_ms = NEVER_MS;
	mount_fs();
	want = pattern(FILE_LEN, 1);
	file = make("file");
	write_at(file, 0, want, FILE_LEN);
	ck_assert_int_eq(fs_fsync(fs, file), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_PATCH), 0);
}

static void
teardown_file(void)
{
	free(want);
	teardown();
}

static uint64_t
patches(void)
{
	return kv_mem_rows(kv, SPACE_PATCH);
}

/* Write n bytes at off, and commit them. */
static void
change(uint64_t off, size_t n, unsigned seed)
{
	uint8_t *data = pattern(n, seed);

	write_at(file, off, data, n);
	memcpy(want + off, data, n);
	ck_assert_int_eq(fs_fsync(fs, file), 0);
	free(data);
}

static void
remount_file(void)
{
	reopen();
	file = lookup("file");
	ck_assert_uint_ne(file, 0);
}

static struct super_row
store_record(void)
{
	struct kv_key key = key_store(KEY_FORMAT);
	struct super_row row;
	struct kv_value v;

	ck_assert_int_eq(kv_get(kv, &key, NULL, &v), 0);
	ck_assert_int_eq(schema_get_super(v.data, &row), 0);
	kv_value_release(&v);
	return row;
}

/* Wait until only n patches are left. */
static void
await_patches(uint64_t n)
{
	for (int i = 0; patches() > n; i++) {
		ck_assert_int_lt(i, 20000);
		usleep(1000);
	}
}

START_TEST(a_part_of_a_chunk_is_a_patch)
{
	struct super_row before = store_record(), after;

	ck_assert_uint_eq(before.refuse_flags, 0);
	change(CHUNK_SIZE + 5000, 100, 2);
	ck_assert_uint_eq(patches(), 1);
	expect_bytes(file, want, FILE_LEN);
	/* From then on an older program refuses the store. */
	after = store_record();
	ck_assert_uint_eq(after.refuse_flags, SUPER_PATCHES);
	ck_assert_uint_eq(after.created, before.created);
	remount_file();
	expect_bytes(file, want, FILE_LEN);
	ck_assert_uint_eq(stat_of(file).blocks, FILE_LEN / 512);
	expect_clean();
}
END_TEST

START_TEST(a_patch_of_the_same_place_replaces_the_row)
{
	for (unsigned i = 0; i < 3 * PATCH_ROWS_MAX; i++) {
		change(BLOCK, BLOCK, i);
		change(3 * BLOCK, BLOCK, i + 7);
		ck_assert_uint_eq(patches(), 2);
	}
	expect_bytes(file, want, FILE_LEN);
	/* A larger one deletes those within it. */
	change(BLOCK - 10, 4 * BLOCK, 99);
	ck_assert_uint_eq(patches(), 1);
	/* Not one over which another lies. */
	change(2 * BLOCK, 100, 3);
	change(BLOCK - 10, 3 * BLOCK, 98);
	change(2 * BLOCK + 50, 100, 4);
	remount_file();
	expect_bytes(file, want, FILE_LEN);
}
END_TEST

START_TEST(many_patches_make_the_chunk_whole)
{
	for (unsigned i = 0; i < PATCH_ROWS_MAX; i++) {
		change(100 * i, 50, i);
		ck_assert_uint_eq(patches(), i + 1);
	}
	change(100 * PATCH_ROWS_MAX, 50, 7);
	ck_assert_uint_eq(patches(), 0);
	expect_bytes(file, want, FILE_LEN);
	/* By their bytes, too. */
	change(0, 20000, 8);
	change(10000, 20000, 9);
	ck_assert_uint_eq(patches(), 0);
	remount_file();
	expect_bytes(file, want, FILE_LEN);
}
END_TEST

START_TEST(a_run_of_small_writes_is_one_patch)
{
	uint8_t *data = pattern(3000, 3);

	for (unsigned i = 0; i < 30; i++)
		write_at(file, 700 + i * 100, data + i * 100, 100);
	memcpy(want + 700, data, 3000);
	free(data);
	/* Before the commit as after it. */
	expect_bytes(file, want, FILE_LEN);
	ck_assert_int_eq(fs_fsync(fs, file), 0);
	ck_assert_uint_eq(patches(), 1);
	expect_bytes(file, want, FILE_LEN);
	/* Two places of one chunk at once: it is written as a whole. */
	write_at(file, 10, "a", 1);
	write_at(file, 20000, "b", 1);
	want[10] = 'a';
	want[20000] = 'b';
	ck_assert_int_eq(fs_fsync(fs, file), 0);
	ck_assert_uint_eq(patches(), 0);
	expect_bytes(file, want, FILE_LEN);
}
END_TEST

START_TEST(cuts_and_holes_take_patches_into_account)
{
	struct fs_attr attr = { .size = 2 * CHUNK_SIZE + 6000 };

	change(100, 10, 2);
	change(2 * CHUNK_SIZE + 5000, 2000, 2);
	change(4 * CHUNK_SIZE + 1000, 2000, 3);
	ck_assert_uint_eq(patches(), 3);
	ck_assert_int_eq(fs_fallocate(fs, file,
			     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 50,
			     55),
	    0);
	memset(want + 50, 0, 55);
	ck_assert_int_eq(fs_setattr(fs, file, &attr, FS_SET_SIZE, &attr), 0);
	ck_assert_int_eq(fs_fsync(fs, file), 0);
	ck_assert_uint_eq(patches(), 0);
	expect_bytes(file, want, attr.size);
	expect_clean();
	change(10, 10, 5);
	attr.size = 0;
	ck_assert_int_eq(fs_setattr(fs, file, &attr, FS_SET_SIZE, &attr), 0);
	write_at(file, 0, want, 5000);
	ck_assert_int_eq(fs_fsync(fs, file), 0);
	ck_assert_uint_eq(patches(), 0);
	expect_bytes(file, want, 5000);
}
END_TEST

START_TEST(a_patch_makes_a_short_chunk_longer)
{
	uint64_t f = make("sparse");
	struct fs_attr attr = { .size = 3 * CHUNK_SIZE };

	write_at(f, CHUNK_SIZE, "begin", 5);
	ck_assert_int_eq(fs_setattr(fs, f, &attr, FS_SET_SIZE, &attr), 0);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	ck_assert_uint_eq(stat_of(f).blocks, 8);
	write_at(f, CHUNK_SIZE + 20000, "end", 3);
	ck_assert_uint_eq(stat_of(f).blocks, 40);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	ck_assert_uint_eq(patches(), 1);
	ck_assert_uint_eq(stat_of(f).blocks, 40);
	expect_clean();
	ck_assert_int_eq(fs_lseek(fs, f, CHUNK_SIZE, SEEK_HOLE),
	    CHUNK_SIZE + 20003);
	ck_assert_int_eq(fs_lseek(fs, f, 0, SEEK_DATA), CHUNK_SIZE);
	/* A hole has no chunk that could be patched. */
	write_at(f, 100, "x", 1);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	ck_assert_uint_eq(patches(), 1);
	ck_assert_int_eq(fs_fallocate(fs, f,
			     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     CHUNK_SIZE, CHUNK_SIZE),
	    0);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	ck_assert_uint_eq(patches(), 0);
	ck_assert_uint_eq(stat_of(f).blocks, 8);
}
END_TEST

START_TEST(patches_go_with_their_file)
{
	struct fs_attr attr;

	change(100, 10, 2);
	/* With two names, renamed, replaced: they stay. */
	ck_assert_int_eq(fs_link(fs, file, FS_ROOT_INO, slice_str("two"),
			     &attr),
	    0);
	write_at(file, 5, "dirty", 5);
	memcpy(want + 5, "dirty", 5);
	ck_assert_int_eq(fs_rename(fs, FS_ROOT_INO, slice_str("file"),
			     FS_ROOT_INO, slice_str("three"), 0),
	    0);
	ck_assert_uint_eq(patches(), 2);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("two")), 0);
	expect_bytes(file, want, FILE_LEN);
	/* Open without a name: still there, and gone at the end. */
	ck_assert_int_eq(fs_openfile(fs, file, false), 0);
	ck_assert_int_eq(fs_unlink(fs, FS_ROOT_INO, slice_str("three")), 0);
	expect_bytes(file, want, FILE_LEN);
	unmount_fs();
	ck_assert_uint_eq(patches(), 0);
	mount_fs();
}
END_TEST

START_TEST(a_file_at_rest_is_merged_where_it_pays)
{
	struct fs_attr before, after;

	for (unsigned i = 0; i < PATCH_MERGE_ROWS; i++)
		change(1000 * i, 100, i);
	for (unsigned i = 0; i < PATCH_MERGE_BYTES / BLOCK; i++)
		change(CHUNK_SIZE + 2 * i * BLOCK, BLOCK, i);
	/* Few: they stay. */
	change(2 * CHUNK_SIZE, BLOCK, 1);
	change(3 * CHUNK_SIZE, 100, 1);
	before = stat_of(file);
	ck_assert_uint_eq(patches(),
	    PATCH_MERGE_ROWS + PATCH_MERGE_BYTES / BLOCK + 2);
	/* Found after a mount, when it is looked at. */
	opts.patch_rest_ms = 1;
	remount_file();
	expect_bytes(file, want, FILE_LEN);
	await_patches(2);
	expect_bytes(file, want, FILE_LEN);
	after = stat_of(file);
	ck_assert_uint_eq(after.blocks, before.blocks);
	ck_assert_int_eq(after.mtime.tv_nsec, before.mtime.tv_nsec);
	ck_assert_int_eq(after.ctime.tv_nsec, before.ctime.tv_nsec);
	/* And of a file that is written. */
	for (unsigned i = 1; i < PATCH_MERGE_BYTES / BLOCK; i++)
		change(2 * CHUNK_SIZE + i * BLOCK, BLOCK, i);
	await_patches(1);
	ck_assert_uint_eq(patches(), 1);
	expect_bytes(file, want, FILE_LEN);
}
END_TEST

START_TEST(a_file_written_in_small_pieces_is_merged_at_rest)
{
	uint64_t f = make("pieces");

	for (unsigned i = 0; i < 3; i++) {
		write_at(f, i * 3000, want + i * 3000, 3000);
		ck_assert_int_eq(fs_fsync(fs, f), 0);
	}
	ck_assert_uint_eq(patches(), 2);
	change(CHUNK_SIZE, 10, 1);
	unmount_fs();
	opts.patch_rest_ms = 1;
	mount_fs();
	f = lookup("pieces");
	write_at(f, 9000, want + 9000, 3000);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	await_patches(1);
	expect_bytes(f, want, 12000);
}
END_TEST

/* The memory of maps is bounded: then all is merged, and what would need more
 * memory is written as a whole. */
START_TEST(the_memory_of_patches_is_bounded)
{
	uint64_t f = make("large"), most = 0;
	const uint64_t bound = 2u << 20;
	const uint64_t chunks = 2 * bound / sizeof(struct patch_chunk);

	unmount_fs();
	opts.writeback_bytes = 16u << 20;
	mount_fs();
	f = lookup("large");
	for (uint64_t i = 0; i < chunks; i++)
		write_at(f, i * CHUNK_SIZE, "0123456789", 10);
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	for (uint64_t i = 0; i < chunks; i++) {
		write_at(f, i * CHUNK_SIZE + 3, "x", 1);
		if (i % 500 == 0)
			ck_assert_int_eq(fs_fsync(fs, f), 0);
		if (patch_map_bytes() > most)
			most = patch_map_bytes();
	}
	ck_assert_int_eq(fs_fsync(fs, f), 0);
	ck_assert_uint_gt(most, bound / 2);
	ck_assert_uint_le(most, bound + 2 * sizeof(struct patch_chunk));
	for (int i = 0; patch_map_bytes() > bound / 4 * 3; i++) {
		ck_assert_int_lt(i, 20000);
		usleep(1000);
	}
	for (uint64_t i = 0; i < chunks; i += 100) {
		uint8_t *got;
		size_t n;

		got = read_at(f, i * CHUNK_SIZE, 10, &n);
		ck_assert_mem_eq(got, "012x456789", 10);
		free(got);
	}
}
END_TEST

START_TEST(a_failed_commit_leaves_the_patches_right)
{
	change(100, 300, 2);
	write_at(file, 150, "lost", 4);
	kv_mem_fail_commit_once(kv, -ENOSPC);
	ck_assert_int_eq(fs_fsync(fs, file), -ENOSPC);
	memcpy(want + 150, "lost", 4);
	expect_bytes(file, want, FILE_LEN);
	ck_assert_uint_eq(patches(), 1);
	ck_assert_int_eq(fs_fsync(fs, file), 0);
	ck_assert_uint_eq(patches(), 2);
	remount_file();
	expect_bytes(file, want, FILE_LEN);
}
END_TEST

/* ---- Readers beside a writer and merges ---- */

static atomic_bool has_ended;
static _Atomic unsigned written[FILE_LEN / BLOCK];

/* A block holds one byte all over: that of the last write of it, or of one
 * that is under way. */
static void *
read_blocks(void *arg)
{
	uint64_t state = (uint64_t)(uintptr_t)arg;
	struct fs_read r;
	unsigned block, low, got;
	uint8_t buf[BLOCK];
	size_t n;

	while (!atomic_load(&has_ended)) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		block = (unsigned)(state >> 33) % (FILE_LEN / BLOCK);
		low = atomic_load(&written[block]);
		ck_assert_int_eq(fs_read(fs, file, block * BLOCK, BLOCK, &r),
		    0);
		n = 0;
		for (size_t i = 0; i < r.count; i++) {
			memcpy(buf + n, r.pieces[i].data, r.pieces[i].len);
			n += r.pieces[i].len;
		}
		fs_read_done(&r);
		ck_assert_uint_eq(n, BLOCK);
		got = buf[0];
		ck_assert_int_eq(memcmp(buf, buf + 1, BLOCK - 1), 0);
		/* Versions count up, modulo 256; few are written meanwhile. */
		ck_assert_uint_lt((got - low) & 0xff, 128);
	}
	return NULL;
}

START_TEST(readers_see_whole_writes_while_patches_are_merged)
{
	uint64_t ends = (uint64_t)time(NULL) + 2;
	uint64_t seen = 0;
	pthread_t readers[3];
	uint8_t data[BLOCK];
	unsigned block, v;

	seed_begin();
	unmount_fs();
	opts.patch_rest_ms = 1;
	opts.writeback_ms = 1;
	mount_fs();
	file = lookup("file");
	kv_mem_lag(kv);
	memset(want, 0, FILE_LEN);
	write_at(file, 0, want, FILE_LEN);
	for (uintptr_t i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&readers[i], NULL, read_blocks,
				     (void *)(rng_state + i)),
		    0);
	/* Longer on a busy machine: until there were merges meanwhile. */
	while ((uint64_t)time(NULL) < ends || seen <= 100 ||
	    counter_read(&fs->counters.merges) <= 5) {
		block = (unsigned)rng(FILE_LEN / BLOCK);
		v = atomic_load(&written[block]) + 1;
		memset(data, (int)(v & 0xff), BLOCK);
		write_at(file, block * BLOCK, data, BLOCK);
		memset(want + block * BLOCK, (int)(v & 0xff), BLOCK);
		atomic_store(&written[block], v);
		if (rng(4) != 0)
			ck_assert_int_eq(fs_fsync(fs, file), 0);
		if (rng(8) == 0)
			usleep(2000);
		seen += patches();
	}
	atomic_store(&has_ended, true);
	for (int i = 0; i < 3; i++)
		pthread_join(readers[i], NULL);
	expect_bytes(file, want, FILE_LEN);
}
END_TEST

/* ---- Random work on one file ---- */

static void
random_change(void)
{
	uint64_t off = rng(FILE_LEN), n = rng(3) == 0 ? BLOCK : rng(300) + 1;
	struct fs_attr attr = { .size = FILE_LEN };

	if (rng(3) == 0)
		off = off / BLOCK * BLOCK;
	if (n > FILE_LEN - off)
		n = FILE_LEN - off;
	switch (rng(40)) {
	case 0: /* a cut, and back */
		attr.size = off;
		ck_assert_int_eq(fs_setattr(fs, file, &attr, FS_SET_SIZE,
				     &attr),
		    0);
		memset(want + off, 0, FILE_LEN - off);
		if (rng(2) == 0)
			ck_assert_int_eq(fs_fsync(fs, file), 0);
		attr.size = FILE_LEN;
		ck_assert_int_eq(fs_setattr(fs, file, &attr, FS_SET_SIZE,
				     &attr),
		    0);
		return;
	case 1:
		ck_assert_int_eq(fs_fallocate(fs, file,
				     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				     off, n),
		    0);
		memset(want + off, 0, n);
		return;
	case 2:
		remount_file();
		return;
	default:
		if (rng(3) == 0) {
			uint8_t *data = pattern(n, (unsigned)rng(99));

			write_at(file, off, data, n);
			memcpy(want + off, data, n);
			free(data);
			return;
		}
		change(off, n, (unsigned)rng(99));
	}
}

START_TEST(random_changes_of_a_file_keep_its_contents)
{
	uint64_t seen = 0;
	uint8_t *got;
	size_t n;

	seed_begin();
	for (int round = 0; round < 6; round++) {
		unmount_fs();
		opts.patch_rest_ms = round % 2 == 0 ? NEVER_MS : 2;
		opts.writeback_bytes = round < 3 ? 64u << 20 : 256u << 10;
		mount_fs();
		file = lookup("file");
		for (int step = 0; step < 500; step++) {
			uint64_t off = rng(FILE_LEN), len = rng(70000) + 1;

			random_change();
			seen += patches();
			got = read_at(file, off, len, &n);
			ck_assert_mem_eq(got, want + off, n);
			free(got);
			if (step % 100 == 99) {
				expect_bytes(file, want, FILE_LEN);
				expect_clean();
			}
		}
	}
	ck_assert_uint_gt(seen, 1000);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("patches");

	tcase_add_checked_fixture(tc, setup_file, teardown_file);
	tcase_add_test(tc, a_part_of_a_chunk_is_a_patch);
	tcase_add_test(tc, a_patch_of_the_same_place_replaces_the_row);
	tcase_add_test(tc, many_patches_make_the_chunk_whole);
	tcase_add_test(tc, a_run_of_small_writes_is_one_patch);
	tcase_add_test(tc, cuts_and_holes_take_patches_into_account);
	tcase_add_test(tc, a_patch_makes_a_short_chunk_longer);
	tcase_add_test(tc, patches_go_with_their_file);
	tcase_add_test(tc, a_file_at_rest_is_merged_where_it_pays);
	tcase_add_test(tc, a_file_written_in_small_pieces_is_merged_at_rest);
	tcase_add_test(tc, the_memory_of_patches_is_bounded);
	tcase_add_test(tc, a_failed_commit_leaves_the_patches_right);
	tcase_add_test(tc, readers_see_whole_writes_while_patches_are_merged);
	tcase_add_test(tc, random_changes_of_a_file_keep_its_contents);
	tcase_set_timeout(tc, 120);
	return run_case("fs_patches", tc);
}
