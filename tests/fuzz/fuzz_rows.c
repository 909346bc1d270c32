/* SPDX-License-Identifier: ISC */
/*
 * Rows that nobody wrote: every decoder is given the bytes, and a store in
 * memory is filled with rows made of them, then opened, walked, listed,
 * read and changed. Nothing may crash, hang or leak.
 *
 * libFuzzer: link with kv_mem.c, src/fs, src/util and engine/batch.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fs/fs.h"
#include "fs/schema.h"
#include "support/fuzz.h"
#include "support/kv_mem.h"

static void
decode_all(struct slice v)
{
	struct dentry_row dentry;
	struct attr_rec rec;
	struct super_row super;
	struct count_row count;
	struct slice bytes;
	struct kv_key key = { SPACE_PATCH, 1, v };
	struct patch_key place;
	uint64_t number;

	key_patch_place(&key, &place);
	schema_get_dentry(v, &dentry);
	schema_get_inode(v, &rec, &bytes);
	schema_get_chunk(v, &bytes);
	schema_get_bytes(v, &bytes);
	schema_get_super(v, &super);
	schema_get_number(v, &number);
	schema_get_count(v, &count);
}

/* A file system with a few files, for its rows to be damaged. */
static void
fill(struct kv *kv)
{
	static const struct fs_cred cred = { .uid = 1, .gid = 1 };
	static const char large[50000];
	struct fs_options opts;
	struct fs_attr attr, dir;
	struct fs *fs;

	fs_options_init(&opts);
	if (fs_open(kv, &opts, &fs) < 0)
		abort();
	fs_create(fs, FS_ROOT_INO, slice_str("d"), S_IFDIR | 0755, 0, &cred,
	    &dir);
	fs_create(fs, dir.ino, slice_str("a"), S_IFREG | 0644, 0, &cred, &attr);
	fs_write(fs, attr.ino, 0, slice_str("contents"));
	fs_link(fs, attr.ino, FS_ROOT_INO, slice_str("b"), &attr);
	fs_create(fs, FS_ROOT_INO, slice_str("c"), S_IFREG | 0644, 0, &cred,
	    &attr);
	fs_write(fs, attr.ino, 10, slice_make(large, sizeof(large)));
	fs_fsync(fs, attr.ino);
	fs_write(fs, attr.ino, 1000, slice_str("a patch"));
	fs_fsync(fs, attr.ino);
	fs_write(fs, attr.ino, 1003, slice_str("another"));
	fs_setxattr(fs, attr.ino, slice_str("user.x"), slice_str("y"), 0);
	fs_symlink(fs, FS_ROOT_INO, slice_str("l"), slice_str("c"), &cred,
	    &attr);
	fs_close(fs);
}

/* Change one byte of the n-th row; 0 takes the row's end off. */
static void
flip(struct kv *kv, unsigned n, unsigned at, uint8_t mask)
{
	struct kv_key key = { 0 };
	struct kv_batch batch;
	struct slice value;
	struct kv_iter *it;
	uint8_t *copy;

	if (kv_iter_open(kv, &key, KV_SCOPE_ALL, NULL, &it) < 0)
		abort();
	do {
		if (kv_iter_next(it) != 1)
			break;
	} while (n-- != 0);
	if (n == UINT32_MAX && kv_iter_value(it, &value) == 0 &&
	    value.len != 0) {
		key = kv_iter_key(it);
		copy = malloc(value.len);
		memcpy(copy, value.data, value.len);
		copy[at % value.len] ^= mask;
		if (mask == 0)
			value.len = at % value.len;
		kv_batch_init(&batch);
		kv_batch_put(&batch, &key, slice_make(copy, value.len));
		kv_commit(kv, &batch, NULL);
		kv_batch_fini(&batch);
		free(copy);
	}
	kv_iter_close(it);
}

/* Records of the input: space, group, name length, value length, bytes;
 * some spaces stand for a byte to change in a row that is there. */
static void
damage(struct kv *kv, struct slice input)
{
	struct cursor c = cursor_make(input);
	struct kv_batch batch;

	kv_batch_init(&batch);
	while (c.ok && cursor_left(&c) > 4) {
		uint8_t space = cursor_u8(&c), group = cursor_u8(&c);
		struct slice name = cursor_bytes(&c, cursor_u8(&c) % 17);
		struct slice value = cursor_bytes(&c, cursor_u8(&c));
		struct kv_key key = { space % 9, group, name };

		if (!c.ok)
			break;
		if (space >= 0x80 && space < 0xf0)
			flip(kv, group % 32,
			    name.len != 0 ? *(const uint8_t *)name.data : 0,
			    value.len != 0 ? *(const uint8_t *)value.data : 0);
		else if (space >= 0xf0)
			kv_batch_delete_group(&batch, key.space, key.group);
		else
			kv_batch_put(&batch, &key, value);
	}
	kv_commit(kv, &batch, NULL);
	kv_batch_fini(&batch);
}

