/* SPDX-License-Identifier: ISC */
/*
 * Random operations on the file system and on a plain model of one, with
 * everything compared: names, types, modes, link counts, contents, sizes,
 * extended attributes, and the errors. The store is closed and opened in
 * between, and walked for problems.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/xattr.h>

#include "unit/fs_test.h"

#define NAMES 8
#define SIZE_MAX_MODEL (5u * CHUNK_SIZE)
#define HANDLES 4
#define XATTRS 3

struct node {
	uint32_t mode, nlink;
	uint8_t *data; /* SIZE_MAX_MODEL, zeros behind size */
	size_t size;
	char target[64];
	struct node *entry[NAMES]; /* of a directory */
	struct node *parent;
	char *xattr[XATTRS];
	unsigned opens;
};

struct handle {
	struct node *node;
	uint64_t ino;
};

static struct node *root;
static struct handle handles[HANDLES];
static char long_name[256];
static uint64_t given[4096];
static size_t ngiven;

static struct slice
name_of(size_t i)
{
	static const char *const names[] = { "a", "b", "file", "directory",
		"\xff\xfe", "a name of more than thirty bytes in all", "x" };

	return slice_str(i < NAMES - 1 ? names[i] : long_name);
}

static struct node *
node_new(uint32_t mode)
{
	struct node *n = calloc(1, sizeof(*n));

	n->mode = mode;
	n->nlink = S_ISDIR(mode) ? 2 : 1;
	if (S_ISREG(mode))
		n->data = calloc(1, SIZE_MAX_MODEL);
	return n;
}

static void
node_drop(struct node *n)
{
	if (n->nlink != 0 || n->opens != 0)
		return;
	for (int i = 0; i < XATTRS; i++)
		free(n->xattr[i]);
	free(n->data);
	free(n);
}

static bool
is_empty(const struct node *n)
{
	for (int i = 0; i < NAMES; i++)
		if (n->entry[i] != NULL)
			return false;
	return true;
}

static bool
is_above(const struct node *upper, const struct node *n)
{
	for (; n != NULL; n = n->parent)
		if (n == upper)
			return true;
	return false;
}

static struct node *
random_dir(void)
{
	struct node *n = root;

	for (int depth = 0; depth < 6; depth++) {
		struct node *next = n->entry[rng(NAMES)];

		if (next != NULL && S_ISDIR(next->mode))
			n = next;
	}
	return n;
}

static void
give_back(void)
{
	while (ngiven != 0)
		fs_forget(fs, given[--ngiven], 1);
}

static uint64_t
took(uint64_t ino)
{
	given[ngiven++] = ino;
	return ino;
}

static size_t
slot_of(const struct node *dir, const struct node *n)
{
	for (size_t i = 0; i < NAMES; i++)
		if (dir->entry[i] == n)
			return i;
	abort();
}

/* The inode of a directory of the model, by looking up its path. */
static uint64_t
ino_of(struct node *dir)
{
	struct fs_attr attr;

	if (dir == root)
		return FS_ROOT_INO;
	ck_assert_int_eq(fs_lookup(fs, ino_of(dir->parent),
			     name_of(slot_of(dir->parent, dir)), &attr),
	    0);
	return took(attr.ino);
}

static uint64_t
ino_at(struct node *dir, size_t i)
{
	struct fs_attr attr;

	ck_assert_int_eq(fs_lookup(fs, ino_of(dir), name_of(i), &attr), 0);
	return took(attr.ino);
}

/* ---- Operations ---- */

