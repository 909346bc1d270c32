/* SPDX-License-Identifier: ISC */
/* From a name, or a row, to the live inode; see inode_lookup.h. */
#include "fs/inode_lookup.h"

#include "fs/fs_state.h"
#include "fs/inode.h"

/* Read the inode row of a new inode. */
static int
fill_from_inode_row(struct fs *fs, struct inode *in) REQUIRES(&in->mu)
{
	struct kv_key key = key_inode(in->ino);
	struct attr_rec rec;
	struct kv_value v;
	struct slice data;
	int rc;

	rc = kv_get(fs->kv, &key, NULL, &v);
	if (rc < 0)
		return rc;
	rc = schema_get_inode(v.data, &rec, &data);
	kv_value_release(&v);
	if (rc < 0)
		return inode_bad_row(in->ino, (struct slice){ 0 }, rc);
	return inode_fill(fs, in, NULL, (struct slice){ 0 }, &rec);
}

int
inode_load_root(struct fs *fs, struct inode **inp)
{
	struct inode *in = inode_get_any(fs, FS_ROOT_INO);
	int rc;

	*inp = NULL;
	if (in == NULL)
		return -ENOMEM;
	mutex_lock(&in->mu);
	rc = fill_from_inode_row(fs, in);
	if (rc == -ENOENT || (rc == 0 && !inode_is_dir(in)))
		rc = inode_bad_row(FS_ROOT_INO, (struct slice){ 0 },
		    -KVFS_ECORRUPT);
	mutex_unlock(&in->mu);
	if (rc == 0) {
		inode_hold(fs, in);
		*inp = in;
	}
	inode_put(fs, in);
	return rc;
}

/* Is a live inode the one of the row that was found at (dir, name)? */
static int
match_row(struct inode *in, struct inode *dir, struct slice name,
    const struct dentry_row *row, bool is_current) REQUIRES(&in->mu)
{
	if (in->state == INODE_LIVE && in->parent == dir && !in->is_nameless &&
	    slice_eq(iname_slice(&in->name), name))
		return 0;
	if (!is_current || in->state == INODE_DELETED)
		return -EAGAIN;
	/* The row is up to date, so an inode with another place is a second
	 * one with the same number, unless it has an inode row and several
	 * names. */
	if (in->parent != NULL || in->is_nameless || !row->is_ref ||
	    row->type != in->type)
		return -KVFS_ECORRUPT;
	return 0;
}

int
inode_from_row(struct fs *fs, struct inode *dir, struct slice name,
    const struct dentry_row *row, uint64_t change,
    struct inode **inp) NO_THREAD_SAFETY
{
	struct inode *in;
	bool is_current;
	int rc;

	*inp = NULL;
	if (row->ino == dir->ino)
		return inode_bad_row(dir->ino, name, -KVFS_ECORRUPT);
	in = inode_get_any(fs, row->ino);
	if (in == NULL)
		return -ENOMEM;
	mutex_lock(&in->mu);
	is_current = atomic_load_explicit(&dir->commits.change,
			 memory_order_seq_cst) == change;
	if (in->state != INODE_NEW) {
		rc = match_row(in, dir, name, row, is_current);
	} else if (!is_current) {
		rc = -EAGAIN;
	} else if (row->is_ref) {
		rc = fill_from_inode_row(fs, in);
		if (rc == 0 && in->type != row->type)
			rc = -KVFS_ECORRUPT;
		/* Its last name may have been removed since the read. */
		if (rc == -ENOENT)
			rc = atomic_load_explicit(&dir->commits.change,
				 memory_order_seq_cst) == change ?
			    -KVFS_ECORRUPT :
			    -EAGAIN;
	} else {
		rc = inode_fill(fs, in, dir, name, &row->rec);
	}
	if (rc == 0) {
		mutex_assert_held(&in->mu);
		*inp = in;
		return 0;
	}
	mutex_unlock(&in->mu);
	inode_put(fs, in);
	return rc == -EAGAIN ? rc : inode_bad_row(dir->ino, name, rc);
}

int
inode_lookup_lock(struct fs *fs, struct inode *dir, struct slice name,
    struct inode **inp)
{
	struct dentry_row row;
	uint64_t change;
	int rc;

	*inp = NULL;
	do {
		change = atomic_load_explicit(&dir->commits.change,
		    memory_order_seq_cst);
		rc = inode_get_dentry(fs, dir, name, &row);
		if (rc < 0)
			return rc;
		rc = inode_from_row(fs, dir, name, &row, change, inp);
	} while (rc == -EAGAIN);
	return rc;
}

int
inode_lookup(struct fs *fs, struct inode *dir, struct slice name,
    struct inode **inp)
{
	int rc = inode_lookup_lock(fs, dir, name, inp);

	if (rc == 0) {
		mutex_assert_held(&(*inp)->mu);
		mutex_unlock(&(*inp)->mu);
	}
	return rc;
}
