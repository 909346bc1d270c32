/* SPDX-License-Identifier: ISC */
/*
 * rename(2): finds, locks and checks the inodes of both names; then one batch
 * makes the change. See rename.h for the locks.
 */
#include "fs/rename.h"

#include <fcntl.h>
#include <stdio.h>

#include "fs/content.h"
#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_lookup.h"

/* The checks of src and dst that need no lock of theirs. */
static int
rename_check(const struct rename *r, unsigned flags)
{
	if (r->dst != NULL && (flags & RENAME_NOREPLACE) != 0)
		return -EEXIST;
	if (r->dst == NULL && r->is_exchange)
		return -ENOENT;
	/* Damaged rows may form a loop; they must not cause a deadlock. */
	if (r->src == r->from || (r->dst != NULL && r->dst == r->to)) {
		const struct inode *in = r->src == r->from ? r->from : r->to;

		return inode_bad_row(in->ino, (struct slice){ 0 },
		    -KVFS_ECORRUPT);
	}
	/* If both parents are the same, src cannot be above the new one. */
	if (r->from != r->to && inode_is_dir(r->src) &&
	    rename_is_above(r->src, r->to))
		return -EINVAL;
	if (r->from != r->to && r->dst != NULL && inode_is_dir(r->dst) &&
	    rename_is_above(r->dst, r->from))
		return r->is_exchange ? -EINVAL : -ENOTEMPTY;
	if (r->dst != NULL && !r->is_exchange && r->src != r->dst &&
	    inode_is_dir(r->src) != inode_is_dir(r->dst))
		return inode_is_dir(r->src) ? -ENOTDIR : -EISDIR;
	return 0;
}

/* Find src and dst, without locks. */
static int
find_named(struct fs *fs, struct rename *r)
{
	int rc;

	r->from_change = atomic_load_explicit(&r->from->commits.change,
	    memory_order_seq_cst);
	r->to_change = atomic_load_explicit(&r->to->commits.change,
	    memory_order_seq_cst);
	rc = inode_lookup(fs, r->from, r->name, &r->src);
	if (rc != 0)
		return rc;
	rc = inode_lookup(fs, r->to, r->newname, &r->dst);
	return rc == -ENOENT ? 0 : rc;
}

/* Commit contents that are too large for the batch of the rename. */
static int
commit_to_fit(struct fs *fs, struct inode *in) REQUIRES(&in->change_mu)
{
	int rc;

	mutex_lock(&in->mu);
	rc = content_commit_to_fit(fs, in);
	mutex_unlock(&in->mu);
	return rc;
}

/* Can names be added to and removed from both parents? It stays so until
 * their change_mu is released. */
static bool
take_names(struct rename *r)
{
	bool both;

	rename_lock_parent_fields(r);
	mutex_assert_held(&r->from->mu);
	mutex_assert_held(&r->to->mu);
	both = inode_takes_names(r->from) && inode_takes_names(r->to);
	rename_unlock_parent_fields(r);
	return both;
}

/* The caller holds change_mu of all four. */
static int
rename_named(struct fs *fs, struct rename *r)
{
	int rc;

	mutex_assert_held(&r->src->change_mu);
	rc = commit_to_fit(fs, r->src);

	if (rc == 0 && r->is_exchange) {
		mutex_assert_held(&r->dst->change_mu);
		rc = commit_to_fit(fs, r->dst);
	}
	if (rc < 0)
		return rc;
	rename_lock_parent_fields(r);
	rename_lock_named_fields(r);
	rename_assert_all(r);
	if (r->dst != NULL && !r->is_exchange && inode_is_dir(r->dst) &&
	    r->dst->rec.entries != 0)
		rc = -ENOTEMPTY;
	else
		rc = rename_batch(fs, r);
	rename_unlock_named_fields(r);
	rename_unlock_parent_fields(r);
	return rc;
}

/* The caller holds change_mu of both parents. -EAGAIN: the names have
 * changed. */
static int
rename_locked(struct fs *fs, struct rename *r, unsigned flags)
{
	int rc = 0;

	rename_assert_parents(r);
	if (!take_names(r))
		return -ENOENT;
	if (atomic_load_explicit(&r->from->commits.change,
		memory_order_seq_cst) != r->from_change ||
	    atomic_load_explicit(&r->to->commits.change,
		memory_order_seq_cst) != r->to_change) {
		rc = dir_check_name(fs, r->from, r->name, r->src);
		if (rc == 0)
			rc = dir_check_name(fs, r->to, r->newname, r->dst);
	}
	if (rc == 0)
		rc = rename_check(r, flags);
	if (rc != 0 || r->src == r->dst)
		return rc;
	rename_lock_named(r);
	rc = rename_named(fs, r);
	rename_unlock_named(r);
	return rc;
}

static int
lock_and_rename(struct fs *fs, struct rename *r, unsigned flags)
{
	int rc;

	rename_lock_parents(r);
	rc = rename_locked(fs, r, flags);
	rename_unlock_parents(r);
	return rc;
}

static int
rename_try(struct fs *fs, struct rename *r, unsigned flags)
{
	bool has_topology = r->from != r->to;
	int rc;

	rc = find_named(fs, r);
	if (rc != 0)
		goto out;
	if (r->dst != NULL && (inode_is_dir(r->src) || inode_is_dir(r->dst)))
		has_topology = true;
	if (has_topology) {
		mutex_lock(&fs->rename_mu);
		rc = lock_and_rename(fs, r, flags);
		mutex_unlock(&fs->rename_mu);
	} else {
		rc = lock_and_rename(fs, r, flags);
	}
	rc = txn_settle(fs, rc);
out:
	for (size_t i = 0; i < sizeof(r->old) / sizeof(r->old[0]); i++) {
		inode_put(fs, r->old[i]);
		r->old[i] = NULL;
	}
	inode_put(fs, r->src);
	inode_put(fs, r->dst);
	r->src = r->dst = NULL;
	return rc;
}

static int
rename_any(struct fs *fs, uint64_t parent, struct slice name,
    uint64_t newparent, struct slice newname, unsigned flags,
    const struct fs_cred *whiteout)
{
	struct rename r = {
		.name = name,
		.newname = newname,
		.whiteout = whiteout,
	};
	int rc;

	if (fs->read_only)
		return -EROFS;
	if ((flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0 ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	rc = name_check(name);
	if (rc == 0)
		rc = name_check(newname);
	if (rc == 0)
		rc = dir_get(fs, parent, &r.from);
	if (rc == 0)
		rc = dir_get(fs, newparent, &r.to);
	if (rc != 0)
		goto out;
	r.is_exchange = (flags & RENAME_EXCHANGE) != 0;
	do {
		rc = rename_try(fs, &r, flags);
	} while (rc == -EAGAIN);
out:
	inode_put(fs, r.from);
	inode_put(fs, r.to);
	return rc;
}

int
fs_rename(struct fs *fs, uint64_t parent, struct slice name, uint64_t newparent,
    struct slice newname, unsigned flags)
{
	return rename_any(fs, parent, name, newparent, newname, flags, NULL);
}

int
fs_rename_whiteout(struct fs *fs, uint64_t parent, struct slice name,
    uint64_t newparent, struct slice newname, unsigned flags,
    const struct fs_cred *cred)
{
	if ((flags & RENAME_EXCHANGE) != 0)
		return -EINVAL;
	return rename_any(fs, parent, name, newparent, newname, flags, cred);
}
