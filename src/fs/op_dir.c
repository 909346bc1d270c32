/* SPDX-License-Identifier: ISC */
/*
 * Reading directories. "." is at offset 0, ".." at 1, the first name at 2; the
 * other offsets are defined in listing.h. A call continues after the name that
 * the last call ended with, whether or not that still exists. Only for another
 * offset does it search.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_lookup.h"
#include "fs/inode_attr.h"

/* A position after a name; before all names if it has none. */
struct place {
	struct iname name;
	int64_t offset;
};

struct fs_dir {
	struct inode *in; /* referenced and held */
	struct place from, to; /* the range that the last call has read */
	struct listing_scan scan;
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
	mutex_lock(&in->mu);
	rc = *dirp != NULL ? listing_open(&fs->listings, in) : -ENOMEM;
	mutex_unlock(&in->mu);
	if (rc < 0) {
		free(*dirp);
		*dirp = NULL;
		inode_put(fs, in);
		return rc;
	}
	inode_hold(fs, in);
	(*dirp)->in = in;
	return 0;
}

void
fs_closedir(struct fs *fs, struct fs_dir *dir)
{
	if (dir == NULL)
		return;
	mutex_lock(&dir->in->mu);
	listing_close(dir->in);
	mutex_unlock(&dir->in->mu);
	inode_unhold(fs, dir->in);
	orphan_forgotten(fs, dir->in);
	inode_put(fs, dir->in);
	iname_fini(&dir->from.name);
	iname_fini(&dir->to.name);
	free(dir);
}

static int
place_set(struct place *p, struct slice name, int64_t offset)
{
	iname_fini(&p->name);
	p->offset = offset;
	return name.len != 0 ? iname_set(&p->name, name) : 0;
}

/* Iterate over rows from the place's name on, included. */
static int
open_rows(struct fs *fs, struct fs_dir *dir, const struct place *p,
    struct kv_iter **itp)
{
	struct kv_key from = key_dentry(dir->in->ino, iname_slice(&p->name));

	return kv_iter_open(fs->kv, &from, KV_SCOPE_GROUP, NULL, itp);
}

/* Search names from dir->to on for the one with this offset: 1, and dir->to is
 * after it; 0 when there is none. Ends at the name end, if that is not empty. */
