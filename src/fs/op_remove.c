/* SPDX-License-Identifier: ISC */
/*
 * Removal of names: unlink and rmdir. removal.c decides what becomes of the
 * inode.
 */
#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/inode.h"
#include "fs/inode_lookup.h"
#include "fs/inode_commit.h"
#include "fs/removal.h"
#include "util/stats.h"

/* The batch. Releases dir->mu during the commit; keeps in->mu, so that others
 * do not use the inode before its new state is known. */
static int
remove_in(struct fs *fs, struct inode *dir, struct slice name, struct inode *in,
    struct inode **oldp)
    REQUIRES(&dir->change_mu, &dir->mu, &in->change_mu, &in->mu)
{
	struct timespec now = fs_now();
	struct dir_change change;
	struct removal removal;
	struct txn *t;
	uint64_t seq;
	int rc;

	*oldp = NULL;
	dir_begin(&change, dir, &now);
	rc = dir_count(&change, -1, inode_is_dir(in) ? -1 : 0);
	if (rc < 0)
		return rc;
	t = txn_begin(fs);
	if (t == NULL)
		return -ENOMEM;
	dir_delete_entry(&change, t, name);
	rc = removal_stage(fs, t, in, &now, 1, &removal);
	if (rc == 0)
		rc = dir_stage(fs, t, &change);
	txn_reserve(t);
	if (rc == 0)
		rc = inode_commit(fs, dir, t, &seq);
	if (rc == 0) {
		*oldp = removal_commit(fs, &removal, seq);
		dir_commit(fs, &change, seq);
		counter_add(&fs->counters.removes, 1);
	}
	txn_end(fs, t);
	return rc;
}

static int
remove_name(struct fs *fs, uint64_t parent, struct slice name, bool is_rmdir)
{
	struct inode *dir, *in, *old = NULL;
	int rc;

	if (fs->read_only)
		return -EROFS;
	if (name.len > FS_NAME_MAX)
		return -ENAMETOOLONG;
	rc = dir_get(fs, parent, &dir);
	if (rc < 0)
		return rc;
	mutex_lock(&dir->change_mu);
	/* With change_mu of dir the name cannot change. */
	rc = inode_lookup(fs, dir, name, &in);
	if (rc == 0) {
		mutex_lock(&in->change_mu);
		mutex_lock(&dir->mu);
		mutex_lock(&in->mu);
		if (is_rmdir != inode_is_dir(in))
			rc = is_rmdir ? -ENOTDIR : -EISDIR;
		else if (is_rmdir && in->rec.entries != 0)
			rc = -ENOTEMPTY;
		else
			rc = remove_in(fs, dir, name, in, &old);
		mutex_unlock(&in->mu);
		mutex_unlock(&dir->mu);
		mutex_unlock(&in->change_mu);
	}
	mutex_unlock(&dir->change_mu);
	rc = txn_settle(fs, rc);
	inode_put(fs, old);
	inode_put(fs, in);
	inode_put(fs, dir);
	return rc;
}

int
fs_unlink(struct fs *fs, uint64_t parent, struct slice name)
{
	return remove_name(fs, parent, name, false);
}

int
fs_rmdir(struct fs *fs, uint64_t parent, struct slice name)
{
	return remove_name(fs, parent, name, true);
}
