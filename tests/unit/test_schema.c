/* SPDX-License-Identifier: ISC */
/* Rows of the file system: what is written is read back, what is damaged
 * is refused. */
#include "unit/fs_test.h"

static struct attr_rec
random_rec(void)
{
	static const uint32_t types[] = { S_IFREG, S_IFDIR, S_IFIFO, S_IFCHR };
	struct attr_rec r = {
		.mode = types[rng(4)] | (uint32_t)rng(010000),
		.nlink = (uint32_t)rng(UINT32_MAX),
		.uid = (uint32_t)rng(UINT32_MAX),
		.gid = (uint32_t)rng(100),
		.nxattrs = rng(2) ? (uint32_t)rng(UINT32_MAX) : 0,
		.btime = { (time_t)(rng(UINT64_MAX) << 1),
		    (long)rng(1000000000) },
	};

	r.atime = rng(2) ? r.btime : (struct timespec){ -5, 999999999 };
	r.mtime = rng(2) ? r.atime : (struct timespec){ INT64_MAX, 0 };
	r.ctime = rng(2) ? r.mtime : (struct timespec){ INT64_MIN, 1 };
	if (S_ISDIR(r.mode))
		r.entries = rng(UINT64_MAX);
	if (S_ISCHR(r.mode))
		r.rdev = rng(UINT64_MAX);
	if (S_ISREG(r.mode)) {
		r.size = rng(INT64_MAX);
		r.alloc = rng(1 << 20) * ALLOC_UNIT;
		r.flags = rng(2) ? ATTR_CHUNKS : 0;
		if (r.flags != 0 && rng(2) != 0)
			r.flags |= ATTR_PATCHES;
	}
	if (rng(4) == 0) {
		r.flags |= ATTR_EXPIRES;
		r.expires = -(int64_t)rng(INT64_MAX);
	}
	return r;
}

static void
expect_same(const struct attr_rec *a, const struct attr_rec *b)
{
	ck_assert_uint_eq(a->mode, b->mode);
	ck_assert_uint_eq(a->nlink, b->nlink);
	ck_assert_uint_eq(a->uid, b->uid);
	ck_assert_uint_eq(a->gid, b->gid);
	ck_assert_uint_eq(a->flags, b->flags);
	ck_assert_uint_eq(a->inline_len, b->inline_len);
	ck_assert_uint_eq(a->rdev, b->rdev);
	ck_assert_uint_eq(a->size, b->size);
	ck_assert_uint_eq(a->entries, b->entries);
	ck_assert_uint_eq(a->alloc, b->alloc);
	ck_assert_uint_eq(a->nxattrs, b->nxattrs);
	ck_assert_int_eq(a->expires, b->expires);
	ck_assert_int_eq(a->atime.tv_sec, b->atime.tv_sec);
	ck_assert_int_eq(a->atime.tv_nsec, b->atime.tv_nsec);
	ck_assert_int_eq(a->mtime.tv_sec, b->mtime.tv_sec);
	ck_assert_int_eq(a->mtime.tv_nsec, b->mtime.tv_nsec);
	ck_assert_int_eq(a->ctime.tv_sec, b->ctime.tv_sec);
	ck_assert_int_eq(a->ctime.tv_nsec, b->ctime.tv_nsec);
	ck_assert_int_eq(a->btime.tv_sec, b->btime.tv_sec);
	ck_assert_int_eq(a->btime.tv_nsec, b->btime.tv_nsec);
}

START_TEST(a_row_reads_back_as_it_was_written)
{
	uint8_t dst[SCHEMA_ROW_MAX];
	struct dentry_row row;
	struct attr_rec rec, got;
	struct slice data;
	uint64_t ino;
	size_t n;

	seed_begin();
	for (int i = 0; i < 5000; i++) {
		rec = random_rec();
		ino = rng(UINT64_MAX - 2) + 2;
		n = schema_put_dentry(dst, ino, &rec);
		ck_assert_uint_le(n, SCHEMA_ROW_MAX);
		ck_assert_int_eq(schema_get_dentry(slice_make(dst, n), &row),
		    0);
		ck_assert_uint_eq(row.ino, ino);
		ck_assert(!row.is_ref);
		expect_same(&rec, &row.rec);
		n = schema_put_inode(dst, &rec);
		ck_assert_int_eq(schema_get_inode(slice_make(dst, n), &got,
				     &data),
		    0);
		expect_same(&rec, &got);
	}
	n = schema_put_ref(dst, 77, S_IFLNK);
	ck_assert_int_eq(schema_get_dentry(slice_make(dst, n), &row), 0);
	ck_assert(row.is_ref && row.ino == 77 && row.type == S_IFLNK);
}
END_TEST

