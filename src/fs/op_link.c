/* SPDX-License-Identifier: ISC */
/*
 * Hard links. When a file gets a second name, its attributes and inline
 * contents are moved from the dentry row to an inode row, and stay there.
 */
#include "fs/content.h"
#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/inode.h"
#include "fs/inode_attr.h"
#include "fs/inode_commit.h"

/* 0 if in may get one more name, else a negative errno. */
static int
link_check(const struct inode *in) REQUIRES(&in->mu)
{
	if (in->state != INODE_LIVE || (in->is_nameless && !in->is_linkable))
		return -ENOENT;
	return in->rec.nlink >= FS_LINK_MAX ? -EMLINK : 0;
}

/* The batch of fs_link(). Releases dir->mu during the commit; keeps in->mu,
 * since its row moves. */
static int
link_in(struct fs *fs, struct inode *dir, struct slice name, struct inode *in,
    struct inode **oldp)
    REQUIRES(&dir->change_mu, &dir->mu, &in->change_mu, &in->mu)
{
	struct timespec now = fs_now();
	struct dir_change change;
	struct attr_rec rec;
	struct slice data;
	struct txn *t;
	uint64_t seq;
	int rc;

	*oldp = NULL;
	if (!inode_takes_names(dir))
		return -ENOENT;
	dir_begin(&change, dir, &now);
	rc = dir_count(&change, 1, 0);
	if (rc < 0)
		return rc;
	t = txn_begin(fs);
	if (t == NULL)
		return -ENOMEM;
	rec = in->rec;
	rc = in->content != NULL ? content_stage(fs, t, in, &rec, &data) :
				   inode_copy_inline(fs, t, in, &data);
	if (rc < 0)
		goto out;
	inode_stage_atime(in);
	rec.nlink++;
	rec.ctime = now;
	if (in->parent != NULL)
		txn_put_ref(t, in->parent->ino, iname_slice(&in->name), in->ino,
		    in->type);
	if (in->is_nameless)
		txn_del_orphan(t, in->ino);
	txn_put_inode(t, in->ino, &rec, data);
	txn_put_ref(t, dir->ino, name, in->ino, in->type);
	rc = dir_stage(fs, t, &change);
	if (rc < 0)
		goto out;
	atomic_fetch_add_explicit(&in->commits.content_gen, 1,
	    memory_order_seq_cst);
	rc = inode_commit(fs, dir, t, &seq);
	if (rc < 0)
		goto out;
	if (in->content != NULL)
		content_committed(fs, in, seq);
	in->is_linkable = in->is_nameless = false;
	*oldp = inode_move(in, NULL, NULL);
	if (*oldp != NULL)
		inode_touch(*oldp);
	inode_row_committed(fs, in, &rec, seq);
	dir_commit(fs, &change, seq);
out:
	txn_end(fs, t);
	return rc;
}

/* The caller holds change_mu of both. */
static int
link_locked(struct fs *fs, struct inode *dir, struct slice name,
    struct inode *in, struct fs_attr *attrp, struct inode **oldp)
    REQUIRES(&dir->change_mu, &in->change_mu)
{
	int rc = dir_has_no(fs, dir, name);

	mutex_assert_held(&dir->change_mu);
	mutex_assert_held(&in->change_mu);
	if (rc < 0)
		return rc;
	mutex_lock(&in->mu);
	rc = link_check(in);
	if (rc == 0)
		rc = content_commit_to_fit(fs, in);
	if (rc == 0) {
		mutex_lock(&dir->mu);
		rc = link_in(fs, dir, name, in, oldp);
		mutex_unlock(&dir->mu);
	}
	if (rc == 0) {
		inode_note_lookup(fs, in);
		inode_attr(in, attrp);
	}
	mutex_unlock(&in->mu);
	return rc;
}

int
fs_link(struct fs *fs, uint64_t ino, uint64_t parent, struct slice name,
    struct fs_attr *attrp)
{
	struct inode *dir = NULL, *in = NULL, *old = NULL;
	unsigned tries = 0;
	bool has_lookup;
	int rc;

	*attrp = (struct fs_attr){ 0 };
	if (fs->read_only)
		return -EROFS;
	rc = name_check(name);
	if (rc == 0)
		rc = space_ask(fs, KV_ROOM_ADD, 0);
	if (rc == 0)
		rc = dir_get(fs, parent, &dir);
	if (rc == 0)
		rc = file_get(fs, ino, &in);
	if (rc == 0 && inode_is_dir(in))
		rc = -EPERM;
	if (rc != 0)
		goto out;
	do {
		mutex_lock(&dir->change_mu);
		mutex_lock(&in->change_mu);
		rc = link_locked(fs, dir, name, in, attrp, &old);
		mutex_unlock(&in->change_mu);
		mutex_unlock(&dir->change_mu);
	} while (space_retry(fs, rc, &tries));
	has_lookup = rc == 0;
	rc = txn_settle(fs, rc);
	if (rc < 0 && has_lookup) {
		inode_forget(fs, in, 1);
		orphan_forgotten(fs, in);
	}
out:
	inode_put(fs, old);
	inode_put(fs, in);
	inode_put(fs, dir);
	return rc;
}
