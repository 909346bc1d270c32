/* SPDX-License-Identifier: ISC */
/* Bulk changes: more names for a file, which is staged, or exists. */
#include "fs/bulk.h"

#include "fs/fs_state.h"
#include "fs/inode_lookup.h"

/* The file at target is in the store: link it at once. */
static int
bulk_link_live(struct fs_bulk *b, struct slice path, struct slice target)
{
	struct inode *in = NULL, *there = NULL;
	struct bulk_dir *from = NULL, *dir = NULL;
	struct slice from_name, name;
	struct fs_attr attr;
	int rc = bulk_parent(b, target, false, &from, &from_name);

	if (rc == 0)
		rc = bulk_parent(b, path, true, &dir, &name);
	/* Directories that are made above path must be there. */
	if (rc == 0 && b->count != 0) {
		rc = fs_bulk_commit(b);
		if (rc == 0)
			return bulk_link_live(b, path, target);
	}
	if (rc == 0 && (from == NULL || dir == NULL))
		rc = -EPERM;
	if (rc == 0)
		rc = inode_lookup(b->fs, from->live, from_name, &in);
	if (rc < 0 || in == NULL)
		return rc;
	rc = inode_is_dir(in) ? -EPERM :
				inode_lookup(b->fs, dir->live, name, &there);
	inode_note_lookup(b->fs, in);
	inode_note_lookup(b->fs, dir->live);
	if (rc == 0 && there != in)
		rc = fs_unlink(b->fs, dir->ino, name);
	if ((rc == 0 && there != in) || rc == -ENOENT)
		rc = fs_link(b->fs, in->ino, dir->ino, name, &attr);
	else
		inode_note_lookup(b->fs, in);
	inode_forget(b->fs, dir->live, 1);
	orphan_forgotten(b->fs, dir->live);
	inode_forget(b->fs, in, 2);
	orphan_forgotten(b->fs, in);
	if (rc == 0) {
		b->stored++;
		bulk_notify_name(b, dir->live, name);
		if (b->opts.inode_changed != NULL && inode_is_in_use(b->fs, in))
			b->opts.inode_changed(b->opts.arg, in->ino, false);
	}
	inode_put(b->fs, there);
	inode_put(b->fs, in);
	return rc;
}

/* The file at target is staged: 1, or 0 if it is not. */
static int
bulk_link_staged(struct fs_bulk *b, struct slice path, struct slice target,
    uint64_t tag)
{
	struct bulk_name *of, *n;
	struct bulk_dir *dir;
	struct slice name;
	int rc = bulk_parent(b, target, false, &dir, &name);

	if (rc == -ENOENT)
		return 0;
	if (rc == 0 && dir == NULL)
		rc = -EPERM;
	if (rc < 0)
		return rc;
	of = bulk_find(b, dir, name);
	if (of == NULL || of->kind != BULK_FILE)
		return of != NULL && of->sub != NULL ? -EPERM : 0;
	rc = bulk_place(b, path, &dir, &name, &n);
	if (rc == 0 && (dir == NULL || n != NULL))
		rc = -EISDIR;
	if (rc < 0)
		return rc;
	/* To make place for it may have dropped or committed the other. */
	if (b->count == 0 || of->is_dropped)
		return 0;
	n = bulk_add_name(b, dir, name, BULK_FILE);
	if (n == NULL)
		return b->error;
	n->in = of->in;
	n->path = bulk_copy(b, path);
	n->tag = tag;
	return b->error < 0 ? b->error : 1;
}

int
fs_bulk_link(struct fs_bulk *b, struct slice path, struct slice target,
    uint64_t tag)
{
	int rc = bulk_begin_name(b, path);

	if (rc < 0)
		return rc;
	if (slice_eq(path, target))
		return 0;
	rc = bulk_link_staged(b, path, target, tag);
	if (rc == 0)
		rc = bulk_link_live(b, path, target);
	return bulk_end_name(b, path, tag, rc < 0 ? rc : 0);
}