static void
op_make(void)
{
	static const uint32_t types[] = { S_IFREG, S_IFREG, S_IFREG, S_IFDIR,
		S_IFDIR, S_IFLNK, S_IFIFO };
	struct node *dir = random_dir(), *n;
	uint32_t mode = types[rng(7)] | (uint32_t)rng(0777);
	size_t i = rng(NAMES);
	char target[64];
	struct fs_attr attr;
	int rc;

	if (S_ISLNK(mode)) {
		mode = S_IFLNK | 0777;
		snprintf(target, sizeof(target), "to/%d", (int)rng(1000));
		rc = fs_symlink(fs, ino_of(dir), name_of(i), slice_str(target),
		    &cred, &attr);
	} else {
		rc = fs_create(fs, ino_of(dir), name_of(i), mode, 0, &cred,
		    &attr);
	}
	if (dir->entry[i] != NULL) {
		ck_assert_int_eq(rc, -EEXIST);
		return;
	}
	ck_assert_int_eq(rc, 0);
	took(attr.ino);
	n = node_new(mode);
	if (S_ISLNK(mode))
		memcpy(n->target, target, sizeof(target));
	dir->entry[i] = n;
	if (S_ISDIR(mode)) {
		n->parent = dir;
		dir->nlink++;
	}
}

static void
op_remove(void)
{
	struct node *dir = random_dir(), *n;
	size_t i = rng(NAMES);
	bool is_rmdir = rng(2) != 0;
	uint64_t ino = ino_of(dir);
	int rc;

	rc = is_rmdir ? fs_rmdir(fs, ino, name_of(i)) :
			fs_unlink(fs, ino, name_of(i));
	n = dir->entry[i];
	if (n == NULL) {
		ck_assert_int_eq(rc, -ENOENT);
	} else if (is_rmdir && !S_ISDIR(n->mode)) {
		ck_assert_int_eq(rc, -ENOTDIR);
	} else if (!is_rmdir && S_ISDIR(n->mode)) {
		ck_assert_int_eq(rc, -EISDIR);
	} else if (is_rmdir && !is_empty(n)) {
		ck_assert_int_eq(rc, -ENOTEMPTY);
	} else {
		ck_assert_int_eq(rc, 0);
		dir->entry[i] = NULL;
		if (is_rmdir) {
			dir->nlink--;
			n->nlink = 0;
		} else {
			n->nlink--;
		}
		node_drop(n);
	}
}

static void
op_link(void)
{
	struct node *from = random_dir(), *to = random_dir(), *n;
	size_t i = rng(NAMES), k = rng(NAMES);
	struct fs_attr attr;
	int rc;

	n = from->entry[i];
	if (n == NULL)
		return;
	rc = fs_link(fs, ino_at(from, i), ino_of(to), name_of(k), &attr);
	if (S_ISDIR(n->mode)) {
		ck_assert_int_eq(rc, -EPERM);
	} else if (to->entry[k] != NULL) {
		ck_assert_int_eq(rc, -EEXIST);
	} else {
		ck_assert_int_eq(rc, 0);
		took(attr.ino);
		n->nlink++;
		ck_assert_uint_eq(attr.nlink, n->nlink);
		to->entry[k] = n;
	}
}

static int
rename_expect(struct node *from, size_t i, struct node *to, size_t k,
    unsigned flags)
{
	struct node *src = from->entry[i], *dst = to->entry[k];

	if (src == NULL)
		return -ENOENT;
	if (dst != NULL && flags == RENAME_NOREPLACE)
		return -EEXIST;
	if (dst == NULL && flags == RENAME_EXCHANGE)
		return -ENOENT;
	if (S_ISDIR(src->mode) && is_above(src, to))
		return -EINVAL;
	if (dst != NULL && S_ISDIR(dst->mode) && is_above(dst, from))
		return flags == RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (dst == NULL || flags == RENAME_EXCHANGE || src == dst)
		return 0;
	if (S_ISDIR(src->mode) && !S_ISDIR(dst->mode))
		return -ENOTDIR;
	if (!S_ISDIR(src->mode) && S_ISDIR(dst->mode))
		return -EISDIR;
	return S_ISDIR(dst->mode) && !is_empty(dst) ? -ENOTEMPTY : 0;
}

static void
attach(struct node *dir, size_t i, struct node *n)
{
	dir->entry[i] = n;
	if (S_ISDIR(n->mode)) {
		n->parent = dir;
		dir->nlink++;
	}
}

static void
detach_mount(struct node *dir, size_t i)
{
	if (S_ISDIR(dir->entry[i]->mode))
		dir->nlink--;
	dir->entry[i] = NULL;
}