START_TEST(the_row_of_a_new_file_is_small)
{
	struct timespec now = { 1790000000, 123456789 };
	struct attr_rec rec = { .mode = S_IFREG | 0644,
		.nlink = 1,
		.uid = 1000,
		.gid = 1000,
		.atime = now,
		.mtime = now,
		.ctime = now,
		.btime = now };
	uint8_t dst[SCHEMA_ROW_MAX];

	ck_assert_uint_le(schema_put_dentry(dst, 1000000, &rec), 32);
}
END_TEST

START_TEST(inline_contents_follow_the_record)
{
	struct attr_rec rec = { .mode = S_IFREG | 0644, .nlink = 1 };
	uint8_t dst[SCHEMA_ROW_MAX + 8];
	struct dentry_row row;
	size_t n;

	rec.size = 10;
	rec.inline_len = 5;
	n = schema_put_dentry(dst, 9, &rec);
	memcpy(dst + n, "hello", 5);
	ck_assert_int_eq(schema_get_dentry(slice_make(dst, n + 5), &row), 0);
	ck_assert_mem_eq(row.inline_data.data, "hello", 5);
	/* More than its size, or none where some is announced. */
	ck_assert_int_eq(schema_get_dentry(slice_make(dst, n), &row),
	    -KVFS_ECORRUPT);
	rec.size = 4;
	n = schema_put_dentry(dst, 9, &rec);
	ck_assert_int_eq(schema_get_dentry(slice_make(dst, n + 5), &row),
	    -KVFS_ECORRUPT);
}
END_TEST

START_TEST(a_cut_row_is_refused_at_every_length)
{
	struct attr_rec rec;
	uint8_t dst[SCHEMA_ROW_MAX];
	struct dentry_row row;
	size_t n;

	seed_begin();
	for (int i = 0; i < 200; i++) {
		rec = random_rec();
		n = schema_put_dentry(dst, 12345, &rec);
		for (size_t len = 0; len < n; len++)
			ck_assert_int_eq(schema_get_dentry(slice_make(dst, len),
					     &row),
			    -KVFS_ECORRUPT);
	}
}
END_TEST

START_TEST(what_a_newer_version_wrote_is_not_called_damage)
{
	struct attr_rec rec = { .mode = S_IFREG | 0644, .nlink = 1 };
	uint8_t dst[SCHEMA_ROW_MAX];
	struct dentry_row row;
	struct slice bytes;
	size_t n = schema_put_dentry(dst, 9, &rec);

	dst[0] = 2;
	ck_assert_int_eq(schema_get_dentry(slice_make(dst, n), &row), -EPROTO);
	dst[0] = SCHEMA_TAG | 0x10;
	ck_assert_int_eq(schema_get_dentry(slice_make(dst, n), &row), -EPROTO);
	ck_assert_int_eq(schema_get_chunk(slice_make(dst, n), &bytes), -EPROTO);
	dst[0] = SCHEMA_TAG;
	dst[1] = 7;
	ck_assert_int_eq(schema_get_dentry(slice_make(dst, n), &row), -EPROTO);
}
END_TEST

START_TEST(damaged_bytes_never_decode_to_the_impossible)
{
	struct attr_rec rec;
	uint8_t dst[SCHEMA_ROW_MAX];
	struct dentry_row row;
	size_t n;

	seed_begin();
	for (int i = 0; i < 30000; i++) {
		rec = random_rec();
		n = schema_put_dentry(dst, rng(1000) + 2, &rec);
		for (uint64_t k = rng(4) + 1; k != 0; k--)
			dst[rng(n)] = (uint8_t)rng(256);
		if (schema_get_dentry(slice_make(dst, n), &row) < 0 ||
		    row.is_ref)
			continue;
		ck_assert_uint_gt(row.ino, FS_ROOT_INO);
		ck_assert_uint_le(row.rec.size, SIZE_LIMIT);
		ck_assert_uint_le(row.rec.inline_len, INLINE_LIMIT);
		ck_assert_int_lt(row.rec.mtime.tv_nsec, 1000000000);
	}
}
END_TEST

