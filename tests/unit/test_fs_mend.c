/* SPDX-License-Identifier: ISC */
/*
 * Repair of the file system's rows: whichever rows are lost, or are old
 * ones that came back, fs_verify() finds nothing afterwards, and what was
 * not touched is whole. KVFS_TRIALS: how many stores are damaged.
 */
#include "fs_test.h"

#define OBJECTS 70
#define NUMBERS 8192

/* What was made, by inode number. */
struct object {
	uint64_t parent;
	char name[16];
	uint32_t type; /* 0: is not there any more */
	size_t len;
	unsigned seed;
};
static struct object objects[NUMBERS];
static bool touched[NUMBERS]; /* a row of it is not what it was */
static uint64_t dirs[OBJECTS], files[OBJECTS];
static size_t ndirs, nfiles;

static uint64_t
any_dir(void)
{
	return dirs[rng(ndirs)];
}

static void
remember(uint64_t ino, uint64_t parent, const char *name, uint32_t type)
{
	ck_assert_uint_lt(ino, NUMBERS);
	objects[ino].parent = parent;
	objects[ino].type = type;
	strcpy(objects[ino].name, name);
}

static void
fill(uint64_t ino)
{
	const size_t sizes[] = { 0, 100, 2000, 5000, 40000, 200000 };
	size_t len = sizes[rng(6)];
	uint8_t *data;

	objects[ino].seed = (unsigned)rng(1000);
	objects[ino].len = len;
	data = pattern(len, objects[ino].seed);
	ck_assert_int_eq(fs_openfile(fs, ino, true), 0);
	if (len != 0)
		write_at(ino, 0, data, len);
	ck_assert_int_eq(fs_flush(fs, ino), 0);
	/* Some of it again, in patches. */
	for (size_t off = rng(4000); off + 200 < len; off += 1 + rng(40000)) {
		write_at(ino, off, data + off, 1 + rng(200));
		ck_assert_int_eq(fs_flush(fs, ino), 0);
	}
	fs_release(fs, ino);
	free(data);
}

static void
make_object(unsigned i)
{
	char name[16];
	uint64_t parent = any_dir(), ino;

	snprintf(name, sizeof(name), "n%u", i);
	if (rng(4) == 0) {
		ino = make_in(parent, name, S_IFDIR | 0755);
		remember(ino, parent, name, S_IFDIR);
		dirs[ndirs++] = ino;
	} else {
		ino = make_in(parent, name, S_IFREG | 0644);
		remember(ino, parent, name, S_IFREG);
		fill(ino);
		files[nfiles++] = ino;
	}
	if (rng(4) == 0)
		ck_assert_int_eq(fs_setxattr(fs, ino, slice_str("user.a"),
				     slice_str("value"), 0),
		    0);
}

static void
change_object(unsigned i)
{
	uint64_t ino = files[rng(nfiles)], dir = any_dir();
	struct object *o = &objects[ino];
	struct fs_attr attr;
	char name[16];

	if (o->type == 0)
		return;
	snprintf(name, sizeof(name), "m%u", i);
	switch (rng(4)) {
	case 0:
		ck_assert_int_eq(fs_link(fs, ino, dir, slice_str(name), &attr),
		    0);
		break;
	case 1:
		ck_assert_int_eq(fs_rename(fs, o->parent, slice_str(o->name),
				     dir, slice_str(name), 0),
		    0);
		remember(ino, dir, name, o->type);
		break;
	case 2: /* stays open, so that it leaves an orphan */
		ck_assert_int_eq(fs_openfile(fs, ino, false), 0);
		ck_assert_int_eq(fs_unlink(fs, o->parent, slice_str(o->name)),
		    0);
		o->type = 0;
		break;
	default:
		o->len = 0;
		attr.size = 0;
		ck_assert_int_eq(fs_setattr(fs, ino, &attr, FS_SET_SIZE, &attr),
		    0);
		fill(ino);
	}
}

static void
make_tree(void)
{
	memset(objects, 0, sizeof(objects));
	ndirs = nfiles = 0;
	dirs[ndirs++] = FS_ROOT_INO;
	objects[FS_ROOT_INO].type = S_IFDIR;
	for (unsigned i = 0; i < OBJECTS - 1; i++)
		make_object(i);
	for (unsigned i = 0; i < OBJECTS / 2; i++)
		change_object(i);
	ck_assert_int_eq(fs_sync(fs), 0);
}

/* ---- Damage ---- */

