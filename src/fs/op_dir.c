/* SPDX-License-Identifier: ISC */
/*
 * Listings. An offset is an ordinal in one view of the directory: "." is
 * 0, ".." is 1, rows follow in key order. The view is a snapshot, given
 * back at the end of the listing; every so many entries a name is kept, so
 * that going back does not begin from the start.
 */
#include <stdlib.h>

#include "fs/fs_internal.h"

#define MARK_EVERY 1024u
#define DOTS 2

struct fs_dir {
	struct inode *in; /* referenced and held */
	struct kv_snapshot *snap;
	struct kv_iter *it;
	uint64_t change; /* of in, before the snapshot */
	uint64_t index; /* of the row that comes next */
	bool has_row; /* the iterator stands on it already */
	bool is_end; /* all rows were seen; the view is gone */
	struct iname *marks; /* name of row i * MARK_EVERY */
	size_t nmarks, cap;
};

int
fs_opendir(struct fs *fs, uint64_t ino, struct fs_dir **dirp)
{
	struct inode *in;
	int rc;

	*dirp = NULL;
	rc = dir_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	*dirp = calloc(1, sizeof(**dirp));
	if (*dirp == NULL) {
		inode_put(fs, in);
		return -ENOMEM;
	}
	inode_hold(fs, in);
	(*dirp)->in = in;
	return 0;
}

static void
close_view(struct fs *fs, struct fs_dir *dir)
{
	kv_iter_close(dir->it);
	kv_snapshot_release(fs->kv, dir->snap);
	dir->it = NULL;
	dir->snap = NULL;
	dir->has_row = false;
}

static void
drop_marks(struct fs_dir *dir)
{
	for (size_t i = 0; i < dir->nmarks; i++)
		iname_fini(&dir->marks[i]);
	dir->nmarks = 0;
}

void
fs_closedir(struct fs *fs, struct fs_dir *dir)
{
	if (dir == NULL)
		return;
	close_view(fs, dir);
	drop_marks(dir);
	free(dir->marks);
	inode_unhold(fs, dir->in);
	inode_put(fs, dir->in);
	free(dir);
}

/* Stand before row index of the view, or of a new one, at the last mark
 * that is not behind it. */
static int
open_at(struct fs *fs, struct fs_dir *dir, uint64_t index)
{
	size_t mark = (size_t)(index / MARK_EVERY);
	struct slice name = { 0 };
	struct kv_key from;
	int rc;

	kv_iter_close(dir->it);
	dir->it = NULL;
	dir->has_row = false;
	dir->is_end = false;
	if (dir->snap == NULL) {
		dir->change = atomic_load(&dir->in->change);
		rc = kv_snapshot(fs->kv, &dir->snap);
		if (rc < 0)
			return rc;
	}
	if (mark >= dir->nmarks)
		mark = dir->nmarks != 0 ? dir->nmarks - 1 : 0;
	if (dir->nmarks != 0)
		name = iname_slice(&dir->marks[mark]);
	dir->index = mark * MARK_EVERY;
	from = key_dentry(dir->in->ino, name);
	return kv_iter_open(fs->kv, &from, KV_SCOPE_GROUP, dir->snap, &dir->it);
}

static int
add_mark(struct fs_dir *dir, struct slice name)
{
	size_t cap = dir->cap != 0 ? dir->cap * 2 : 4;
	struct iname *marks;
	int rc;

	if (dir->nmarks == dir->cap) {
		marks = realloc(dir->marks, cap * sizeof(*marks));
		if (marks == NULL)
			return -ENOMEM;
		dir->marks = marks;
		dir->cap = cap;
	}
	rc = iname_set(&dir->marks[dir->nmarks], name);
	if (rc == 0)
		dir->nmarks++;
	return rc;
}

/* Have the iterator on row dir->index: 1, or 0 at the end. */
static int
load_row(struct fs *fs, struct fs_dir *dir)
{
	struct kv_key key;
	int rc;

	if (dir->has_row)
		return 1;
	if (dir->is_end)
		return 0;
	rc = kv_iter_next(dir->it);
	if (rc == 0) {
		close_view(fs, dir);
		dir->is_end = true;
	}
	if (rc <= 0)
		return rc;
	key = kv_iter_key(dir->it);
	if (!schema_is_name(key.name))
		return inode_bad_row(dir->in->ino, key.name, -KVFS_ECORRUPT);
	if (dir->index == dir->nmarks * (uint64_t)MARK_EVERY) {
		rc = add_mark(dir, key.name);
		if (rc < 0)
			return rc;
	}
	dir->has_row = true;
	return 1;
}