static int
dir_scan(struct fs *fs, struct fs_dir *dir, int64_t offset, struct slice end)
{
	struct kv_iter *it = NULL;
	struct kv_key key;
	int rc, rc2;

	rc = open_rows(fs, dir, &dir->to, &it);
	while (rc >= 0 && (rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		if (end.len != 0 && slice_cmp(key.name, end) > 0) {
			rc = 0;
			break;
		}
		if (listing_offset(key.name) != offset)
			continue;
		rc2 = schema_is_name(key.name) ?
		    place_set(&dir->to, key.name, offset) :
		    0;
		rc = rc2 < 0 ? rc2 : 1;
		break;
	}
	kv_iter_close(it);
	return rc;
}

/* The same among removed names: 1 or 0. */
static int
find_gone(struct fs_dir *dir, int64_t offset)
{
	struct slice name;
	int rc = 0;

	mutex_lock(&dir->in->mu);
	if (listing_find_gone(dir->in, offset, &name))
		rc = place_set(&dir->to, name, offset) < 0 ? -ENOMEM : 1;
	mutex_unlock(&dir->in->mu);
	return rc;
}

/* Set dir->to to offset. It is most likely in the range that was read last. */
static int
find_place(struct fs *fs, struct fs_dir *dir, int64_t offset)
{
	uint8_t space[FS_NAME_MAX];
	struct slice end = iname_slice(&dir->to.name);
	int rc;

	end = slice_make(memcpy(space, end.data, end.len), end.len);
	rc = place_set(&dir->to, iname_slice(&dir->from.name),
	    dir->from.offset);
	if (rc == 0 && dir->to.offset == offset)
		return 0;
	if (rc == 0 && end.len != 0)
		rc = dir_scan(fs, dir, offset, end);
	if (rc == 0)
		rc = find_gone(dir, offset);
	if (rc == 0)
		rc = place_set(&dir->to, (struct slice){ 0 }, LISTING_DOTS);
	if (rc == 0)
		rc = dir_scan(fs, dir, offset, (struct slice){ 0 });
	/* The name may have been removed during the search. */
	if (rc == 0)
		rc = find_gone(dir, offset);
	if (rc == 0)
		rc = place_set(&dir->to, (struct slice){ 0 }, LISTING_DOTS);
	return rc < 0 ? rc : 0;
}

/*
 * The inode of an entry, referenced, with its attributes; counts a lookup. NULL
 * when the name was removed or replaced meanwhile, or cannot be read: the
 * entry is listed all the same, and a lookup of it returns the error. change:
 * commits.change of the directory before the row was read.
 */
static struct inode *
current_inode(struct fs *fs, struct fs_dir *dir, struct slice name,
    const struct dentry_row *row, uint64_t change, struct fs_attr *attrp)
{
	struct inode *in;
	int rc;

	rc = inode_from_row(fs, dir->in, name, row, change, &in);
	if (rc == -EAGAIN)
		rc = inode_lookup_lock(fs, dir->in, name, &in);
	if (rc < 0)
		return NULL;
	mutex_assert_held(&in->mu);
	if (in->ino == row->ino) {
		inode_attr(in, attrp);
		inode_note_lookup(fs, in);
	}
	mutex_unlock(&in->mu);
	if (in->ino != row->ino) {
		inode_put(fs, in);
		in = NULL;
	}
	return in;
}

struct reader {
	bool with_attr;
	fs_dirent_fn fn;
	void *arg;
	uint64_t change;
};

/* Pass the iterator's entry to the reader: 1 if it was taken, 0 if it did not
 * fit, or a negative errno. */
static int
emit_row(struct fs *fs, struct fs_dir *dir, struct kv_iter *it,
    struct slice name, const struct reader *r)
{
	struct fs_dirent entry = {
		.name = name,
		.next = listing_offset(name),
	};
	struct dentry_row row;
	struct inode *in = NULL;
	struct fs_attr attr;
	struct slice value;
	bool is_taken;
	int rc;

	rc = schema_is_name(name) ? kv_iter_value(it, &value) : -KVFS_ECORRUPT;
	if (rc == 0)
		rc = schema_get_dentry(value, &row);
	if (rc != 0)
		return inode_bad_row(dir->in->ino, name, rc);
	entry.ino = row.ino;
	entry.type = row.type;
	if (r->with_attr)
		in = current_inode(fs, dir, name, &row, r->change, &attr);
	if (in != NULL)
		entry.attr = &attr;
	is_taken = r->fn(r->arg, &entry);
	if (in != NULL && !is_taken) {
		inode_forget(fs, in, 1);
		orphan_forgotten(fs, in);
	}
	inode_put(fs, in);
	return is_taken;
}

/* Pass entries after dir->to, and advance it: 0 at the end or when the reader
 * is full. */
static int
emit_rows(struct fs *fs, struct fs_dir *dir, const struct reader *r)
{
	uint8_t space[FS_NAME_MAX];
	struct slice name, last = { 0 };
	struct kv_iter *it = NULL;
	int rc, rc2 = 0;

	rc = open_rows(fs, dir, &dir->to, &it);
	while (rc >= 0 && (rc = kv_iter_next(it)) == 1) {
		name = kv_iter_key(it).name;
		if (slice_eq(name, iname_slice(&dir->to.name)))
			continue;
		rc = emit_row(fs, dir, it, name, r);
		if (rc <= 0)
			break;
		listing_advance(&dir->scan, name);
		last = slice_make(memcpy(space, name.data, name.len), name.len);
	}
	kv_iter_close(it);
	if (last.len != 0)
		rc2 = place_set(&dir->to, last, listing_offset(last));
	return rc < 0 ? rc : rc2;
}

/* Pass "." and "..": is there room for more? */
static bool
emit_dots(struct fs_dir *dir, int64_t offset, fs_dirent_fn fn, void *arg)
{
	struct fs_dirent dots[LISTING_DOTS] = {
		{ .type = S_IFDIR, .name = slice_str("."), .next = 1 },
		{ .type = S_IFDIR, .name = slice_str(".."), .next = 2 },
	};

	dots[0].ino = dots[1].ino = dir->in->ino;
	mutex_lock(&dir->in->mu);
	if (dir->in->parent != NULL)
		dots[1].ino = dir->in->parent->ino;
	mutex_unlock(&dir->in->mu);
	for (; offset < LISTING_DOTS; offset++) {
		if (!fn(arg, &dots[offset]))
			return false;
		dir->to.offset = dots[offset].next;
	}
	return true;
}

/* Position the stream at offset. */
static int
go_to(struct fs *fs, struct fs_dir *dir, int64_t offset)
{
	int rc = 0;

	if (offset == 0) {
		mutex_lock(&dir->in->mu);
		inode_accessed(fs, dir->in);
		listing_begin(dir->in, &dir->scan);
		mutex_unlock(&dir->in->mu);
	} else if (offset != dir->to.offset) {
		dir->scan.is_sequential = false;
	}
	if (offset <= LISTING_DOTS)
		rc = place_set(&dir->to, (struct slice){ 0 }, offset);
	else if (offset != dir->to.offset)
		rc = find_place(fs, dir, offset);
	if (rc == 0)
		rc = place_set(&dir->from, iname_slice(&dir->to.name),
		    dir->to.offset);
	return rc;
}

int
fs_readdir(struct fs *fs, struct fs_dir *dir, int64_t offset, bool with_attr,
    fs_dirent_fn fn, void *arg)
{
	struct reader r = { .with_attr = with_attr, .fn = fn, .arg = arg };
	int rc;

	if (offset < 0)
		return -EINVAL;
	rc = go_to(fs, dir, offset);
	if (rc < 0 ||
	    (offset < LISTING_DOTS && !emit_dots(dir, offset, fn, arg)))
		return rc;
	/* Loaded before the rows are read; see live_inode.h. */
	r.change = atomic_load_explicit(&dir->in->commits.change,
	    memory_order_seq_cst);
	return emit_rows(fs, dir, &r);
}

bool
fs_dir_is_safe(struct fs_dir *dir)
{
	bool is_safe;

	mutex_lock(&dir->in->mu);
	is_safe = listing_is_safe(dir->in, &dir->scan);
	mutex_unlock(&dir->in->mu);
	return is_safe;
}