static void
op_rename(void)
{
	static const unsigned all[] = { 0, 0, 0, RENAME_NOREPLACE,
		RENAME_EXCHANGE };
	struct node *from = random_dir(), *to = random_dir(), *src, *dst;
	size_t i = rng(NAMES), k = rng(NAMES);
	unsigned flags = all[rng(5)];
	int want, rc;

	want = rename_expect(from, i, to, k, flags);
	rc = fs_rename(fs, ino_of(from), name_of(i), ino_of(to), name_of(k),
	    flags);
	ck_assert_int_eq(rc, want);
	src = from->entry[i];
	dst = to->entry[k];
	if (rc < 0 || src == dst)
		return;
	detach_mount(from, i);
	if (dst != NULL)
		detach_mount(to, k);
	attach(to, k, src);
	if (flags == RENAME_EXCHANGE) {
		attach(from, i, dst);
	} else if (dst != NULL) {
		dst->nlink = S_ISDIR(dst->mode) ? 0 : dst->nlink - 1;
		node_drop(dst);
	}
}

/* A regular file: open, or found by name. */
static struct node *
random_file(uint64_t *inop)
{
	struct handle *h = &handles[rng(HANDLES)];
	struct node *dir;
	size_t i;

	if (h->node != NULL && rng(2) == 0) {
		*inop = h->ino;
		return h->node;
	}
	dir = random_dir();
	i = rng(NAMES);
	if (dir->entry[i] == NULL || !S_ISREG(dir->entry[i]->mode))
		return NULL;
	*inop = ino_at(dir, i);
	return dir->entry[i];
}

static size_t
random_off(const struct node *n)
{
	switch (rng(5)) {
	case 0:
		return 0;
	case 1:
		return n->size;
	case 2:
		return rng(SIZE_MAX_MODEL);
	case 3:
		return rng(n->size + 1);
	default:
		return rng(SIZE_MAX_MODEL / CHUNK_SIZE) * CHUNK_SIZE;
	}
}

static size_t
random_len(size_t off)
{
	static const size_t lens[] = { 10, 300, 3000, CHUNK_SIZE,
		2 * CHUNK_SIZE + 100, SIZE_MAX_MODEL };
	size_t len = rng(lens[rng(6)]) + 1;

	if (rng(6) == 0)
		len = CHUNK_SIZE;
	return len < SIZE_MAX_MODEL - off ? len : SIZE_MAX_MODEL - off;
}

static void
op_write(void)
{
	uint64_t ino;
	struct node *n = random_file(&ino);
	size_t off, len;
	uint8_t *data;

	if (n == NULL)
		return;
	off = random_off(n);
	len = random_len(off);
	data = pattern(len, (unsigned)rng(256));
	write_at(ino, off == n->size && rng(2) ? FS_APPEND : off, data, len);
	memcpy(n->data + off, data, len);
	if (off + len > n->size)
		n->size = off + len;
	free(data);
}

static void
op_truncate(void)
{
	struct fs_attr attr = { 0 };
	uint64_t ino;
	struct node *n = random_file(&ino);

	if (n == NULL)
		return;
	attr.size = random_off(n);
	ck_assert_int_eq(fs_setattr(fs, ino, &attr, FS_SET_SIZE, &attr), 0);
	if (attr.size < n->size)
		memset(n->data + attr.size, 0, n->size - attr.size);
	n->size = attr.size;
}

static void
op_fallocate(void)
{
	static const int modes[] = { 0, FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE };
	uint64_t ino;
	struct node *n = random_file(&ino);
	int mode = modes[rng(5)];
	size_t off, len, end;

	if (n == NULL)
		return;
	off = random_off(n);
	len = random_len(off);
	if (len == 0)
		return;
	ck_assert_int_eq(fs_fallocate(fs, ino, mode, off, len), 0);
	end = off + len < n->size ? off + len : n->size;
	if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0 && off < end)
		memset(n->data + off, 0, end - off);
	if ((mode & FALLOC_FL_KEEP_SIZE) == 0 && off + len > n->size)
		n->size = off + len;
}

