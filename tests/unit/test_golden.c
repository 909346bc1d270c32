/* SPDX-License-Identifier: ISC */
/*
 * The bytes of format version 1, kept in tests/golden/v1, stay readable: as
 * rows, as files, and by a store that goes on from them; and rows written
 * today have the same bytes. For the other files of a store
 * test_golden_write tells.
 *
 * The same for patches, in tests/golden/v1-patches.
 *
 * KVFS_GOLDEN_MAKE=DIR makes DIR, DIR.rows and DIR.tree, and those of
 * DIR-patches, in place of testing.
 */
#include <check.h>
#include <stdlib.h>

#include "fs/schema.h"
#include "golden/dump.h"
#include "golden/make.h"
#include "golden/open.h"
#include "support/suite.h"
#include "util/crc32c.h"

static void
setup_patches(void)
{
	golden = GOLDEN_PATCHES;
	setup();
}

static bool
golden_has_patches(void)
{
	return strcmp(golden, GOLDEN_PATCHES) == 0;
}

/* ---- What is in it ---- */

static void
expect_text(struct buf *text, const char *suffix)
{
	struct buf want = { 0 };
	char got[PATH_MAX], path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", golden, suffix);
	file_read(path, &want);
	if (slice_eq(buf_slice(text), buf_slice(&want))) {
		buf_fini(&want);
		return;
	}
	temp_name(got, "got");
	file_write(got, buf_slice(text), text->len);
	ck_abort_msg("compare %s and %s", path, got);
}

static void
take_rows(struct kv *kv, struct buf *text)
{
	char *mem = NULL;
	size_t len;
	FILE *out = open_memstream(&mem, &len);

	dump_rows(kv, out);
	fclose(out);
	buf_append(text, mem, len);
	free(mem);
}

static void
take_tree(struct fs *fs, struct buf *text)
{
	char *mem = NULL;
	size_t len;
	FILE *out = open_memstream(&mem, &len);

	dump_tree(fs, out);
	fclose(out);
	buf_append(text, mem, len);
	free(mem);
}

static void
expect_rows(struct kv *kv)
{
	struct buf text = { 0 };

	take_rows(kv, &text);
	expect_text(&text, ".rows");
	buf_fini(&text);
}

static void
expect_tree(struct fs *fs)
{
	struct buf text = { 0 };

	take_tree(fs, &text);
	expect_text(&text, ".tree");
	buf_fini(&text);
}

static void
expect_clean(struct kv *kv)
{
	char *mem = NULL;
	size_t len;
	FILE *out = open_memstream(&mem, &len);
	int damaged = kv_check(kv, KV_CHECK_ALL, out);
	int problems = fs_verify(kv, out);

	fclose(out);
	ck_assert_msg(damaged == 0 && problems == 0, "%s", mem);
	free(mem);
}

START_TEST(the_rows_are_those_that_were_written)
{
	struct kv *kv = open_kv(store, true);

	expect_rows(kv);
	ck_assert_int_eq(kv_close(kv), 0);
}
END_TEST

START_TEST(the_files_are_those_that_were_written)
{
	struct kv *kv = open_kv(store, true);
	struct fs *fs = open_fs(kv, true);

	expect_tree(fs);
	expect_clean(kv);
	ck_assert_int_eq(fs_close(fs), 0);
	ck_assert_int_eq(kv_close(kv), 0);
}
END_TEST

START_TEST(reading_changes_no_byte)
{
	char before[PATH_MAX];
	struct kv *kv;
	struct fs *fs;

	temp_name(before, "before");
	store_copy(store, before, false);
	kv = open_kv(store, true);
	fs = open_fs(kv, true);
	expect_tree(fs);
	ck_assert_int_eq(fs_close(fs), 0);
	ck_assert_int_eq(kv_close(kv), 0);
	expect_same_store(before, store);
	strlcpy(last_line, before, sizeof(last_line));
	file_path(before, last_line, "LOCK");
	file_write(before, slice_str(""), 0);
	store_remove(last_line);
}
END_TEST