static void
next_row(struct fs_dir *dir)
{
	dir->has_row = false;
	dir->index++;
}

/* Have dir->index at index, or at the end. */
static int
seek_row(struct fs *fs, struct fs_dir *dir, uint64_t index)
{
	int rc = 1;

	if (dir->is_end && index >= dir->index)
		return 0;
	if (dir->it == NULL || index < dir->index) {
		rc = open_at(fs, dir, index);
		if (rc < 0)
			return rc;
	}
	while (dir->index < index) {
		rc = load_row(fs, dir);
		if (rc <= 0)
			return rc;
		next_row(dir);
	}
	return 0;
}

/*
 * The inode that an entry of the view is now, with its attributes;
 * referenced. NULL when the name is gone, or another file's, or cannot be
 * read: then the entry is listed, and whoever looks it up learns why.
 */
static struct inode *
current_inode(struct fs *fs, struct fs_dir *dir, struct slice name,
    const struct dentry_row *row, struct fs_attr *attrp) NO_THREAD_SAFETY
{
	struct inode *in;
	int rc;

	rc = inode_from_row(fs, dir->in, name, row, dir->change, &in);
	if (rc == -EAGAIN)
		rc = inode_find_lock(fs, dir->in, name, &in);
	if (rc < 0)
		return NULL;
	if (in->ino == row->ino)
		inode_attr(in, attrp);
	mutex_unlock(&in->mu);
	if (in->ino != row->ino) {
		inode_put(fs, in);
		in = NULL;
	}
	return in;
}

/* Give the entry under the iterator to fn: whether it was taken. */
static int
emit_row(struct fs *fs, struct fs_dir *dir, bool with_attr, fs_dirent_fn fn,
    void *arg)
{
	struct kv_key key = kv_iter_key(dir->it);
	struct fs_dirent entry = {
		.name = key.name,
		.next = (int64_t)dir->index + DOTS + 1,
	};
	struct dentry_row row;
	struct inode *in = NULL;
	struct fs_attr attr;
	struct slice value;
	bool is_taken;
	int rc;

	rc = kv_iter_value(dir->it, &value);
	if (rc == 0)
		rc = schema_get_dentry(value, &row);
	if (rc != 0)
		return inode_bad_row(dir->in->ino, key.name, rc);
	entry.ino = row.ino;
	entry.type = row.type;
	if (with_attr)
		in = current_inode(fs, dir, key.name, &row, &attr);
	if (in != NULL)
		entry.attr = &attr;
	is_taken = fn(arg, &entry);
	if (in != NULL && is_taken)
		inode_count_lookup(fs, in);
	inode_put(fs, in);
	return is_taken;
}

/* "." and "..": whether there is room for more. */
static bool
emit_dots(struct fs_dir *dir, int64_t offset, fs_dirent_fn fn, void *arg)
{
	struct fs_dirent dots[DOTS] = {
		{ .type = S_IFDIR, .name = slice_str("."), .next = 1 },
		{ .type = S_IFDIR, .name = slice_str(".."), .next = 2 },
	};

	dots[0].ino = dots[1].ino = dir->in->ino;
	mutex_lock(&dir->in->mu);
	if (dir->in->parent != NULL)
		dots[1].ino = dir->in->parent->ino;
	mutex_unlock(&dir->in->mu);
	for (; offset < DOTS; offset++)
		if (!fn(arg, &dots[offset]))
			return false;
	return true;
}

int
fs_readdir(struct fs *fs, struct fs_dir *dir, int64_t offset, bool with_attr,
    fs_dirent_fn fn, void *arg)
{
	int rc;

	if (offset < 0)
		return -EINVAL;
	if (offset == 0) {
		close_view(fs, dir);
		drop_marks(dir);
		dir->is_end = false;
		mutex_lock(&dir->in->mu);
		inode_accessed(fs, dir->in);
		mutex_unlock(&dir->in->mu);
	}
	if (offset < DOTS) {
		/* The view is as of the first read, so take it before. */
		rc = seek_row(fs, dir, 0);
		if (rc < 0 || !emit_dots(dir, offset, fn, arg))
			return rc;
		offset = DOTS;
	}
	rc = seek_row(fs, dir, (uint64_t)(offset - DOTS));
	while (rc >= 0 && (rc = load_row(fs, dir)) == 1) {
		rc = emit_row(fs, dir, with_attr, fn, arg);
		if (rc <= 0)
			break;
		next_row(dir);
	}
	return rc;
}