static void
touch_ino(uint64_t ino)
{
	if (ino < NUMBERS)
		touched[ino] = true;
}

static void
touch(struct kv *store, const struct kv_key *key)
{
	struct dentry_row row;
	struct kv_value value;

	if (key->space != SPACE_DENTRY) {
		touch_ino(key->group);
		return;
	}
	if (kv_get(store, key, NULL, &value) == 0 &&
	    schema_get_dentry(value.data, &row) == 0)
		touch_ino(row.ino);
	kv_value_release(&value);
}

/* Lose one row in so many; or let those of an older state come back. */
static void
damage(struct kv *store, struct kv *old, uint8_t space, unsigned one_in)
{
	struct kv_key from = { .space = space }, key;
	struct slice value;
	struct kv_iter *it;
	struct kv_batch b;

	ck_assert_int_eq(kv_iter_open(old != NULL ? old : store, &from,
			     KV_SCOPE_SPACE, NULL, &it),
	    0);
	while (kv_iter_next(it) == 1) {
		if (rng(one_in) != 0)
			continue;
		key = kv_iter_key(it);
		ck_assert_int_eq(kv_iter_value(it, &value), 0);
		touch(store, &key);
		if (old != NULL)
			touch(old, &key);
		kv_batch_init(&b);
		if (old != NULL)
			kv_batch_put(&b, &key, value);
		else
			kv_batch_delete(&b, &key);
		ck_assert_int_eq(kv_commit(store, &b, NULL), 0);
		kv_batch_fini(&b);
	}
	kv_iter_close(it);
}

/* ---- What must be true afterwards ---- */

static bool
is_untouched(uint64_t ino)
{
	for (; ino != FS_ROOT_INO; ino = objects[ino].parent)
		if (touched[ino])
			return false;
	return true;
}

static uint64_t
find_path(uint64_t ino)
{
	const struct object *o = &objects[ino];
	uint64_t parent;

	if (ino == FS_ROOT_INO)
		return ino;
	parent = find_path(o->parent);
	return parent != 0 ? lookup_in(parent, o->name) : 0;
}

static unsigned
expect_whole(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < nfiles; i++) {
		uint64_t ino = files[i];
		uint8_t *data;

		if (objects[ino].type == 0 || !is_untouched(ino))
			continue;
		ck_assert_uint_eq(find_path(ino), ino);
		data = pattern(objects[ino].len, objects[ino].seed);
		expect_bytes(ino, data, objects[ino].len);
		free(data);
		n++;
	}
	return n;
}

static char *
mend(struct kv *store, int *rcp)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	*rcp = fs_mend(store, NULL, out);
	fclose(out);
	return text;
}

static void
expect_mended(struct kv *store)
{
	struct kv *was = kv;
	struct fs *was_mounted = fs;
	int rc;
	char *text = mend(store, &rc);

	ck_assert_msg(rc >= 0, "mending: %s\n%s", strerror(-rc), text);
	expect_clean_kv(store);
	free(text);
	text = mend(store, &rc);
	ck_assert_int_eq(rc, 0);
	ck_assert_str_eq(text, "");
	free(text);
	kv = store;
	mount_fs();
	expect_whole();
	make("a new file");
	unmount_fs();
	expect_clean();
	ck_assert_uint_eq(kv_mem_views(kv), 0);
	kv = was;
	fs = was_mounted;
}

/* ---- Tests ---- */

static unsigned
trials(void)
{
	const char *text = getenv("KVFS_TRIALS");

	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 60;
}

static void
begin(void)
{
	seed_begin();
	opts.writeback_ms = 1;
	setup();
	kv_mem_keep_history(kv);
	make_tree();
	ck_assert_uint_gt(kv_mem_rows(kv, SPACE_PATCH), 10);
	memset(touched, 0, sizeof(touched));
}

static struct kv *
copy_now(void)
{
	return kv_mem_copy_at(kv, kv_mem_commits(kv));
}

START_TEST(a_sound_store_is_left_as_it_is)
{
	struct kv *a, *b;
	char *text;
	int rc;

	begin();
	unmount_fs();
	a = copy_now();
	b = copy_now();
	text = mend(a, &rc);
	ck_assert_int_eq(rc, 0);
	ck_assert_str_eq(text, "");
	ck_assert(kv_mem_equal(a, b));
	free(text);
	kv_close(a);
	kv_close(b);
	mount_fs();
	ck_assert_uint_gt(expect_whole(), 0);
}
END_TEST

