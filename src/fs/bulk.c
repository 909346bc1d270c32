/* SPDX-License-Identifier: ISC */
/* Bulk changes: the calls of fs_bulk.h that add and remove names. */
#include "fs/bulk.h"

int
bulk_place(struct fs_bulk *b, struct slice path, struct bulk_dir **dirp,
    struct slice *namep, struct bulk_name **np)
{
	int rc = bulk_parent(b, path, true, dirp, namep);

	*np = NULL;
	if (rc < 0 || *dirp == NULL)
		return rc;
	rc = bulk_lookup(b, *dirp, *namep, np);
	if (rc < 0 || *np == NULL || (*np)->kind == BULK_KNOWN)
		return rc;
	if ((*np)->kind != BULK_DIR) {
		(*np)->is_dropped = true;
		*np = NULL;
		return 0;
	}
	if ((b->opts.flags & FS_BULK_ATOMIC) != 0)
		return -EISDIR;
	rc = fs_bulk_commit(b);
	if (rc == 0)
		rc = bulk_parent(b, path, true, dirp, namep);
	if (rc == 0)
		rc = bulk_lookup(b, *dirp, *namep, np);
	return rc;
}

static int
bulk_add(struct fs_bulk *b, const struct fs_bulk_entry *e)
{
	bool is_dir = S_ISDIR(e->mode);
	struct bulk_name *n, *there;
	struct bulk_inode *in;
	struct bulk_dir *dir;
	struct slice name;
	int rc = bulk_place(b, e->path, &dir, &name, &there);

	if (rc < 0)
		return rc;
	if (dir == NULL)
		return is_dir ? bulk_set_live(b, b->base, e) : -EISDIR;
	if (there != NULL && is_dir)
		return bulk_set_live(b, there->sub->live, e);
	/* A directory that exists: the commit finds out whether it is empty;
	 * here it is not to be found any more. */
	if (there != NULL) {
		if (e->is_value || (b->opts.flags & FS_BULK_ATOMIC) != 0)
			return -EISDIR;
		rc = fs_bulk_commit(b);
		if (rc == 0)
			rc = bulk_parent(b, e->path, true, &dir, &name);
		if (rc < 0)
			return rc;
	}
	if (is_dir)
		return bulk_make_dir(b, dir, name, e, &n);
	rc = bulk_make_inode(b, dir, e, &in);
	if (rc < 0)
		return rc;
	n = bulk_add_name(b, dir, name, BULK_FILE);
	if (n == NULL)
		return b->error;
	n->in = in;
	n->path = bulk_copy(b, e->path);
	n->tag = e->tag;
	n->is_value = e->is_value;
	if (S_ISREG(e->mode))
		b->file.name = n;
	return b->error;
}

int
fs_bulk_add(struct fs_bulk *b, const struct fs_bulk_entry *e)
{
	int rc = bulk_begin_name(b, e->path);

	b->file.name = NULL;
	b->file.end = b->file.index = b->file.spilled_end = 0;
	b->file.spill_bytes = 0;
	buf_clear(&b->file.data);
	if (rc == 0)
		rc = bulk_end_name(b, e->path, e->tag, bulk_add(b, e));
	return rc;
}

int
fs_bulk_remove(struct fs_bulk *b, struct slice path, uint64_t tag)
{
	struct bulk_name *n;
	struct bulk_dir *dir;
	struct slice name;
	int rc = bulk_begin_name(b, path);

	if (rc < 0)
		return rc;
	rc = bulk_place(b, path, &dir, &name, &n);
	if (rc == 0 && (dir == NULL || n != NULL))
		rc = -EISDIR;
	if (rc == 0) {
		n = bulk_add_name(b, dir, name, BULK_REMOVE);
		rc = b->error;
	}
	if (rc == 0) {
		n->path = bulk_copy(b, path);
		n->tag = tag;
	}
	return bulk_end_name(b, path, tag, rc);
}

int
fs_bulk_refuse(struct fs_bulk *b, struct slice path, uint64_t tag, int rc)
{
	b->file.name = NULL;
	return bulk_end_name(b, path, tag, rc);
}