START_TEST(the_place_of_a_patch_lies_in_a_chunk)
{
	const struct patch_key good[] = { { 0, 0, 0, 1 },
		{ 0x102030405, 0xa0b, CHUNK_SIZE - 1, 1 },
		{ 7, UINT16_MAX, 0, CHUNK_SIZE } };
	const struct patch_key bad[] = { { 0, 0, 0, 0 },
		{ 0, 0, CHUNK_SIZE, 1 }, { 0, 0, 1, CHUNK_SIZE },
		{ UINT64_MAX, 0, 0, 1 } };
	static const uint8_t bytes[PATCH_NAME_LEN] = { 0, 0, 0, 1, 2, 3, 4, 5,
		0xa, 0xb, 0x7f, 0xff, 0, 1 };
	uint8_t space[PATCH_NAME_LEN];
	struct patch_key got;
	struct kv_key key;

	for (size_t i = 0; i < 3; i++) {
		key = key_patch(5, &good[i], space);
		ck_assert_int_eq(key_patch_place(&key, &got), 0);
		ck_assert_uint_eq(got.index, good[i].index);
		ck_assert_uint_eq(got.number, good[i].number);
		ck_assert_uint_eq(got.start, good[i].start);
		ck_assert_uint_eq(got.len, good[i].len);
		key.name.len--;
		ck_assert_int_eq(key_patch_place(&key, &got), -KVFS_ECORRUPT);
	}
	key = key_patch(5, &good[1], space);
	ck_assert_uint_eq(key.space, 7);
	ck_assert_uint_eq(key.group, 5);
	ck_assert(slice_eq(key.name, slice_make(bytes, sizeof(bytes))));
	for (size_t i = 0; i < 4; i++) {
		key = key_patch(5, &bad[i], space);
		ck_assert_int_eq(key_patch_place(&key, &got), -KVFS_ECORRUPT);
	}
}
END_TEST

START_TEST(patches_without_chunks_are_refused)
{
	struct attr_rec rec = { .mode = S_IFREG | 0644,
		.nlink = 1,
		.flags = ATTR_PATCHES };
	uint8_t dst[SCHEMA_ROW_MAX];
	struct dentry_row row;
	size_t n = schema_put_dentry(dst, 9, &rec);

	ck_assert_int_eq(schema_get_dentry(slice_make(dst, n), &row),
	    -KVFS_ECORRUPT);
}
END_TEST

START_TEST(names_are_any_bytes_but_slash_and_nul)
{
	char name[257];

	memset(name, 'x', sizeof(name));
	ck_assert(schema_is_name(slice_make(name, 255)));
	ck_assert(!schema_is_name(slice_make(name, 256)));
	ck_assert(!schema_is_name(slice_make(name, 0)));
	ck_assert(schema_is_name(slice_str("\xff\x01 \n")));
	ck_assert(schema_is_name(slice_str("...")));
	ck_assert(!schema_is_name(slice_str(".")));
	ck_assert(!schema_is_name(slice_str("..")));
	ck_assert(!schema_is_name(slice_str("a/b")));
	ck_assert(!schema_is_name(slice_make("a\0b", 3)));
}
END_TEST

START_TEST(chunk_keys_sort_by_index)
{
	uint8_t a[8], b[8];
	struct kv_key ka = key_chunk(5, 255, a), kb = key_chunk(5, 256, b);
	uint64_t index;

	ck_assert_int_lt(slice_cmp(ka.name, kb.name), 0);
	ck_assert_int_eq(key_chunk_index(&kb, &index), 0);
	ck_assert_uint_eq(index, 256);
	kb.name.len = 7;
	ck_assert_int_eq(key_chunk_index(&kb, &index), -KVFS_ECORRUPT);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("schema");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_row_reads_back_as_it_was_written);
	tcase_add_test(tc, the_row_of_a_new_file_is_small);
	tcase_add_test(tc, inline_contents_follow_the_record);
	tcase_add_test(tc, a_cut_row_is_refused_at_every_length);
	tcase_add_test(tc, what_a_newer_version_wrote_is_not_called_damage);
	tcase_add_test(tc, damaged_bytes_never_decode_to_the_impossible);
	tcase_add_test(tc, the_place_of_a_patch_lies_in_a_chunk);
	tcase_add_test(tc, patches_without_chunks_are_refused);
	tcase_add_test(tc, names_are_any_bytes_but_slash_and_nul);
	tcase_add_test(tc, chunk_keys_sort_by_index);
	return run_case("schema", tc);
}