static void
op_copy(void)
{
	uint64_t ino, ino2;
	struct node *n = random_file(&ino), *n2 = random_file(&ino2);
	size_t off, off2, len;

	if (n == NULL || n2 == NULL || n == n2)
		return;
	off = random_off(n);
	off2 = random_off(n2);
	len = random_len(off > off2 ? off : off2);
	if (off >= n->size)
		len = 0;
	else if (len > n->size - off)
		len = n->size - off;
	ck_assert_int_eq(fs_copy_range(fs, ino, off, ino2, off2, len),
	    (ssize_t)len);
	memcpy(n2->data + off2, n->data + off, len);
	if (len != 0 && off2 + len > n2->size)
		n2->size = off2 + len;
}

static void
op_attr(void)
{
	struct node *dir = random_dir(), *n;
	struct fs_attr attr = { 0 };
	size_t i = rng(NAMES);

	n = dir->entry[i];
	if (n == NULL || S_ISLNK(n->mode))
		return;
	attr.mode = (uint32_t)rng(01000);
	ck_assert_int_eq(fs_setattr(fs, ino_at(dir, i), &attr, FS_SET_MODE,
			     &attr),
	    0);
	n->mode = (n->mode & S_IFMT) | (attr.mode & 07777);
}

static void
op_xattr(void)
{
	static const char *const names[XATTRS] = { "user.a", "user.bb",
		"trusted.c" };
	struct node *dir = random_dir(), *n;
	size_t i = rng(NAMES), x = rng(XATTRS);
	char value[64];
	uint64_t ino;

	n = dir->entry[i];
	if (n == NULL)
		return;
	ino = ino_at(dir, i);
	if (rng(3) == 0) {
		ck_assert_int_eq(fs_removexattr(fs, ino, slice_str(names[x])),
		    n->xattr[x] != NULL ? 0 : -ENODATA);
		free(n->xattr[x]);
		n->xattr[x] = NULL;
	} else {
		snprintf(value, sizeof(value), "value %d", (int)rng(1000));
		ck_assert_int_eq(fs_setxattr(fs, ino, slice_str(names[x]),
				     slice_str(value), 0),
		    0);
		free(n->xattr[x]);
		n->xattr[x] = strdup(value);
	}
}

static void
op_open(void)
{
	struct handle *h = &handles[rng(HANDLES)];
	bool truncate = rng(4) == 0;

	if (h->node != NULL) {
		if (rng(2) == 0)
			ck_assert_int_eq(fs_flush(fs, h->ino), 0);
		fs_release(fs, h->ino);
		h->node->opens--;
		node_drop(h->node);
		h->node = NULL;
		return;
	}
	h->node = random_file(&h->ino);
	if (h->node == NULL)
		return;
	ck_assert_int_eq(fs_openfile(fs, h->ino, truncate), 0);
	h->node->opens++;
	if (truncate) {
		memset(h->node->data, 0, h->node->size);
		h->node->size = 0;
	}
}

static void
op_sync(void)
{
	uint64_t ino;
	struct node *n = random_file(&ino);

	if (n != NULL)
		ck_assert_int_eq(fs_fsync(fs, ino), 0);
	else if (rng(4) == 0)
		ck_assert_int_eq(fs_sync(fs), 0);
}

/* ---- Comparing ---- */

static void
compare_holes(const struct node *n, uint64_t ino)
{
	uint64_t off = rng(n->size + 1), end;
	int64_t data, hole;

	if (off >= n->size) {
		ck_assert_int_eq(fs_lseek(fs, ino, off, SEEK_DATA), -ENXIO);
		return;
	}
	data = fs_lseek(fs, ino, off, SEEK_DATA);
	end = data < 0 ? n->size : (uint64_t)data;
	ck_assert(data >= (int64_t)off || data == -ENXIO);
	for (uint64_t i = off; i < end; i++)
		ck_assert_uint_eq(n->data[i], 0);
	hole = fs_lseek(fs, ino, off, SEEK_HOLE);
	ck_assert_int_ge(hole, (int64_t)off);
	ck_assert_int_le(hole, (int64_t)n->size);
	if ((uint64_t)hole < n->size)
		ck_assert_uint_eq(n->data[hole], 0);
}

