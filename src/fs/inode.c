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
inode_get_dentry(struct fs *fs, const struct inode *dir, struct slice name,
    struct dentry_row *rowp)
{
	struct kv_key key = key_dentry(dir->ino, name);
	struct kv_value v;
	int rc = kv_get(fs->kv, &key, NULL, &v);

	if (rc < 0)
		return rc;
	rc = schema_get_dentry(v.data, rowp);
	rowp->inline_data = (struct slice){ 0 };
	kv_value_release(&v);
	return rc < 0 ? inode_bad_row(dir->ino, name, rc) : 0;
}

int
inode_fill(struct fs *fs, struct inode *in, struct inode *parent,
    struct slice name, const struct attr_rec *rec)
{
	uint64_t seq;
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
	/* Nobody tells whether a program has it open for writing. */
	in->opens.nwriters = fs->caller.stateless && !fs->read_only;
	/* The commit that created it may not be durable yet, or not even have
	 * returned: then all that is committed counts. */
	seq = UINT64_MAX;
	if (atomic_load_explicit(&fs->bulk_commits, memory_order_seq_cst) == 0)
		seq = atomic_load_explicit(&fs->last_seq, memory_order_seq_cst);
	atomic_store_explicit(&in->commits.seq, seq, memory_order_seq_cst);
	in->state = INODE_LIVE;
	return 0;
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
	if (in->rowless.data != NULL) {
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
	if (in->rowless.is_set)
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
