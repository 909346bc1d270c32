/* SPDX-License-Identifier: ISC */
/*
 * Removes links. With the last one all rows of the inode are deleted, or, if
 * it is in use, it becomes an orphan; see orphan.c.
 */
#include "fs/removal.h"

#include "fs/content.h"
#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_commit.h"
#include "fs/rowless.h"

/* Inline bytes of all rowless inodes at most; beyond that inodes become
 * orphans with rows. */
#define ROWLESS_MAX (1u << 20)

/* The last name: decide what becomes of the attributes, which may be in the
 * dentry row that is deleted. */
static int
stage_last(struct fs *fs, struct txn *t, struct inode *in, struct removal *r)
    REQUIRES(&in->change_mu, &in->mu)
{
	int rc;

	if (!inode_is_in_use(fs, in)) {
		r->how = REMOVAL_DELETE;
		orphan_stage_groups(t, in->ino, &in->rec);
	} else {
		rc = inode_copy_inline(fs, t, in, &r->data);
		if (rc < 0)
			return rc;
		/* Mostly the kernel forgets it at once; then no row had to be
		 * written. */
		r->how = (in->rec.flags & ATTR_CHUNKS) == 0 &&
			in->rec.nxattrs == 0 && rowless_bytes() < ROWLESS_MAX ?
		    REMOVAL_ROWLESS :
		    REMOVAL_ORPHAN;
	}
	if (r->how == REMOVAL_ORPHAN) {
		txn_put_inode(t, in->ino, &r->rec, r->data);
		txn_put_orphan(t, in->ino);
	} else if (in->parent == NULL) {
		txn_del_inode(t, in->ino);
	}
	return 0;
}

int
removal_stage(struct fs *fs, struct txn *t, struct inode *in,
    const struct timespec *now, uint32_t names, struct removal *r)
{
	*r = (struct removal){ .in = in, .rec = in->rec };
	r->rec.ctime = *now;
	if (inode_is_dir(in)) {
		if (in->tombstones >= TOMBSTONES_MAX)
			kv_batch_delete_group(&t->batch, SPACE_DENTRY, in->ino);
		r->rec.nlink = 0;
		return stage_last(fs, t, in, r);
	}
	if (in->rec.nlink < names || (in->rec.nlink > 1 && in->parent != NULL))
		return inode_bad_row(in->ino, (struct slice){ 0 },
		    -KVFS_ECORRUPT);
	r->rec.nlink -= names;
	if (r->rec.nlink == 0)
		return stage_last(fs, t, in, r);
	r->how = REMOVAL_LINK;
	return inode_put_row(fs, t, in, &r->rec, NULL);
}

/* Its last name was removed at seq. */
static struct inode *
lose_name(struct inode *in, const struct attr_rec *rec, uint64_t seq)
    REQUIRES(&in->change_mu, &in->mu)
{
	in->is_nameless = true;
	in->rec = *rec;
	in->atime = ATIME_STORED;
	atomic_store_explicit(&in->commits.seq, seq, memory_order_seq_cst);
	return inode_is_dir(in) ? NULL : inode_move(in, NULL, NULL);
}

struct inode *
removal_commit(struct fs *fs, struct removal *r, uint64_t seq)
{
	struct inode *in = r->in, *old = NULL;

	mutex_assert_held(&in->change_mu);
	mutex_assert_held(&in->mu);
	switch (r->how) {
	case REMOVAL_LINK:
		inode_row_committed(fs, in, &r->rec, seq);
		break;
	case REMOVAL_ORPHAN:
		old = lose_name(in, &r->rec, seq);
		break;
	case REMOVAL_ROWLESS:
		inode_count_add(fs, -1);
		old = lose_name(in, &r->rec, seq);
		/* Without memory, programs that have it open lose its
		 * contents. */
		if (rowless_keep(in, r->data) < 0)
			inode_set_deleted(fs, in);
		break;
	case REMOVAL_DELETE:
		inode_count_add(fs, -1);
		old = lose_name(in, &r->rec, seq);
		inode_set_deleted(fs, in);
		break;
	}
	if (in->content != NULL)
		in->content->ctime = r->rec.ctime;
	else
		dirty_list_remove(&fs->dirty, in);
	return old;
}