static void
compare_file(const struct node *n, uint64_t ino)
{
	size_t off = random_off(n), len = random_len(off) + 1, got, want;
	struct fs_attr attr = stat_of(ino);
	uint8_t *data;

	ck_assert_uint_eq(attr.size, n->size);
	ck_assert_uint_eq(attr.nlink, n->nlink);
	ck_assert_uint_eq(attr.mode, n->mode);
	data = read_at(ino, off, len, &got);
	want = off >= n->size ? 0 : n->size - off < len ? n->size - off : len;
	ck_assert_uint_eq(got, want);
	ck_assert_mem_eq(data, n->data + off, got);
	free(data);
	data = read_at(ino, 0, SIZE_MAX_MODEL + 1, &got);
	ck_assert_uint_eq(got, n->size);
	ck_assert_mem_eq(data, n->data, got);
	free(data);
	compare_holes(n, ino);
}

static void
compare_xattrs(const struct node *n, uint64_t ino)
{
	static const char *const names[XATTRS] = { "user.a", "user.bb",
		"trusted.c" };
	struct buf list = { 0 }, value = { 0 };
	size_t len = 0;

	ck_assert_int_eq(fs_listxattr(fs, ino, true, &list), 0);
	for (int x = 0; x < XATTRS; x++) {
		buf_clear(&value);
		ck_assert_int_eq(fs_getxattr(fs, ino, slice_str(names[x]),
				     &value),
		    n->xattr[x] != NULL ? 0 : -ENODATA);
		if (n->xattr[x] == NULL)
			continue;
		len += strlen(names[x]) + 1;
		ck_assert(slice_eq(buf_slice(&value), slice_str(n->xattr[x])));
	}
	ck_assert_uint_eq(list.len, len);
	buf_fini(&list);
	buf_fini(&value);
}

struct listing {
	const struct node *dir;
	unsigned seen, stop_in;
	int64_t next;
	bool with_attr;
};

static bool
compare_entry(void *arg, const struct fs_dirent *e)
{
	struct listing *l = arg;
	size_t i;

	if (l->stop_in != 0 && --l->stop_in == 0)
		return false;
	l->next = e->next;
	if (slice_eq(e->name, slice_str(".")) ||
	    slice_eq(e->name, slice_str("..")))
		return true;
	for (i = 0; i < NAMES && !slice_eq(e->name, name_of(i)); i++)
		;
	ck_assert_uint_lt(i, NAMES);
	ck_assert(l->dir->entry[i] != NULL);
	ck_assert_uint_eq(e->type, l->dir->entry[i]->mode & S_IFMT);
	ck_assert((l->seen & 1u << i) == 0);
	l->seen |= 1u << i;
	if (l->with_attr) {
		ck_assert(e->attr != NULL);
		took(e->attr->ino);
		ck_assert_uint_eq(e->attr->ino, e->ino);
		ck_assert_uint_eq(e->attr->mode, l->dir->entry[i]->mode);
		ck_assert_uint_eq(e->attr->nlink, l->dir->entry[i]->nlink);
		if (S_ISREG(e->type))
			ck_assert_uint_eq(e->attr->size,
			    l->dir->entry[i]->size);
	}
	return true;
}

static void
compare_listing(struct node *n, uint64_t ino)
{
	struct listing l = { .dir = n, .with_attr = rng(2) != 0 };
	struct fs_dir *dir;
	int64_t before;

	ck_assert_int_eq(fs_opendir(fs, ino, &dir), 0);
	do {
		before = l.next;
		l.stop_in = (unsigned)rng(4) + 2;
		ck_assert_int_eq(fs_readdir(fs, dir, l.next, l.with_attr,
				     compare_entry, &l),
		    0);
	} while (l.next != before);
	fs_closedir(fs, dir);
	for (int i = 0; i < NAMES; i++)
		ck_assert_int_eq((l.seen >> i) & 1, n->entry[i] != NULL);
}