START_TEST(lost_rows_of_any_kind_leave_a_sound_store)
{
	const unsigned rates[] = { 1, 2, 5, 20, 60 };

	begin();
	for (unsigned i = 0; i < trials(); i++) {
		struct kv *store = copy_now();

		memset(touched, 0, sizeof(touched));
		for (uint8_t s = SPACE_STORE; s <= SPACE_PATCH; s++)
			if (i / 5 % 8 == 0 || i / 5 % 8 == s)
				damage(store, NULL, s, rates[i % 5]);
		expect_mended(store);
		kv_close(store);
	}
}
END_TEST

START_TEST(old_rows_that_come_back_leave_a_sound_store)
{
	const unsigned rates[] = { 1, 4, 20 };

	begin();
	for (unsigned i = 0; i < trials(); i++) {
		struct kv *store = copy_now();
		struct kv *old = kv_mem_copy_at(kv,
		    1 + rng(kv_mem_commits(kv)));

		memset(touched, 0, sizeof(touched));
		for (uint8_t s = SPACE_STORE; s <= SPACE_ORPHAN; s++) {
			if (rng(2) == 0)
				damage(store, old, s, rates[rng(3)]);
			if (rng(4) == 0)
				damage(store, NULL, s, 30);
		}
		expect_mended(store);
		kv_close(old);
		kv_close(store);
	}
}
END_TEST

static void
del_row(struct kv *store, const struct kv_key *key)
{
	struct kv_batch b;

	kv_batch_init(&b);
	kv_batch_delete(&b, key);
	ck_assert_int_eq(kv_commit(store, &b, NULL), 0);
	kv_batch_fini(&b);
}

START_TEST(what_no_name_reaches_is_put_in_lost_and_found)
{
	struct kv_key key;
	uint64_t dir, file, found;
	uint8_t *data = pattern(70000, 1);
	char name[32], *text;
	int rc;

	setup();
	dir = make_dir("users");
	file = make_in(dir, "42", S_IFREG | 0644);
	write_at(file, 0, data, 70000);
	make_in(dir, "43", S_IFREG | 0644);
	unmount_fs();
	/* The directory, and the name of a file in it. */
	key = key_dentry(FS_ROOT_INO, slice_str("users"));
	del_row(kv, &key);
	key = key_dentry(dir, slice_str("42"));
	del_row(kv, &key);
	text = mend(kv, &rc);
	ck_assert_int_gt(rc, 0);
	ck_assert_ptr_nonnull(strstr(text, "repaired: lost+found/#"));
	free(text);
	expect_clean();
	mount_fs();
	found = lookup("lost+found");
	ck_assert_uint_ne(found, 0);
	snprintf(name, sizeof(name), "#%llu", (unsigned long long)dir);
	ck_assert_uint_eq(lookup_in(found, name), dir);
	ck_assert_uint_ne(lookup_in(dir, "43"), 0);
	snprintf(name, sizeof(name), "#%llu", (unsigned long long)file);
	ck_assert_uint_eq(lookup_in(found, name), file);
	expect_bytes(file, data, 70000);
	free(data);
}
END_TEST

START_TEST(a_circle_of_directories_is_cut)
{
	struct attr_rec rec;
	struct kv_batch b;
	struct kv_key key;
	uint64_t a, c;
	uint8_t row[SCHEMA_ROW_MAX];
	int rc;

	setup();
	a = make_dir("a");
	c = make_in(a, "c", S_IFDIR | 0755);
	unmount_fs();
	/* a moves below c. */
	rec = (struct attr_rec){ .mode = S_IFDIR | 0755,
		.nlink = 3,
		.entries = 1 };
	kv_batch_init(&b);
	key = key_dentry(FS_ROOT_INO, slice_str("a"));
	kv_batch_delete(&b, &key);
	key = key_dentry(c, slice_str("a"));
	kv_batch_put(&b, &key,
	    slice_make(row, schema_put_dentry(row, a, &rec)));
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
	free(mend(kv, &rc));
	ck_assert_int_gt(rc, 0);
	expect_clean();
	mount_fs();
}
END_TEST

/* ---- Patches ---- */

#define PATCHED_LEN 70000u
static uint8_t *patched; /* what is in it */

