/* SPDX-License-Identifier: ISC */
/*
 * A store as text, for comparison with what it is known to hold: its rows
 * as bytes, and its files as a user sees them. For
 * tests/unit/test_golden.c; tests/golden/README.md tells how to read it.
 */
#ifndef KVFS_TESTS_GOLDEN_DUMP_H
#define KVFS_TESTS_GOLDEN_DUMP_H

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fs/fs.h"
#include "util/hash.h"

#define SHOW_BYTES 48

static void
put_text(FILE *out, struct slice s)
{
	const uint8_t *p = s.data;

	for (size_t i = 0; i < s.len; i++) {
		if (p[i] <= ' ' || p[i] == '\\' || p[i] >= 0x7f)
			fprintf(out, "\\x%02x", p[i]);
		else
			fputc(p[i], out);
	}
}

/* Long ones by their sum: XXH3, 64 bits, seed 0. */
static void
put_bytes(FILE *out, struct slice s, void (*put)(FILE *out, struct slice s))
{
	if (s.len <= SHOW_BYTES)
		put(out, s);
	else
		fprintf(out, "xxh3:%016" PRIx64, hash_bytes(s.data, s.len, 0));
}

static void
put_hex(FILE *out, struct slice s)
{
	const uint8_t *p = s.data;

	for (size_t i = 0; i < s.len; i++)
		fprintf(out, "%02x", p[i]);
}

/* ---- Rows ---- */

static void
dump_rows(struct kv *kv, FILE *out)
{
	struct kv_key key = { 0 };
	struct kv_iter *it;
	struct slice value;
	int rc;

	ck_assert_int_eq(kv_iter_open(kv, &key, KV_SCOPE_ALL, NULL, &it), 0);
	while ((rc = kv_iter_next(it)) == 1) {
		struct kv_value again;

		key = kv_iter_key(it);
		ck_assert_int_eq(kv_iter_value(it, &value), 0);
		fprintf(out, "%u %" PRIu64 " \"", key.space, key.group);
		put_text(out, key.name);
		fprintf(out, "\" %zu ", value.len);
		put_bytes(out, value, put_hex);
		fputc('\n', out);
		/* By its key as well. */
		ck_assert_int_eq(kv_get(kv, &key, NULL, &again), 0);
		ck_assert(slice_eq(again.data, value));
		kv_value_release(&again);
	}
	ck_assert_int_eq(rc, 0);
	kv_iter_close(it);
}

/* ---- Files ---- */

static void
put_time(FILE *out, const char *name, const struct timespec *t)
{
	fprintf(out, " %s=%lld.%09ld", name, (long long)t->tv_sec, t->tv_nsec);
}

static void
put_contents(struct fs *fs, const struct fs_attr *a, FILE *out)
{
	struct buf b = { 0 };
	struct fs_read r;

	ck_assert_int_eq(fs_openfile(fs, a->ino, false), 0);
	while (b.len < a->size) {
		ck_assert_int_eq(fs_read(fs, a->ino, b.len, 10000, &r), 0);
		ck_assert_uint_ne(r.bytes, 0);
		for (size_t i = 0; i < r.count; i++)
			buf_append_slice(&b, r.pieces[i]);
		fs_read_done(&r);
	}
	fs_release(fs, a->ino);
	ck_assert_int_eq(buf_error(&b), 0);
	ck_assert_uint_eq(b.len, a->size);
	fputs("  contents ", out);
	put_bytes(out, buf_slice(&b), put_text);
	fputc('\n', out);
	buf_fini(&b);
}

static void
put_xattrs(struct fs *fs, const struct fs_attr *a, FILE *out)
{
	struct buf names = { 0 }, value = { 0 };

	ck_assert_int_ge(fs_listxattr(fs, a->ino, true, &names), 0);
	for (size_t i = 0; i < names.len;) {
		struct slice name = slice_str((char *)names.data + i);

		buf_clear(&value);
		ck_assert_int_ge(fs_getxattr(fs, a->ino, name, &value), 0);
		fputs("  xattr ", out);
		put_text(out, name);
		fputs(" = ", out);
		put_bytes(out, buf_slice(&value), put_text);
		fputc('\n', out);
		i += name.len + 1;
	}
	buf_fini(&names);
	buf_fini(&value);
}

static void dump_dir(struct fs *fs, uint64_t ino, struct slice path, FILE *out);

static void
dump_file(struct fs *fs, const struct fs_attr *a, struct slice path, FILE *out)
{
	struct buf target = { 0 };

	put_text(out, path);
	fprintf(out,
	    " ino=%" PRIu64 " mode=%06o nlink=%u uid=%u gid=%u size=%" PRIu64
	    " blocks=%" PRIu64 " rdev=%" PRIu64,
	    a->ino, a->mode, a->nlink, a->uid, a->gid, a->size, a->blocks,
	    a->rdev);
	put_time(out, "atime", &a->atime);
	put_time(out, "mtime", &a->mtime);
	put_time(out, "ctime", &a->ctime);
	put_time(out, "btime", &a->btime);
	fputc('\n', out);
	put_xattrs(fs, a, out);
	if (S_ISREG(a->mode)) {
		put_contents(fs, a, out);
	} else if (S_ISLNK(a->mode)) {
		ck_assert_int_eq(fs_readlink(fs, a->ino, &target), 0);
		fputs("  target ", out);
		put_text(out, buf_slice(&target));
		fputc('\n', out);
		buf_fini(&target);
	} else if (S_ISDIR(a->mode)) {
		dump_dir(fs, a->ino, path, out);
	}
}

struct names {
	struct buf list; /* each with its NUL */
};

static bool
take_name(void *arg, const struct fs_dirent *de)
{
	struct names *n = arg;

	if (slice_eq(de->name, slice_str(".")) ||
	    slice_eq(de->name, slice_str("..")))
		return true;
	buf_append_slice(&n->list, de->name);
	buf_put_u8(&n->list, 0);
	return true;
}

static void
dump_dir(struct fs *fs, uint64_t ino, struct slice path, FILE *out)
{
	struct names n = { 0 };
	struct buf below = { 0 };
	struct fs_attr a;
	struct fs_dir *dir;

	ck_assert_int_eq(fs_opendir(fs, ino, &dir), 0);
	ck_assert_int_eq(fs_readdir(fs, dir, 0, false, take_name, &n), 0);
	fs_closedir(fs, dir);
	ck_assert_int_eq(buf_error(&n.list), 0);
	for (size_t i = 0; i < n.list.len;) {
		struct slice name = slice_str((char *)n.list.data + i);

		ck_assert_int_eq(fs_lookup(fs, ino, name, &a), 0);
		buf_clear(&below);
		buf_append_slice(&below, path);
		buf_append_slice(&below, slice_str("/"));
		buf_append_slice(&below, name);
		dump_file(fs, &a, buf_slice(&below), out);
		fs_forget(fs, a.ino, 1);
		i += name.len + 1;
	}
	buf_fini(&n.list);
	buf_fini(&below);
}

static void
dump_tree(struct fs *fs, FILE *out)
{
	struct fs_attr root;

	ck_assert_int_eq(fs_getattr(fs, FS_ROOT_INO, &root), 0);
	dump_file(fs, &root, slice_str("."), out);
}

#endif