START_TEST(recovery_and_compaction_keep_the_files)
{
	struct kv_key orphan = key_orphan(GOLDEN_ORPHAN);
	struct kv_value v;
	struct kv *kv;
	struct fs *fs;

	for (int i = 0; i < 3; i++) {
		kv = open_kv(store, false);
		fs = open_fs(kv, false);
		expect_tree(fs);
		/* What is left of the file that was deleted while open. */
		ck_assert_int_eq(kv_get(kv, &orphan, NULL, &v), -ENOENT);
		ck_assert_int_ge(kv_compact(kv), 0);
		expect_tree(fs);
		expect_clean(kv);
		ck_assert_int_eq(fs_close(fs), 0);
		ck_assert_int_eq(kv_close(kv), 0);
	}
}
END_TEST

/* ---- Newer versions ---- */

static const struct {
	const char *in_name; /* which file */
	size_t sum_off; /* of a header's CRC-32C; 0: it is a table */
} versions[] = {
	{ "MANIFEST", 28 },
	{ ".log", 60 },
	{ ".seg", 28 },
	{ ".sst", 0 },
};

/* Make those files version 2, with the right sum. */
static void
raise_version(void *arg, const char *name)
{
	int i = *(int *)arg;
	size_t sum_off = versions[i].sum_off;
	struct buf b = { 0 };
	char path[PATH_MAX];
	uint8_t *h;

	if (strstr(name, versions[i].in_name) == NULL)
		return;
	file_path(path, store, name);
	file_read(path, &b);
	if (b.len != 0 && sum_off != 0) {
		put_le32(b.data + 8, 2);
		put_le32(b.data + sum_off, crc32c_sum(0, b.data, sum_off));
	} else if (b.len != 0) {
		h = b.data + b.len - 64;
		put_le32(h + 8, 2);
		put_le64(h + 56,
		    hash_bytes(h, 56,
			get_le64(h + 16) * 0x9e3779b97f4a7c15 +
			    get_le64(h + 48)));
	}
	file_write(path, buf_slice(&b), b.len);
	buf_fini(&b);
}

/* The first error of opening the store and reading it all, or 0. */
static int
read_all(void)
{
	struct kv_options opts;
	struct kv_key key = { 0 };
	struct kv_iter *it = NULL;
	struct slice value;
	struct kv *kv;
	int rc;

	kv_options_init(&opts);
	opts.read_only = true;
	rc = kv_open(store, &opts, &kv);
	if (rc < 0)
		return rc;
	rc = kv_iter_open(kv, &key, KV_SCOPE_ALL, NULL, &it);
	while (rc == 0 && (rc = kv_iter_next(it)) == 1)
		rc = kv_iter_value(it, &value);
	kv_iter_close(it);
	ck_assert_int_eq(kv_close(kv), 0);
	return rc;
}

START_TEST(newer_versions_are_told_from_damage)
{
	ck_assert_int_eq(read_all(), 0);
	dir_each(store, raise_version, &_i);
	ck_assert_int_eq(read_all(), -EPROTO);
}
END_TEST

/* ---- Rows, written again ---- */

static size_t
value_again(const struct kv_key *key, struct slice value, uint8_t *dst)
{
	struct dentry_row dentry;
	struct super_row super;
	struct count_row count;
	struct attr_rec rec;
	struct slice data = { 0 };
	uint64_t number;
	size_t n = 0;

	switch (key->space) {
	case SPACE_STORE:
		if (slice_eq(key->name, slice_str(KEY_FORMAT))) {
			ck_assert_int_eq(schema_get_super(value, &super), 0);
			return schema_put_super(dst, &super);
		}
		if (slice_eq(key->name, slice_str(KEY_INODES))) {
			ck_assert_int_eq(schema_get_count(value, &count), 0);
			return schema_put_count(dst, &count);
		}
		ck_assert(slice_eq(key->name, slice_str(KEY_NEXT_INO)));
		ck_assert_int_eq(schema_get_number(value, &number), 0);
		return schema_put_number(dst, number);
	case SPACE_DENTRY:
		ck_assert_int_eq(schema_get_dentry(value, &dentry), 0);
		if (dentry.is_ref)
			return schema_put_ref(dst, dentry.ino, dentry.type);
		n = schema_put_dentry(dst, dentry.ino, &dentry.rec);
		data = dentry.inline_data;
		break;
	case SPACE_INODE:
		ck_assert_int_eq(schema_get_inode(value, &rec, &data), 0);
		n = schema_put_inode(dst, &rec);
		break;
	default:
		ck_assert_int_eq(schema_get_bytes(value, &data), 0);
		dst[n++] = SCHEMA_TAG;
	}
	if (data.len != 0)
		memcpy(dst + n, data.data, data.len);
	return n + data.len;
}