/* A file "data" with a patch in each of its first two chunks. */
static uint64_t
make_patched(void)
{
	uint64_t ino;

	setup();
	patched = pattern(PATCHED_LEN, 1);
	ino = make("data");
	write_at(ino, 0, patched, PATCHED_LEN);
	ck_assert_int_eq(fs_fsync(fs, ino), 0);
	memset(patched + 1000, 'x', 50);
	memset(patched + CHUNK_SIZE + 1000, 'y', 50);
	write_at(ino, 1000, patched + 1000, 50);
	write_at(ino, CHUNK_SIZE + 1000, patched + CHUNK_SIZE + 1000, 50);
	ck_assert_int_eq(fs_fsync(fs, ino), 0);
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_PATCH), 2);
	unmount_fs();
	expect_clean();
	return ino;
}

/* What fs_verify() says. Returns owned (free). */
static char *
problems(int *np)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	*np = fs_verify(kv, out);
	fclose(out);
	return text;
}

/* It finds n problems, the first with this text; a repair removes them. */
static void
expect_repair(int n, const char *problem, const char *repair)
{
	char *text;
	int rc;

	text = problems(&rc);
	ck_assert_int_eq(rc, n);
	ck_assert_msg(strstr(text, problem) != NULL, "%s", text);
	free(text);
	text = mend(kv, &rc);
	ck_assert_int_gt(rc, 0);
	ck_assert_msg(strstr(text, repair) != NULL, "%s", text);
	free(text);
	expect_clean();
	mount_fs();
}

static void
put_row(const struct kv_key *key, const void *value, size_t len)
{
	struct kv_batch b;

	kv_batch_init(&b);
	kv_batch_put(&b, key, slice_make(value, len));
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
}

START_TEST(a_patch_whose_chunk_is_lost_keeps_its_bytes)
{
	uint64_t ino = make_patched();
	uint8_t space[8];
	struct kv_key key = key_chunk(ino, 1, space);

	del_row(kv, &key);
	expect_repair(1,
	    "problem: data: contents from byte 33768 on: is a patch of a "
	    "chunk without a row",
	    "repaired: data: contents from byte 32768 on: lost but for");
	memset(patched + CHUNK_SIZE, 0, 1000);
	memset(patched + CHUNK_SIZE + 1050, 0, CHUNK_SIZE - 1050);
	expect_bytes(lookup("data"), patched, PATCHED_LEN);
	free(patched);
}
END_TEST

START_TEST(a_damaged_patch_is_dropped)
{
	const struct patch_key places[] = { { 1, 7, 0, 3 }, { 1, 8, 10, 0 },
		{ 1, 9, CHUNK_SIZE - 1, 2 } };
	uint64_t ino = make_patched();
	uint8_t space[PATCH_NAME_LEN];
	struct kv_key key;

	/* Of another length than its key says; of no bytes; too far. */
	for (int i = 0; i < 3; i++) {
		key = key_patch(ino, &places[i], space);
		put_row(&key,
		    "\1"
		    "ab",
		    3);
	}
	expect_repair(3, "problem: data: contents from byte 32768 on: damaged",
	    "repaired: data");
	expect_bytes(lookup("data"), patched, PATCHED_LEN);
	free(patched);
}
END_TEST

START_TEST(more_patches_than_a_chunk_may_have_are_dropped)
{
	uint64_t ino = make_patched();
	struct patch_key place = { 0, 1, 20000, 1 };
	uint8_t space[PATCH_NAME_LEN];
	struct kv_key key;

	for (; place.number < PATCH_ROWS_MAX + 2; place.number++) {
		place.start++;
		key = key_patch(ino, &place, space);
		put_row(&key,
		    "\1"
		    "z",
		    2);
	}
	memset(patched + 20001, 'z', PATCH_ROWS_MAX - 1);
	expect_repair(2, "damaged", "repaired: data");
	expect_bytes(lookup("data"), patched, PATCHED_LEN);
	free(patched);
}
END_TEST

/* The record of the file, and of the store, from before there were patches. */
START_TEST(patches_that_nothing_tells_of_are_found)
{
	uint64_t ino = make_patched();
	struct kv_key key = key_dentry(FS_ROOT_INO, slice_str("data"));
	uint8_t value[SCHEMA_ROW_MAX];
	struct super_row super;
	struct dentry_row row;
	struct kv_value v;

	ck_assert_int_eq(kv_get(kv, &key, NULL, &v), 0);
	ck_assert_int_eq(schema_get_dentry(v.data, &row), 0);
	kv_value_release(&v);
	row.rec.flags &= ~(uint32_t)ATTR_PATCHES;
	put_row(&key, value, schema_put_dentry(value, ino, &row.rec));
	expect_repair(1, "belongs to no inode", "");
	expect_bytes(lookup("data"), patched, PATCHED_LEN);
	unmount_fs();
	key = key_store(KEY_FORMAT);
	ck_assert_int_eq(kv_get(kv, &key, NULL, &v), 0);
	ck_assert_int_eq(schema_get_super(v.data, &super), 0);
	kv_value_release(&v);
	ck_assert_uint_eq(super.refuse_flags, SUPER_PATCHES);
	super.refuse_flags = 0;
	put_row(&key, value, schema_put_super(value, &super));
	expect_repair(1, "does not say that there are patches", "repaired: ");
	free(patched);
}
END_TEST

