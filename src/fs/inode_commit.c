/* SPDX-License-Identifier: ISC */
/*
 * See inode_commit.h, and live_inode.h for the rules.
 */
#include "fs/inode_commit.h"

#include "fs/content.h"
#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_patches.h"
#include "fs/rowless.h"

void
inode_begin_change(struct inode *in)
{
	mutex_lock(&in->change_mu);
	mutex_lock(&in->mu);
}

void
inode_end_change(struct inode *in)
{
	mutex_unlock(&in->mu);
	mutex_unlock(&in->change_mu);
}

int
inode_commit(struct fs *fs, struct inode *in, struct txn *t, uint64_t *seqp)
{
	int rc;

	mutex_unlock(&in->mu);
	rc = txn_commit(fs, t, seqp);
	mutex_lock(&in->mu);
	return rc;
}

void
inode_row_committed(struct fs *fs, struct inode *in, const struct attr_rec *rec,
    uint64_t seq)
{
	struct timespec atime = in->rec.atime;

	if (in->rowless.is_set) {
		in->rowless.is_set = false;
		rowless_drop(in);
		inode_count_add(fs, 1);
	}
	in->rec = *rec;
	if (in->atime == ATIME_MOVED) /* while the commit ran */
		in->rec.atime = atime;
	else
		in->atime = ATIME_STORED;
	atomic_store_explicit(&in->commits.seq, seq, memory_order_seq_cst);
	if (inode_has_dentry(in))
		inode_touch(in->parent);
	if (in->content == NULL && in->atime == ATIME_STORED)
		dirty_list_remove(&fs->dirty, in);
}

void
inode_set_deleted(struct fs *fs, struct inode *in)
{
	rowless_drop(in);
	in->state = INODE_DELETED;
	in->rec.nlink = 0;
	in->rec.size = 0;
	in->rec.alloc = 0;
	in->rec.inline_len = 0;
	in->rec.nxattrs = 0;
	in->rec.flags &= ~(uint32_t)(ATTR_CHUNKS | ATTR_PATCHES);
	in->atime = ATIME_STORED;
	atomic_fetch_add_explicit(&in->commits.content_gen, 1,
	    memory_order_seq_cst);
	content_drop(fs, in);
	inode_patches_drop(fs, in);
	dirty_list_remove(&fs->dirty, in);
}