struct visit {
	struct fs *fs;
	int depth;
	uint64_t inos[64];
	size_t count;
};

static bool
take(void *arg, const struct fs_dirent *e)
{
	struct visit *v = arg;

	if (e->attr == NULL)
		return true;
	if (v->count < 64)
		v->inos[v->count++] = e->attr->ino;
	else
		fs_forget(v->fs, e->attr->ino, 1);
	return true;
}

static void
use(struct fs *fs, uint64_t ino)
{
	struct fs_attr attr = { .size = 40000, .mode = 0700 };
	struct buf buf = { 0 };
	struct fs_read r;

	if (fs_openfile(fs, ino, false) == 0) {
		fs_read(fs, ino, 0, 100000, &r);
		fs_read_done(&r);
		fs_lseek(fs, ino, 0, 3 /* SEEK_DATA */);
		fs_lseek(fs, ino, 0, 4 /* SEEK_HOLE */);
		fs_write(fs, ino, 1000, slice_str("written"));
		fs_setattr(fs, ino, &attr, FS_SET_SIZE, &attr);
		fs_flush(fs, ino);
		fs_release(fs, ino);
	}
	fs_readlink(fs, ino, &buf);
	fs_listxattr(fs, ino, true, &buf);
	fs_getxattr(fs, ino, slice_str("user.x"), &buf);
	fs_setxattr(fs, ino, slice_str("user.x"), slice_str("z"), 0);
	fs_setattr(fs, ino, &attr, FS_SET_MODE, &attr);
	buf_fini(&buf);
}

static void
visit_dir(struct fs *fs, uint64_t ino, int depth)
{
	struct visit v = { .fs = fs, .depth = depth };
	struct fs_dir *dir;

	if (depth == 4 || fs_opendir(fs, ino, &dir) < 0)
		return;
	fs_readdir(fs, dir, 0, true, take, &v);
	fs_closedir(fs, dir);
	for (size_t i = 0; i < v.count; i++) {
		use(fs, v.inos[i]);
		visit_dir(fs, v.inos[i], depth + 1);
		fs_forget(fs, v.inos[i], 1);
	}
}

static void
change_names(struct fs *fs)
{
	static const struct fs_cred cred = { .uid = 1, .gid = 1 };
	struct fs_attr attr;
	uint64_t dir = FS_ROOT_INO;

	if (fs_lookup(fs, FS_ROOT_INO, slice_str("d"), &attr) == 0)
		dir = attr.ino;
	fs_rename(fs, FS_ROOT_INO, slice_str("c"), dir, slice_str("a"), 0);
	fs_rename(fs, dir, slice_str("a"), FS_ROOT_INO, slice_str("b"), 2);
	fs_rename(fs, FS_ROOT_INO, slice_str("d"), dir, slice_str("e"), 0);
	fs_unlink(fs, FS_ROOT_INO, slice_str("b"));
	fs_unlink(fs, dir, slice_str("a"));
	fs_create(fs, dir, slice_str("n"), S_IFREG, 0, &cred, &attr);
	fs_unlink(fs, dir, slice_str("n"));
	fs_rmdir(fs, FS_ROOT_INO, slice_str("d"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kv *clean;
	struct fs_options opts;
	struct fs *fs;
	struct kv *kv;
	FILE *out;

	fuzz_quiet();
	if (clean == NULL) {
		clean = kv_mem_create();
		fill(clean);
	}
	decode_all(slice_make(data, size));
	kv = kv_mem_copy_at(clean, kv_mem_commits(clean));
	damage(kv, slice_make(data, size));
	out = fopen("/dev/null", "w");
	fs_verify(kv, out);
	fs_options_init(&opts);
	if (fs_open(kv, &opts, &fs) == 0) {
		visit_dir(fs, FS_ROOT_INO, 0);
		change_names(fs);
		fs_close(fs);
		fs_verify(kv, out);
	}
	fclose(out);
	kv_close(kv);
	return 0;
}
