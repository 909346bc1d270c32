/* SPDX-License-Identifier: ISC */
/*
 * Listings. "." is at offset 0, ".." at 1; rows follow in key order, and an
 * offset among them is the number of a listing and an ordinal in it. A view
 * is a snapshot, given back at the end of the listing. An offset of another
 * view is looked up in what is remembered of that (listing.h): the names
 * that were before it there are before it here.
 */
#include <stdlib.h>

#include "fs/fs_internal.h"
#include "fs/listing.h"

#define DOTS 2
#define NUMBER_SHIFT 40

struct fs_dir {
	struct inode *in; /* referenced and held */
	struct kv_snapshot *snap;
	struct kv_iter *it;
	struct listing *listing; /* of the view, also when that is gone */
	uint64_t index; /* of the row that comes next */
	bool has_row; /* the iterator stands on it already */
	bool is_last; /* the iterator has come to the end */
	bool is_end; /* all rows were given out; the view is gone */
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
	mutex_lock(&in->mu);
	in->nlisting++;
	mutex_unlock(&in->mu);
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
	dir->has_row = dir->is_last = false;
}

void
fs_closedir(struct fs *fs, struct fs_dir *dir)
{
	if (dir == NULL)
		return;
	close_view(fs, dir);
	mutex_lock(&dir->in->mu);
	dir->in->nlisting--;
	listing_put(dir->in, dir->listing);
	mutex_unlock(&dir->in->mu);
	inode_unhold(fs, dir->in);
	orphan_forgotten(fs, dir->in);
	inode_put(fs, dir->in);
	free(dir);
}

/* A view of the directory as it is now, and its listing. */
static int
open_view(struct fs *fs, struct fs_dir *dir)
{
	struct inode *in = dir->in;
	int rc;

	close_view(fs, dir);
	dir->is_end = false;
	/* Names change under the lock, so the two belong together. */
	mutex_lock(&in->mu);
	listing_put(in, dir->listing);
	dir->listing = listing_get(&fs->listings, in);
	rc = dir->listing != NULL ? kv_snapshot(fs->kv, &dir->snap) : -ENOMEM;
	mutex_unlock(&in->mu);
	return rc;
}

/* Stand before the row of the view at the last mark before index. */
static int
open_at(struct fs *fs, struct fs_dir *dir, uint64_t index)
{
	struct iname name;
	struct kv_key from;
	int rc;

	kv_iter_close(dir->it);
	dir->it = NULL;
	dir->has_row = dir->is_last = false;
	rc = listing_mark(dir->listing, index, &name, &dir->index);
	if (rc < 0)
		return rc;
	from = key_dentry(dir->in->ino, iname_slice(&name));
	rc = kv_iter_open(fs->kv, &from, KV_SCOPE_GROUP, dir->snap, &dir->it);
	iname_fini(&name);
	return rc;
}

/* Have the iterator on row dir->index: 1, or 0 at the end. */
static int
load_row(struct fs_dir *dir)
{
	struct kv_key key;
	int rc;

	if (dir->has_row)
		return 1;
	if (dir->is_last || dir->is_end)
		return 0;
	rc = kv_iter_next(dir->it);
	dir->is_last = rc == 0;
	if (rc <= 0)
		return rc;
	key = kv_iter_key(dir->it);
	if (!schema_is_name(key.name))
		return inode_bad_row(dir->in->ino, key.name, -KVFS_ECORRUPT);
	rc = listing_add(dir->listing, dir->index, key.name);
	if (rc < 0)
		return rc;
	dir->has_row = true;
	return 1;
}

static void
next_row(struct fs_dir *dir)
{
	dir->has_row = false;
	dir->index++;
}

/* Have dir->index at index of the view, or at the end. */
static int
seek_row(struct fs *fs, struct fs_dir *dir, uint64_t index)
{
	int rc = 1;

	if (dir->it == NULL || index < dir->index) {
		rc = open_at(fs, dir, index);
		if (rc < 0)
			return rc;
	}
	while (dir->index < index) {
		rc = load_row(dir);
		if (rc <= 0)
			return rc;
		next_row(dir);
	}
	return 0;
}

