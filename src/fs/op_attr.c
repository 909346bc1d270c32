/* SPDX-License-Identifier: ISC */
/*
 * Attributes: getattr, setattr. A change is committed when the call returns,
 * except the size of an open file, which is committed with its contents.
 */
#include "fs/acl.h"
#include "fs/content.h"
#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/inode.h"
#include "fs/inode_attr.h"
#include "fs/inode_commit.h"

int
fs_getattr(struct fs *fs, uint64_t ino, struct fs_attr *attrp)
{
	struct inode *in;
	int rc;

	*attrp = (struct fs_attr){ 0 };
	rc = file_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	mutex_lock(&in->mu);
	inode_attr(in, attrp);
	mutex_unlock(&in->mu);
	inode_put(fs, in);
	return 0;
}

static int
attr_check(const struct inode *in, const struct fs_attr *attr, unsigned valid)
{
	if ((valid & FS_SET_SIZE) != 0) {
		if (inode_is_dir(in))
			return -EISDIR;
		if (!S_ISREG(in->type))
			return -EINVAL;
		if (attr->size > SIZE_LIMIT)
			return -EFBIG;
	}
	if (((valid & FS_SET_ATIME) != 0 && !fs_time_is_valid(&attr->atime)) ||
	    ((valid & FS_SET_MTIME) != 0 && !fs_time_is_valid(&attr->mtime)) ||
	    ((valid & FS_SET_CTIME) != 0 && !fs_time_is_valid(&attr->ctime)))
		return -EINVAL;
	return 0;
}

/* Clear set-id bits as the kernel does for a write or chown(2). */
static void
kill_set_ids(struct attr_rec *rec, unsigned valid)
{
	rec->mode &= ~(uint32_t)S_ISUID;
	if ((rec->mode & S_IXGRP) != 0 || (valid & FS_SET_KILL_SGID) != 0)
		rec->mode &= ~(uint32_t)S_ISGID;
}

static void
attr_apply(struct attr_rec *rec, const struct fs_attr *attr, unsigned valid,
    const struct timespec *now)
{
	bool is_dir = S_ISDIR(rec->mode);

	if ((valid & FS_SET_MODE) != 0)
		rec->mode = (rec->mode & S_IFMT) | (attr->mode & 07777u);
	else if (!is_dir && (valid & (FS_SET_UID | FS_SET_GID)) != 0)
		kill_set_ids(rec, valid);
	if (!is_dir && (valid & FS_SET_KILL_SUID) != 0)
		kill_set_ids(rec, valid);
	if ((valid & FS_SET_UID) != 0)
		rec->uid = attr->uid;
	if ((valid & FS_SET_GID) != 0)
		rec->gid = attr->gid;
	if ((valid & FS_SET_ATIME_NOW) != 0)
		rec->atime = *now;
	else if ((valid & FS_SET_ATIME) != 0)
		rec->atime = attr->atime;
	if ((valid & FS_SET_MTIME_NOW) != 0)
		rec->mtime = *now;
	else if ((valid & FS_SET_MTIME) != 0)
		rec->mtime = attr->mtime;
	rec->ctime = (valid & FS_SET_CTIME) != 0 ? attr->ctime : *now;
}

/* Commit the change; dirty contents, if they are few, in the same batch. */
static int
attr_commit(struct fs *fs, struct inode *in, const struct fs_attr *attr,
    unsigned valid, const struct timespec *now)
    REQUIRES(&in->change_mu, &in->mu)
{
	struct content *c = in->content;
	bool is_riding = c != NULL && c->data_bytes <= SHARED_BATCH_BYTES &&
	    c->count <= SHARED_BATCH_BYTES / CHUNK_SIZE;
	struct attr_rec rec = in->rec;
	struct slice data;
	struct txn *t;
	uint64_t seq;
	int rc = 0;

	t = txn_begin(fs);
	if (t == NULL)
		return -ENOMEM;
	if (is_riding)
		rc = content_stage(fs, t, in, &rec, &data);
	attr_apply(&rec, attr, valid, now);
	if (rc == 0 && (valid & FS_SET_MODE) != 0)
		rc = acl_chmod(fs, t, in, rec.mode);
	if (rc == 0)
		rc = inode_put_row(fs, t, in, &rec, is_riding ? &data : NULL);
	if (rc == 0) {
		if (is_riding)
			atomic_fetch_add_explicit(&in->commits.content_gen, 1,
			    memory_order_seq_cst);
		txn_reserve(t);
		rc = inode_commit(fs, in, t, &seq);
	}
	if (rc == 0) {
		if (is_riding) {
			content_committed(fs, in, seq);
		} else if (c != NULL) {
			c->ctime = rec.ctime;
			if ((valid & (FS_SET_MTIME | FS_SET_MTIME_NOW)) != 0)
				c->mtime = rec.mtime;
		}
		inode_row_committed(fs, in, &rec, seq);
	}
	txn_end(fs, t);
	return rc;
}

int
fs_setattr(struct fs *fs, uint64_t ino, const struct fs_attr *attr,
    unsigned valid, struct fs_attr *attrp)
{
	struct timespec now = fs_now();
	struct inode *in;
	int rc;

	if (fs->read_only)
		return -EROFS;
	rc = file_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	rc = attr_check(in, attr, valid);
	if (rc == 0 && (valid & FS_SET_SIZE) != 0)
		rc = writeback_throttle(fs);
	if (rc < 0)
		goto out;
	inode_begin_change(in);
	if (in->state != INODE_LIVE) {
		attr_apply(&in->rec, attr, valid, &now);
		goto done;
	}
	if ((valid & FS_SET_SIZE) != 0)
		rc = content_truncate(fs, in, attr->size, &now);
	if (rc < 0)
		goto done;
	if ((valid & ~(unsigned)FS_SET_SIZE) != 0 || valid == 0)
		rc = attr_commit(fs, in, attr, valid, &now);
	/* truncate(2) of a file that is not open: no close will commit it. */
	if (rc == 0 && in->opens.n == 0 && !in->is_nameless &&
	    (valid & FS_SET_SIZE) != 0 &&
	    atomic_load_explicit(&fs->flush_on_close, memory_order_relaxed))
		rc = content_commit(fs, in);
done:
	inode_attr(in, attrp);
	inode_end_change(in);
out:
	rc = txn_settle(fs, rc);
	inode_put(fs, in);
	return rc;
}
