/* SPDX-License-Identifier: ISC */
/*
 * The end of an inode: a link that goes away, files that are open without
 * a name, and what is left of them after a crash.
 *
 * Invariant: an inode row has nlink 0 exactly while there is an orphan row
 * for it.
 */
#include <inttypes.h>

#include "fs/fs_internal.h"

/* Orphans deleted in one batch by the sweep. */
#define SWEEP_MAX 256u

/* Contents and extended attributes, as far as there are any. */
static void
stage_groups(struct txn *t, uint64_t ino, const struct attr_rec *rec)
{
	if ((rec->flags & ATTR_CHUNKS) != 0)
		kv_batch_delete_group_hint(&t->batch, SPACE_CHUNK, ino,
		    rec->alloc);
	if (rec->nxattrs != 0)
		kv_batch_delete_group(&t->batch, SPACE_XATTR, ino);
}

static void
stage_orphan(struct txn *t, uint64_t ino, const struct attr_rec *rec)
{
	stage_groups(t, ino, rec);
	txn_del_inode(t, ino);
	txn_del_orphan(t, ino);
}

int
orphan_delete(struct fs *fs, struct inode *in)
{
	struct txn *t = txn_begin(fs);
	uint64_t seq;
	int rc = -ENOMEM;

	if (t != NULL) {
		stage_orphan(t, in->ino, &in->rec);
		rc = txn_commit_reserved(fs, t, &seq);
	}
	txn_end(fs, t);
	if (rc == 0) {
		atomic_store(&in->seq, seq);
		count_add(fs, -1);
	} else {
		log_warn("deleted file %" PRIu64 " keeps its space until the "
			 "next mount: %s",
		    in->ino, strerror(-rc));
	}
	/* Nobody can reach it any more, whatever became of its rows. */
	inode_set_deleted(fs, in);
	return rc;
}

/* Stage the deletion of one orphan that was found in the store. */
static int
sweep_one(struct fs *fs, struct txn *t, uint64_t ino, uint64_t *deletedp)
{
	struct kv_key key = key_inode(ino);
	struct attr_rec rec;
	struct kv_value v;
	struct slice data;
	int rc;

	rc = kv_get(fs->kv, &key, NULL, &v);
	if (rc == -ENOENT) {
		txn_del_orphan(t, ino);
		return 0;
	}
	if (rc < 0)
		return rc;
	rc = schema_get_inode(v.data, &rec, &data);
	kv_value_release(&v);
	if (rc < 0)
		return inode_bad_row(ino, (struct slice){ 0 }, rc);
	if (rec.nlink != 0) {
		log_warn("inode %" PRIu64 " is listed as deleted but has %u "
			 "names; it is kept",
		    ino, rec.nlink);
		txn_del_orphan(t, ino);
		return 0;
	}
	stage_orphan(t, ino, &rec);
	(*deletedp)++;
	return 0;
}

/* One batch of the sweep from *nextp on; 1: there may be more. */
static int
sweep_some(struct fs *fs, uint64_t *nextp, uint64_t *deletedp)
{
	struct kv_key key = key_orphan(*nextp);
	struct kv_iter *it = NULL;
	struct txn *t = txn_begin(fs);
	unsigned n = 0;
	uint64_t seq;
	int rc = -ENOMEM;

	if (t == NULL)
		goto out;
	rc = kv_iter_open(fs->kv, &key, KV_SCOPE_SPACE, NULL, &it);
	while (rc >= 0 && n < SWEEP_MAX && (rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		*nextp = key.group + 1;
		rc = sweep_one(fs, t, key.group, deletedp);
		/* A damaged row must not keep the rest from being used. */
		if (rc == -KVFS_ECORRUPT || rc == -EPROTO)
			rc = 0;
		n++;
	}
	if (rc >= 0 && t->batch.count != 0)
		rc = txn_commit_reserved(fs, t, &seq);
	if (rc >= 0)
		rc = n == SWEEP_MAX && *nextp != 0;
out:
	kv_iter_close(it);
	txn_end(fs, t);
	return rc;
}

int
orphan_sweep(struct fs *fs)
{
	uint64_t next = 0, deleted = 0;
	int rc;

	do {
		rc = sweep_some(fs, &next, &deleted);
	} while (rc == 1);
	if (deleted != 0) {
		log_info("%" PRIu64 " files that were deleted while open are "
			 "gone now",
		    deleted);
		count_add(fs, -(int64_t)deleted);
	}
	return rc;
}

int
removal_stage(struct fs *fs, struct txn *t, struct inode *in,
    const struct timespec *now, struct removal *r)
{
	struct slice data;
	int rc;

	r->in = in;
	r->rec = in->rec;
	r->rec.ctime = *now;
	if (inode_is_dir(in)) {
		r->how = REMOVAL_DELETE;
		r->rec.nlink = 0;
		if (in->tombs >= TOMBS_MAX)
			kv_batch_delete_group(&t->batch, SPACE_DENTRY, in->ino);
		stage_groups(t, in->ino, &in->rec);
		return 0;
	}
	if (in->rec.nlink == 0 || (in->rec.nlink > 1 && in->parent != NULL))
		return inode_bad_row(in->ino, (struct slice){ 0 },
		    -KVFS_ECORRUPT);
	r->rec.nlink--;
	if (r->rec.nlink != 0) {
		r->how = REMOVAL_LINK;
		return inode_put_row(fs, t, in, &r->rec, NULL);
	}
	if (in->nopen != 0) {
		r->how = REMOVAL_ORPHAN;
		rc = inode_copy_inline(fs, t, in, &data);
		if (rc < 0)
			return rc;
		txn_put_inode(t, in->ino, &r->rec, data);
		txn_put_orphan(t, in->ino);
		return 0;
	}
	r->how = REMOVAL_DELETE;
	stage_groups(t, in->ino, &in->rec);
	if (in->parent == NULL)
		txn_del_inode(t, in->ino);
	return 0;
}

struct inode *
removal_commit(struct fs *fs, struct removal *r, uint64_t seq) NO_THREAD_SAFETY
{
	struct inode *in = r->in, *old = NULL;

	switch (r->how) {
	case REMOVAL_LINK:
		inode_row_committed(fs, in, &r->rec, seq);
		break;
	case REMOVAL_ORPHAN:
		old = inode_move(in, NULL, NULL);
		inode_row_committed(fs, in, &r->rec, seq);
		break;
	case REMOVAL_DELETE:
		in->rec.ctime = r->rec.ctime;
		inode_set_deleted(fs, in);
		atomic_store(&in->seq, seq);
		if (!inode_is_dir(in))
			old = inode_move(in, NULL, NULL);
		count_add(fs, -1);
		break;
	}
	if (in->content != NULL)
		in->content->ctime = r->rec.ctime;
	return old;
}
