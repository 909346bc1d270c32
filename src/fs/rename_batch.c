/* SPDX-License-Identifier: ISC */
/*
 * The batch of a rename: it moves the row, changes both directories and
 * removes the inode that was replaced. Dirty contents of the moved file are
 * committed in it or before it, so that a file replaced by rename is old or
 * new after a crash.
 */
#include "fs/rename.h"

#include "fs/content.h"
#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/inode.h"
#include "fs/inode_commit.h"
#include "fs/removal.h"
#include "util/stats.h"

/* Add in's row at (dir, name), with its dirty contents; *recp gets its new
 * attributes. */
static int
stage_move(struct fs *fs, struct txn *t, struct inode *in, struct inode *dir,
    struct slice name, const struct timespec *now, struct attr_rec *recp)
    REQUIRES(&in->change_mu, &in->mu)
{
	struct slice data;
	int rc;

	*recp = in->rec;
	rc = in->content != NULL ? content_stage(fs, t, in, recp, &data) :
				   inode_copy_inline(fs, t, in, &data);
	if (rc < 0)
		return rc;
	inode_stage_atime(in);
	recp->ctime = *now;
	if (in->parent != NULL) {
		txn_put_dentry(t, dir->ino, name, in->ino, recp, data);
	} else {
		txn_put_ref(t, dir->ino, name, in->ino, in->type);
		txn_put_inode(t, in->ino, recp, data);
	}
	return 0;
}

static struct inode *
commit_move(struct fs *fs, struct inode *in, struct inode *dir,
    struct iname *name, const struct attr_rec *rec, uint64_t seq)
    REQUIRES(&in->change_mu, &in->mu)
{
	struct inode *old = NULL;

	if (in->content != NULL)
		content_committed(fs, in, seq);
	if (in->parent != NULL)
		old = inode_move(in, dir, name);
	inode_row_committed(fs, in, rec, seq);
	return old;
}

/* Change the counts of both directories. */
static int
count_entries(const struct rename *r, struct dir_change *from,
    struct dir_change *to)
{
	int src_dir = inode_is_dir(r->src);
	int dst_dir = r->dst != NULL && inode_is_dir(r->dst);
	int rc;

	if (r->is_exchange) {
		rc = dir_count(from, 0, dst_dir - src_dir);
		return rc < 0 ? rc : dir_count(to, 0, src_dir - dst_dir);
	}
	/* Add first: if both are the same, its count must not become 0. */
	rc = dir_count(to, 1, src_dir);
	if (rc == 0)
		rc = dir_count(from, r->whiteout != NULL ? 0 : -1, -src_dir);
	if (rc == 0 && r->dst != NULL)
		rc = dir_count(to, -1, -dst_dir);
	return rc;
}

/* Add the whiteout at the old name: a device 0:0, by which overlayfs marks a
 * removed name. */
static int
stage_whiteout(struct fs *fs, struct txn *t, const struct rename *r,
    const struct timespec *now)
{
	struct attr_rec rec = {
		.mode = S_IFCHR,
		.nlink = 1,
		.uid = r->whiteout->uid,
		.gid = r->whiteout->gid,
		.atime = *now,
		.mtime = *now,
		.ctime = *now,
		.btime = *now,
	};
	uint64_t ino;
	int rc = new_inode_number(fs, &ino);

	if (rc == 0)
		txn_put_dentry(t, r->from->ino, r->name, ino, &rec,
		    (struct slice){ 0 });
	return rc;
}

/* Commit. Releases mu of the directories meanwhile; keeps those of src and
 * dst, whose rows move. */
static int
rename_commit(struct fs *fs, const struct rename *r, struct txn *t,
    uint64_t *seqp)
{
	int rc;

	rename_assert_all(r);
	rename_unlock_parent_fields(r);
	rc = txn_commit_reserved(fs, t, seqp);
	rename_lock_parent_fields(r);
	return rc;
}

int
rename_batch(struct fs *fs, struct rename *r)
{
	struct timespec now = fs_now();
	struct dir_change from, other, *to;
	struct attr_rec src_rec, dst_rec;
	struct iname name = { 0 }, newname = { 0 };
	struct removal removal = { 0 };
	struct txn *t = NULL;
	uint64_t seq;
	int rc;

	rename_assert_all(r);
	to = &from;
	dir_begin(&from, r->from, &now);
	if (r->to != r->from) {
		to = &other;
		dir_begin(&other, r->to, &now);
	}
	rc = count_entries(r, &from, to);
	if (rc == 0)
		rc = iname_set(&newname, r->newname);
	if (rc == 0)
		rc = iname_set(&name, r->name);
	t = rc == 0 ? txn_begin(fs) : NULL;
	if (rc == 0 && t == NULL)
		rc = -ENOMEM;
	if (rc < 0)
		goto out;
	if (r->is_exchange) {
		rc = stage_move(fs, t, r->dst, r->from, r->name, &now,
		    &dst_rec);
	} else {
		if (r->whiteout != NULL)
			rc = stage_whiteout(fs, t, r, &now);
		else
			dir_delete_entry(&from, t, r->name);
		if (rc == 0 && r->dst != NULL)
			rc = removal_stage(fs, t, r->dst, &now, 1, &removal);
	}
	if (rc == 0)
		rc = stage_move(fs, t, r->src, r->to, r->newname, &now,
		    &src_rec);
	if (rc == 0)
		rc = dir_stage(fs, t, &from);
	if (rc == 0 && to == &other)
		rc = dir_stage(fs, t, &other);
	if (rc < 0)
		goto out;
	atomic_fetch_add_explicit(&r->src->commits.content_gen, 1,
	    memory_order_seq_cst);
	if (r->is_exchange)
		atomic_fetch_add_explicit(&r->dst->commits.content_gen, 1,
		    memory_order_seq_cst);
	rc = rename_commit(fs, r, t, &seq);
	if (rc < 0)
		goto out;
	r->old[0] = commit_move(fs, r->src, r->to, &newname, &src_rec, seq);
	if (r->is_exchange)
		r->old[1] = commit_move(fs, r->dst, r->from, &name, &dst_rec,
		    seq);
	else if (r->dst != NULL)
		r->old[1] = removal_commit(fs, &removal, seq);
	dir_commit(fs, &from, seq);
	if (to == &other)
		dir_commit(fs, &other, seq);
	if (r->whiteout != NULL)
		inode_count_add(fs, 1);
	counter_add(&fs->counters.renames, 1);
out:
	iname_fini(&name);
	iname_fini(&newname);
	txn_end(fs, t);
	return rc;
}