static void
compare_node(struct node *n, uint64_t ino)
{
	struct buf target = { 0 };
	struct fs_attr attr = stat_of(ino);

	ck_assert_uint_eq(attr.mode, n->mode);
	ck_assert_uint_eq(attr.nlink, n->nlink);
	compare_xattrs(n, ino);
	if (S_ISREG(n->mode)) {
		compare_file(n, ino);
	} else if (S_ISLNK(n->mode)) {
		ck_assert_int_eq(fs_readlink(fs, ino, &target), 0);
		ck_assert(slice_eq(buf_slice(&target), slice_str(n->target)));
		buf_fini(&target);
	} else if (S_ISDIR(n->mode)) {
		compare_listing(n, ino);
	}
}

static void
compare_tree(struct node *n)
{
	compare_node(n, ino_of(n));
	give_back();
	for (size_t i = 0; i < NAMES; i++) {
		struct fs_attr attr;

		if (n->entry[i] == NULL) {
			ck_assert_int_eq(fs_lookup(fs, ino_of(n), name_of(i),
					     &attr),
			    -ENOENT);
		} else if (S_ISDIR(n->entry[i]->mode)) {
			compare_tree(n->entry[i]);
		} else {
			compare_node(n->entry[i], ino_at(n, i));
		}
		give_back();
	}
}

static void
free_tree(struct node *n)
{
	for (size_t i = 0; i < NAMES; i++) {
		struct node *e = n->entry[i];

		n->entry[i] = NULL;
		if (e == NULL)
			continue;
		if (S_ISDIR(e->mode)) {
			free_tree(e);
			continue;
		}
		if (--e->nlink == 0)
			node_drop(e);
	}
	n->nlink = 0;
	node_drop(n);
}

static void
close_handles(void)
{
	for (int i = 0; i < HANDLES; i++) {
		struct handle *h = &handles[i];

		if (h->node == NULL)
			continue;
		h->node->opens--;
		node_drop(h->node);
		h->node = NULL;
	}
}

START_TEST(behaves_as_the_model_does)
{
	static void (*const ops[])(void) = { op_make, op_make, op_make,
		op_remove, op_remove, op_link, op_rename, op_rename, op_write,
		op_write, op_write, op_write, op_truncate, op_fallocate,
		op_copy, op_attr, op_xattr, op_open, op_open, op_sync };
	uint64_t seed = seed_begin();
	int rounds = getenv("KVFS_ROUNDS") != NULL ?
	    atoi(getenv("KVFS_ROUNDS")) :
	    4;

	uint64_t patched = 0;

	memset(long_name, 'n', 255);
	for (int round = 0; round < rounds; round++) {
		rng_state = (seed + (uint64_t)round) * 2 + 1;
		opts.flush_on_close = rng(2) != 0;
		opts.writeback_bytes = rng(2) != 0 ? 64u << 20 : 256u << 10;
		opts.writeback_ms = rng(2) != 0 ? 1000 : 1;
		opts.patch_rest_ms = rng(2) != 0 ? 5000 : 1;
		kv = kv_mem_create();
		mount_fs();
		root = node_new(S_IFDIR | 0755);
		for (int step = 0; step < 300; step++) {
			ops[rng(sizeof(ops) / sizeof(ops[0]))]();
			give_back();
			patched += kv_mem_rows(kv, SPACE_PATCH) != 0;
			if (step % 50 == 49)
				compare_tree(root);
			if (step % 25 == 24)
				expect_clean();
			if (rng(60) == 0) {
				close_handles();
				reopen();
				expect_clean();
				compare_tree(root);
			}
		}
		close_handles();
		unmount_fs();
		expect_clean();
		ck_assert_uint_eq(kv_mem_views(kv), 0);
		ck_assert_uint_eq(kv_mem_rows(kv, SPACE_ORPHAN), 0);
		kv_close(kv);
		free_tree(root);
	}
	ck_assert_uint_ne(patched, 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("model");

	log_set_sink(quiet);
	fs_options_init(&opts);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, behaves_as_the_model_does);
	return run_case("fs_model", tc);
}