START_TEST(patches_of_a_lost_name_are_found_with_its_contents)
{
	uint64_t ino = make_patched();
	struct kv_key key = key_dentry(FS_ROOT_INO, slice_str("data"));
	char name[32];

	del_row(kv, &key);
	expect_repair(4, "belongs to no inode", "repaired: lost+found/#");
	snprintf(name, sizeof(name), "#%llu", (unsigned long long)ino);
	expect_bytes(lookup_in(lookup("lost+found"), name), patched,
	    PATCHED_LEN);
	free(patched);
}
END_TEST

START_TEST(patches_of_contents_that_are_lost_go)
{
	uint64_t ino = make_patched();
	struct kv_key key = key_dentry(FS_ROOT_INO, slice_str("data"));
	struct kv_batch b;

	del_row(kv, &key);
	kv_batch_init(&b);
	kv_batch_delete_group(&b, SPACE_CHUNK, ino);
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
	expect_repair(3, "belongs to no inode", "patches of contents that");
	ck_assert_uint_eq(kv_mem_rows(kv, SPACE_PATCH), 0);
	free(patched);
}
END_TEST

START_TEST(rows_of_a_newer_version_are_left_alone)
{
	struct kv_key key = key_xattr(2, slice_str("user.new"));
	struct kv_batch b;
	int rc;

	setup();
	unmount_fs();
	kv_batch_init(&b);
	kv_batch_put(&b, &key, slice_str("\x02new"));
	key = key_inode(2);
	kv_batch_put(&b, &key, slice_str("\x02new"));
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
	free(mend(kv, &rc));
	ck_assert_int_eq(rc, -EPROTO);
	del_row(kv, &key);
	free(mend(kv, &rc));
	ck_assert_int_gt(rc, 0);
	expect_clean();
	mount_fs();
}
END_TEST

START_TEST(an_empty_store_becomes_a_file_system)
{
	struct kv *store = kv_mem_create();
	int rc;

	setup();
	free(mend(store, &rc));
	ck_assert_int_gt(rc, 0);
	expect_clean_kv(store);
	kv_close(store);
}
END_TEST

START_TEST(a_failed_commit_is_told)
{
	struct kv *store;
	int rc;

	begin();
	store = copy_now();
	damage(store, NULL, SPACE_DENTRY, 5);
	kv_mem_fail_commits(store, -ENOSPC, 2);
	free(mend(store, &rc));
	ck_assert_int_eq(rc, -ENOSPC);
	kv_mem_fail_commits(store, 0, 0);
	expect_mended(store);
	kv_close(store);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fs_mend");
	TCase *t = tcase_create("rows");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, 600);
	tcase_add_test(t, a_sound_store_is_left_as_it_is);
	tcase_add_test(t, lost_rows_of_any_kind_leave_a_sound_store);
	tcase_add_test(t, old_rows_that_come_back_leave_a_sound_store);
	tcase_add_test(t, what_no_name_reaches_is_put_in_lost_and_found);
	tcase_add_test(t, a_circle_of_directories_is_cut);
	tcase_add_test(t, a_patch_whose_chunk_is_lost_keeps_its_bytes);
	tcase_add_test(t, a_damaged_patch_is_dropped);
	tcase_add_test(t, more_patches_than_a_chunk_may_have_are_dropped);
	tcase_add_test(t, patches_that_nothing_tells_of_are_found);
	tcase_add_test(t, patches_of_a_lost_name_are_found_with_its_contents);
	tcase_add_test(t, patches_of_contents_that_are_lost_go);
	tcase_add_test(t, rows_of_a_newer_version_are_left_alone);
	tcase_add_test(t, an_empty_store_becomes_a_file_system);
	tcase_add_test(t, a_failed_commit_is_told);
	suite_add_tcase(s, t);
	return run_suite(s);
}
