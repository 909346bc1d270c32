/* SPDX-License-Identifier: ISC */
/* Live inodes and their rows; see inode.h, and live_inode.h for the rules. */
#include "fs/inode.h"

#include <inttypes.h>
#include <string.h>

#include "fs/fs_state.h"
#include "fs/rowless.h"
#include "util/log.h"

int
inode_bad_row(uint64_t parent, struct slice name, int rc)
{
	const char *what = rc == -EPROTO ?
	    "was written by a newer version; use that" :
	    "is damaged; run kvfsctl check";

	if (rc != -KVFS_ECORRUPT && rc != -EPROTO)
		return rc;
	if (name.len != 0)
		log_error("row of \"%.*s\" in inode %" PRIu64 " %s",
		    (int)name.len, (const char *)name.data, parent, what);
	else
		log_error("row of inode %" PRIu64 " %s", parent, what);
	return rc;
}

int
inode_fill(struct fs *fs, struct inode *in, struct inode *parent,
    struct slice name, const struct attr_rec *rec)
{
	int rc;

	if (parent != NULL) {
		rc = iname_set(&in->name, name);
		if (rc < 0)
			return rc;
		inode_ref(parent);
	}
	in->parent = parent;
	in->rec = *rec;
	in->type = rec->mode & S_IFMT;
	in->tombstones = TOMBSTONES_UNKNOWN;
	/* The commit that created it may not be durable yet. */
	atomic_store_explicit(&in->commits.seq,
	    atomic_load_explicit(&fs->last_seq, memory_order_relaxed),
	    memory_order_seq_cst);
	in->state = INODE_LIVE;
	return 0;
}

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
inode_find_lock(struct fs *fs, struct inode *dir, struct slice name,
    struct inode **inp)
{
	struct kv_key key = key_dentry(dir->ino, name);
	struct dentry_row row;
	struct kv_value v;
	uint64_t change;
	int rc;

	*inp = NULL;
	do {
		change = atomic_load_explicit(&dir->commits.change,
		    memory_order_seq_cst);
		rc = kv_get(fs->kv, &key, NULL, &v);
		if (rc < 0)
			return rc;
		rc = schema_get_dentry(v.data, &row);
		kv_value_release(&v);
		if (rc < 0)
			return inode_bad_row(dir->ino, name, rc);
		rc = inode_from_row(fs, dir, name, &row, change, inp);
	} while (rc == -EAGAIN);
	return rc;
}

int
inode_find(struct fs *fs, struct inode *dir, struct slice name,
    struct inode **inp)
{
	int rc = inode_find_lock(fs, dir, name, inp);

	if (rc == 0) {
		mutex_assert_held(&(*inp)->mu);
		mutex_unlock(&(*inp)->mu);
	}
	return rc;
}

/* The key of the row with the inode's attributes. */
static struct kv_key
row_key(const struct inode *in) REQUIRES(&in->mu)
{
	if (inode_has_dentry(in))
		return key_dentry(in->parent->ino, iname_slice(&in->name));
	return key_inode(in->ino);
}

int
inode_get_inline(struct fs *fs, struct inode *in, struct kv_value *pin,
    struct slice *datap)
{
	struct kv_key key = row_key(in);
	struct dentry_row row;
	int rc;

	*datap = (struct slice){ 0 };
	*pin = (struct kv_value){ 0 };
	if (in->rec.inline_len == 0)
		return 0;
	if (in->rowless_data != NULL) {
		rc = rowless_copy(in, pin);
		*datap = pin->data;
		return rc;
	}
	rc = kv_get(fs->kv, &key, NULL, pin);
	if (rc == -ENOENT)
		rc = -KVFS_ECORRUPT;
	if (rc < 0)
		goto fail;
	if (inode_has_dentry(in)) {
		rc = schema_get_dentry(pin->data, &row);
		*datap = row.inline_data;
		if (rc == 0 && (row.is_ref || row.ino != in->ino))
			rc = -KVFS_ECORRUPT;
	} else {
		rc = schema_get_inode(pin->data, &row.rec, datap);
	}
	if (rc == 0 && datap->len != in->rec.inline_len)
		rc = -KVFS_ECORRUPT;
	if (rc == 0)
		return 0;
fail:
	kv_value_release(pin);
	*datap = (struct slice){ 0 };
	return inode_bad_row(in->ino, (struct slice){ 0 }, rc);
}

int
inode_copy_inline(struct fs *fs, struct txn *t, struct inode *in,
    struct slice *datap)
{
	struct kv_value pin;
	uint8_t *p;
	int rc;

	rc = inode_get_inline(fs, in, &pin, datap);
	if (rc < 0 || datap->len == 0)
		return rc;
	p = txn_alloc(t, datap->len);
	if (p == NULL) {
		rc = -ENOMEM;
		*datap = (struct slice){ 0 };
	} else {
		memcpy(p, datap->data, datap->len);
		datap->data = p;
	}
	kv_value_release(&pin);
	return rc;
}

int
inode_put_row(struct fs *fs, struct txn *t, struct inode *in,
    const struct attr_rec *rec, const struct slice *data)
{
	struct kv_value pin = { 0 };
	struct slice kept;
	int rc;

	if (data == NULL) {
		rc = inode_get_inline(fs, in, &pin, &kept);
		if (rc < 0)
			return rc;
		data = &kept;
	}
	if (inode_has_dentry(in))
		txn_put_dentry(t, in->parent->ino, iname_slice(&in->name),
		    in->ino, rec, *data);
	else
		txn_put_inode(t, in->ino, rec, *data);
	if (in->is_rowless)
		txn_put_orphan(t, in->ino);
	inode_stage_atime(in);
	kv_value_release(&pin);
	return 0;
}

void
inode_stage_atime(struct inode *in)
{
	if (in->atime == ATIME_MOVED)
		in->atime = ATIME_STAGED;
}

void
inode_touch(struct inode *dir)
{
	atomic_fetch_add_explicit(&dir->commits.change, 1,
	    memory_order_seq_cst);
}

struct inode *
inode_move(struct inode *in, struct inode *parent, struct iname *name)
{
	struct inode *old = in->parent;

	iname_fini(&in->name);
	if (parent != NULL) {
		in->name = *name;
		*name = (struct iname){ 0 };
	}
	/* Within one directory parent is not written: threads that go up the
	 * tree may read it. */
	if (parent == old)
		return NULL;
	if (parent != NULL)
		inode_ref(parent);
	in->parent = parent;
	return old;
}