/* Where the rows behind place begin in the view. */
static int
find_place(struct fs *fs, struct fs_dir *dir, const struct listing_place *place,
    uint64_t *indexp)
{
	struct kv_key key;
	int rc, side;

	*indexp = 0;
	rc = seek_row(fs, dir, 0);
	while (rc >= 0 && (rc = load_row(dir)) == 1) {
		key = kv_iter_key(dir->it);
		side = listing_compare(place, key.name);
		if (side > 0)
			break;
		next_row(dir);
		if (side < 0)
			*indexp = dir->index;
	}
	return rc < 0 ? rc : 0;
}

/* Stand at index of another listing, in a new view. */
static int
seek_listing(struct fs *fs, struct fs_dir *dir, uint32_t number,
    uint64_t index) NO_THREAD_SAFETY
{
	struct listing_place *place;
	struct listing *l;
	int rc = 0;

	place = malloc(sizeof(*place));
	if (place == NULL)
		return -ENOMEM;
	mutex_lock(&dir->in->mu);
	l = listing_find(dir->in, number, dir->listing);
	mutex_unlock(&dir->in->mu);
	if (l != NULL)
		rc = listing_get_place(l, index, place);
	if (rc == 0)
		rc = open_view(fs, dir);
	if (rc == 0)
		listing_set_joined(dir->listing);
	/* Forgotten: about there. */
	if (rc == 0 && l != NULL)
		rc = find_place(fs, dir, place, &index);
	if (rc == 0)
		rc = seek_row(fs, dir, index);
	if (l != NULL)
		listing_place_fini(place);
	free(place);
	mutex_lock(&dir->in->mu);
	listing_put(dir->in, l);
	mutex_unlock(&dir->in->mu);
	return rc;
}

static int
seek_offset(struct fs *fs, struct fs_dir *dir, int64_t offset)
{
	uint32_t number = (uint32_t)(offset >> NUMBER_SHIFT);
	uint64_t index = (uint64_t)offset & ((1ULL << NUMBER_SHIFT) - 1);

	if (dir->listing == NULL || dir->listing->number != number ||
	    (dir->is_end && index < dir->index))
		return seek_listing(fs, dir, number, index);
	return dir->is_end ? 0 : seek_row(fs, dir, index);
}

static int64_t
offset_of(const struct fs_dir *dir, uint64_t index)
{
	return (int64_t)dir->listing->number << NUMBER_SHIFT | (int64_t)index;
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

	rc = inode_from_row(fs, dir->in, name, row, dir->listing->change, &in);
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
		.next = offset_of(dir, dir->index + 1),
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
		{ .type = S_IFDIR,
		    .name = slice_str(".."),
		    .next = offset_of(dir, 0) },
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
		mutex_lock(&dir->in->mu);
		inode_accessed(fs, dir->in);
		mutex_unlock(&dir->in->mu);
	}
	if (offset < DOTS) {
		/* The view is as of the first read. */
		rc = offset == 0 || dir->listing == NULL || dir->is_end ?
		    open_view(fs, dir) :
		    0;
		if (rc == 0)
			rc = seek_row(fs, dir, 0);
		if (rc < 0 || !emit_dots(dir, offset, fn, arg))
			return rc;
	} else {
		rc = seek_offset(fs, dir, offset);
	}
	while (rc >= 0 && (rc = load_row(dir)) == 1) {
		rc = emit_row(fs, dir, with_attr, fn, arg);
		if (rc <= 0)
			break;
		next_row(dir);
	}
	if (rc == 0 && dir->is_last) {
		close_view(fs, dir);
		dir->is_end = true;
	}
	return rc;
}

bool
fs_dir_is_safe(struct fs_dir *dir)
{
	return !dir->is_end || listing_is_safe(dir->listing);
}
