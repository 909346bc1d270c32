/* SPDX-License-Identifier: ISC */
/* What the file system keeps in memory agrees with itself after any sequence
 * of operations, and the checks of it tell when it does not. */
#include "fs_test.h"

#include "fs/fs_contents.h"
#include "fs/fs_invariants.h"
#include "fs/fs_names.h"
#include "fs/fs_state.h"
#include "support/aborts.h"
#include "support/model.h"

#define NAMES 40
#define DIRS 5
#define STEPS 4000

/* The write-back thread finds nothing to do, so it changes nothing. */
static void
setup_still(void)
{
	setup();
	unmount_fs();
	opts.writeback_ms = 3600 * 1000;
	opts.writeback_bytes = 1ULL << 30;
	mount_fs();
}

static void
check_all(void)
{
	inode_table_check(&fs->table);
	dirty_list_check(&fs->dirty);
	dirty_list_check_sums(&fs->dirty);
}

static void
step(struct rng *r, const uint64_t *dirs)
{
	static const char text[3000];
	uint64_t dir = dirs[rng_below(r, DIRS)], ino;
	struct fs_attr attr;
	char name[16];

	snprintf(name, sizeof(name), "%u", (unsigned)rng_below(r, NAMES));
	switch (rng_below(r, 4)) {
	case 0:
		(void)fs_create(fs, dir, slice_str(name), S_IFREG | 0644, 0,
		    &cred, &attr);
		break;
	case 1:
		ino = lookup_in(dir, name);
		if (ino != 0)
			write_at(ino, rng_below(r, 100000), text,
			    1 + rng_below(r, sizeof(text) - 1));
		break;
	case 2:
		ino = lookup_in(dir, name);
		if (ino != 0)
			fs_forget(fs, ino, 1 + rng_below(r, 3));
		break;
	default:
		(void)fs_unlink(fs, dir, slice_str(name));
		break;
	}
}

START_TEST(all_agrees_after_any_operations)
{
	struct rng r = { test_seed() };
	uint64_t dirs[DIRS] = { FS_ROOT_INO };

	for (int i = 1; i < DIRS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "dir%d", i);
		dirs[i] = make_in(dirs[i / 2], name, S_IFDIR | 0755);
	}
	for (int i = 0; i < STEPS; i++) {
		step(&r, dirs);
		if (i % 50 == 0)
			check_all();
	}
	check_all();
	ck_assert_int_eq(fs_sync(fs), 0);
	check_all();
}
END_TEST

static void
check_inodes(void *arg)
{
	inode_table_check(arg);
}

START_TEST(a_broken_table_is_told)
{
	uint64_t dir = make_dir("dir");
	struct inode *in = inode_get(fs, make_in(dir, "file", S_IFREG | 0644));
	struct inode_shard *s = inode_table_shard(&fs->table, in->ino);

	inode_table_check(&fs->table);
	mutex_lock(&s->mu);
	s->count++;
	mutex_unlock(&s->mu);
	ck_assert(aborts_with("are counted", check_inodes, &fs->table));
	mutex_lock(&s->mu);
	s->count--;
	mutex_unlock(&s->mu);
	in->ino += 1000;
	ck_assert(aborts_with("is in the table and not found", check_inodes,
	    &fs->table));
	in->ino -= 1000;
	in->table.nheld = 1;
	atomic_fetch_sub(&in->table.refs, 1);
	ck_assert(
	    aborts_with("references and 2 users", check_inodes, &fs->table));
	atomic_fetch_add(&in->table.refs, 1);
	in->table.nheld = 0;
	inode_table_check(&fs->table);
	inode_put(fs, in);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("fs_invariants");

	tcase_add_checked_fixture(tc, setup_still, teardown);
	tcase_add_test(tc, all_agrees_after_any_operations);
	tcase_add_test(tc, a_broken_table_is_told);
	return run_case("fs_invariants", tc);
}