START_TEST(rows_are_written_alike)
{
	static uint8_t again[CHUNK_SIZE + SCHEMA_TAG_LEN];
	struct kv *kv = open_kv(store, true);
	struct kv_key key = { 0 };
	unsigned rows[SPACE_PATCH + 1] = { 0 };
	struct kv_iter *it;
	struct slice value;
	int rc;

	ck_assert_int_eq(kv_iter_open(kv, &key, KV_SCOPE_ALL, NULL, &it), 0);
	while ((rc = kv_iter_next(it)) == 1) {
		size_t n;

		key = kv_iter_key(it);
		ck_assert_uint_le(key.space, SPACE_PATCH);
		ck_assert_int_eq(kv_iter_value(it, &value), 0);
		ck_assert_uint_le(value.len, sizeof(again));
		n = value_again(&key, value, again);
		ck_assert(slice_eq(slice_make(again, n), value));
		rows[key.space]++;
	}
	ck_assert_int_eq(rc, 0);
	if (golden_has_patches())
		ck_assert_uint_eq(rows[SPACE_PATCH], 4);
	for (int i = SPACE_STORE; i <= SPACE_ORPHAN; i++)
		ck_assert(golden_has_patches() || rows[i] != 0);
	kv_iter_close(it);
	ck_assert_int_eq(kv_close(kv), 0);
}
END_TEST

/* ---- Making it ---- */

static void
write_text(const char *dir, const char *suffix, struct buf *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", dir, suffix);
	file_write(path, buf_slice(text), text->len);
	buf_clear(text);
}

static void
make_texts(const char *dir)
{
	struct buf text = { 0 };
	struct kv *kv;
	struct fs *fs;

	temp_name(store, "store");
	store_copy(dir, store, false);
	kv = open_kv(store, true);
	fs = open_fs(kv, true);
	take_rows(kv, &text);
	write_text(dir, ".rows", &text);
	take_tree(fs, &text);
	write_text(dir, ".tree", &text);
	ck_assert_int_eq(fs_close(fs), 0);
	ck_assert_int_eq(kv_close(kv), 0);
	teardown();
	buf_fini(&text);
}

START_TEST(make)
{
	const char *dir = getenv("KVFS_GOLDEN_MAKE");
	char path[PATH_MAX];

	golden_make(dir);
	make_texts(dir);
	snprintf(path, sizeof(path), "%s-patches", dir);
	golden_make_patches(path);
	make_texts(path);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, the_rows_are_those_that_were_written);
	tcase_add_test(tc, the_files_are_those_that_were_written);
	tcase_add_test(tc, reading_changes_no_byte);
	tcase_add_test(tc, recovery_and_compaction_keep_the_files);
	tcase_add_test(tc, rows_are_written_alike);
	tcase_set_timeout(tc, 120);
}

int
main(void)
{
	TCase *tc = tcase_create("version 1"), *patches;
	Suite *s;

	if (getenv("KVFS_GOLDEN_MAKE") != NULL) {
		tcase_add_test(tc, make);
		tcase_set_timeout(tc, 120);
		return run_case("golden", tc);
	}
	tcase_add_checked_fixture(tc, setup, teardown);
	add_tests(tc);
	tcase_add_loop_test(tc, newer_versions_are_told_from_damage, 0,
	    (int)(sizeof(versions) / sizeof(versions[0])));
	patches = tcase_create("patches");
	tcase_add_checked_fixture(patches, setup_patches, teardown);
	add_tests(patches);
	s = suite_create("golden");
	suite_add_tcase(s, tc);
	suite_add_tcase(s, patches);
	return run_suite(s);
}
