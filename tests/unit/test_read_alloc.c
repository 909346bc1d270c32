/* SPDX-License-Identifier: ISC */
/*
 * Reads that find everything in memory allocate nothing: the linker leads
 * the library's calls of malloc(3) and its kin through here (Makefile), and
 * those of this thread are counted.
 */
#include <check.h>
#include <stdlib.h>

#include "engine/store/db.h"
#include "fs/fs.h"
#include "support/alloc.h"
#include "support/env_mem.h"
#include "support/suite.h"

#define KEYS 2000
#define VALUE_LEN 300

static struct env *env;
static struct kv *kv;
static struct fs *fs;

static void
setup(void)
{
	struct kv_options opts;

	env = env_mem_create(1);
	kv_options_init(&opts);
	opts.sync = KV_SYNC_OFF;
	ck_assert_int_eq(db_open(env, "/store", &opts, &kv), 0);
}

static void
teardown(void)
{
	ck_assert_int_eq(fs_close(fs), 0);
	fs = NULL;
	ck_assert_int_eq(kv_close(kv), 0);
	env_mem_destroy(env);
}

static struct kv_key
key_of(uint64_t *number)
{
	return (struct kv_key){ 1, 7, slice_make(number, sizeof(*number)) };
}

static void
put_all(void)
{
	uint8_t value[VALUE_LEN] = { 1 };
	struct kv_batch b;

	kv_batch_init(&b);
	for (uint64_t i = 0; i < KEYS; i++) {
		struct kv_key key = key_of(&i);

		kv_batch_put(&b, &key, slice_make(value, sizeof(value)));
	}
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
}

/* Get keys, the first KEYS of which are there; how much was allocated. */
static unsigned
get_all(uint64_t count)
{
	unsigned before = alloc_count;

	for (uint64_t i = 0; i < count; i++) {
		struct kv_key key = key_of(&i);
		struct kv_value v;
		int rc = kv_get(kv, &key, NULL, &v);

		if (rc != (i < KEYS ? 0 : -ENOENT) ||
		    (i < KEYS && v.data.len != VALUE_LEN))
			ck_abort_msg("key %d: %d", (int)i, rc);
		kv_value_release(&v);
	}
	return alloc_count - before;
}

/* Or the tests below prove nothing. */
START_TEST(allocations_are_counted)
{
	unsigned before = alloc_count;

	put_all();
	ck_assert_uint_gt(alloc_count, before);
}
END_TEST

START_TEST(a_get_from_a_memtable_allocates_nothing)
{
	put_all();
	ck_assert_uint_eq(get_all(2 * KEYS), 0);
}
END_TEST

START_TEST(a_get_from_cached_blocks_allocates_nothing)
{
	put_all();
	ck_assert_int_eq(kv_compact(kv), 0);
	/* Reading them from the file does. */
	ck_assert_uint_gt(get_all(2 * KEYS), 0);
	ck_assert_uint_eq(get_all(2 * KEYS), 0);
}
END_TEST

static uint64_t
make_file(const char *name, size_t len)
{
	static const struct fs_cred cred = { 0 };
	uint8_t *data = calloc(1, len);
	struct fs_attr attr;

	ck_assert_ptr_nonnull(data);
	memset(data, 'x', len);
	ck_assert_int_eq(fs_create(fs, FS_ROOT_INO, slice_str(name),
			     S_IFREG | 0644, 0, &cred, &attr),
	    0);
	ck_assert_int_eq((int)fs_write(fs, attr.ino, 0, slice_make(data, len)),
	    (int)len);
	ck_assert_int_eq(fs_fsync(fs, attr.ino), 0);
	free(data);
	return attr.ino;
}

static unsigned
read_file(uint64_t ino, size_t len)
{
	unsigned before = alloc_count;
	struct fs_read r;
	int rc = fs_read(fs, ino, 0, len + 10, &r);
	bool is_right = rc == 0 && r.bytes == len &&
	    *(const char *)r.pieces[0].data == 'x';

	fs_read_done(&r);
	/* Before check's own. */
	before = alloc_count - before;
	ck_assert(is_right);
	return before;
}

/* Contents in the row of the name, in one chunk, and in many of a file with
 * holes: memory for the reply itself is in the reply. */
START_TEST(a_read_of_a_cached_file_allocates_nothing)
{
	struct fs_options opts;
	uint64_t small, chunk, sparse;

	fs_options_init(&opts);
	ck_assert_int_eq(fs_open(kv, &opts, &fs), 0);
	small = make_file("small", 200);
	chunk = make_file("chunk", 2500);
	sparse = make_file("sparse", 2500);
	ck_assert_int_eq(fs_fallocate(fs, sparse, 0, 0, (1u << 20) - 4096), 0);
	ck_assert_int_eq(fs_fsync(fs, sparse), 0);
	for (int round = 0; round < 2; round++) {
		/* The first read may move the access time. */
		(void)read_file(small, 200);
		(void)read_file(chunk, 2500);
		(void)read_file(sparse, (1u << 20) - 4096);
		ck_assert_uint_eq(read_file(small, 200), 0);
		ck_assert_uint_eq(read_file(chunk, 2500), 0);
		ck_assert_uint_eq(read_file(sparse, (1u << 20) - 4096), 0);
		ck_assert_int_eq(kv_compact(kv), 0);
	}
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, allocations_are_counted);
	tcase_add_test(t, a_get_from_a_memtable_allocates_nothing);
	tcase_add_test(t, a_get_from_cached_blocks_allocates_nothing);
	tcase_add_test(t, a_read_of_a_cached_file_allocates_nothing);
	return run_case("read_alloc", t);
}
