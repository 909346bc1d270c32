/* SPDX-License-Identifier: ISC */
/*
 * rename(2). One batch moves the row, changes both directories and takes
 * away what was replaced; the contents of what moves go in it or before
 * it, so that a file replaced by rename is old or new after a crash.
 *
 * Locks: fs.rename_mu when there are two parents, or when two inodes of
 * which one is a directory meet, so that no other thread can hold two
 * unrelated directories; then the right to change both parents, the upper
 * one first; then that to change what is named, directories before files,
 * then by number. What is named may be above a parent, so it is found before
 * anything is locked, and compared with the rows once the parents are.
 */
#include <fcntl.h>
#include <stdio.h>

#include "fs/content.h"
#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/inode.h"
#include "fs/inode_commit.h"
#include "fs/removal.h"
#include "util/stats.h"

struct rename {
	struct inode *from, *to; /* directories; to may be from */
	struct slice name, newname;
	struct inode *src, *dst; /* dst may be NULL */
	bool is_exchange;
	const struct fs_cred *whiteout; /* leave one, of this owner; or NULL */
	uint64_t from_change, to_change; /* before src and dst were found */
	struct inode *old[2]; /* to put once unlocked */
};

/* Whether upper is dir or above it. The shape of the tree stands still
 * under rename_mu. */
static bool
is_above(const struct inode *upper, const struct inode *dir)
{
	for (; dir != NULL; dir = dir->parent)
		if (dir == upper)
			return true;
	return false;
}

static void
lock_two(struct mutex *a, struct mutex *b) NO_THREAD_SAFETY
{
	mutex_lock(a);
	if (b != NULL && b != a)
		mutex_lock(b);
}

static void
unlock_two(struct mutex *a, struct mutex *b) NO_THREAD_SAFETY
{
	if (b != NULL && b != a)
		mutex_unlock(b);
	mutex_unlock(a);
}

/* NULL when there is none. */
static struct mutex *
mu_of(struct inode *in)
{
	return in != NULL ? &in->mu : NULL;
}

static struct mutex *
change_mu_of(struct inode *in)
{
	return in != NULL ? &in->change_mu : NULL;
}

static void
lock_parents(struct rename *r) NO_THREAD_SAFETY
{
	if (r->from != r->to &&
	    (is_above(r->to, r->from) ||
		(!is_above(r->from, r->to) && r->to->ino < r->from->ino)))
		lock_two(&r->to->change_mu, &r->from->change_mu);
	else
		lock_two(&r->from->change_mu, &r->to->change_mu);
}

static void
lock_named(struct rename *r) NO_THREAD_SAFETY
{
	bool swap = false;

	if (r->dst != NULL) {
		if (inode_is_dir(r->src) != inode_is_dir(r->dst))
			swap = inode_is_dir(r->dst);
		else
			swap = r->dst->ino < r->src->ino;
	}
	if (swap)
		lock_two(&r->dst->change_mu, &r->src->change_mu);
	else
		lock_two(&r->src->change_mu, change_mu_of(r->dst));
}

/* What can be said of src and dst before they are locked. */
static int
check(const struct rename *r, unsigned flags)
{
	if (r->dst != NULL && (flags & RENAME_NOREPLACE) != 0)
		return -EEXIST;
	if (r->dst == NULL && r->is_exchange)
		return -ENOENT;
	/* Rows that make a loop are damage, and must not lock us out. */
	if (r->src == r->from || r->dst == r->to) {
		const struct inode *in = r->src == r->from ? r->from : r->to;

		return inode_bad_row(in->ino, (struct slice){ 0 },
		    -KVFS_ECORRUPT);
	}
	/* Within one directory neither can be above it. */
	if (r->from != r->to && inode_is_dir(r->src) && is_above(r->src, r->to))
		return -EINVAL;
	if (r->from != r->to && r->dst != NULL && inode_is_dir(r->dst) &&
	    is_above(r->dst, r->from))
		return r->is_exchange ? -EINVAL : -ENOTEMPTY;
	if (r->dst != NULL && !r->is_exchange && r->src != r->dst &&
	    inode_is_dir(r->src) != inode_is_dir(r->dst))
		return inode_is_dir(r->src) ? -ENOTDIR : -EISDIR;
	return 0;
}

/* Put in's row at (dir, name), with its contents; *recp is what its
 * attributes will be. */
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

/* Count what each directory gains and loses. */
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
	/* In first: within one directory the count must not touch 0. */
	rc = dir_count(to, 1, src_dir);
	if (rc == 0)
		rc = dir_count(from, r->whiteout != NULL ? 0 : -1, -src_dir);
	if (rc == 0 && r->dst != NULL)
		rc = dir_count(to, -1, -dst_dir);
	return rc;
}

/* What stays at the old name: a device that overlayfs knows as nothing. */
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

/* Commit, while others may look at the directories; what is named has its row
 * moved and waits. */
static int
commit(struct fs *fs, const struct rename *r, struct txn *t,
    uint64_t *seqp) NO_THREAD_SAFETY
{
	int rc;

	unlock_two(&r->from->mu, &r->to->mu);
	rc = txn_commit_reserved(fs, t, seqp);
	lock_two(&r->from->mu, &r->to->mu);
	return rc;
}

/* The batch; everything is locked. */
static int
rename_in(struct fs *fs, struct rename *r) NO_THREAD_SAFETY
{
	struct timespec now = fs_now();
	struct dir_change from, other, *to;
	struct attr_rec src_rec, dst_rec;
	struct iname name = { 0 }, newname = { 0 };
	struct removal removal = { 0 };
	struct txn *t = NULL;
	uint64_t seq;
	int rc;

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
			rc = removal_stage(fs, t, r->dst, &now, &removal);
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
	atomic_fetch_add(&r->src->content_gen, 1);
	if (r->is_exchange)
		atomic_fetch_add(&r->dst->content_gen, 1);
	rc = commit(fs, r, t, &seq);
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
		count_add(fs, 1);
	counter_add(&fs->counters.renames, 1);
out:
	iname_fini(&name);
	iname_fini(&newname);
	txn_end(fs, t);
	return rc;
}

/* Find src and dst; nothing is locked. */
static int
find_named(struct fs *fs, struct rename *r)
{
	int rc;

	r->from_change = atomic_load(&r->from->change);
	r->to_change = atomic_load(&r->to->change);
	rc = inode_find(fs, r->from, r->name, &r->src);
	if (rc != 0)
		return rc;
	rc = inode_find(fs, r->to, r->newname, &r->dst);
	return rc == -ENOENT ? 0 : rc;
}

/* Whether name in dir is in still, or nothing when that is NULL. */
static int
check_name(struct fs *fs, struct inode *dir, struct slice name,
    const struct inode *in)
{
	struct kv_key key = key_dentry(dir->ino, name);
	struct dentry_row row;
	struct kv_value v;
	int rc;

	rc = kv_get(fs->kv, &key, NULL, &v);
	if (rc == -ENOENT)
		return in == NULL ? 0 : -EAGAIN;
	if (rc < 0)
		return rc;
	rc = schema_get_dentry(v.data, &row);
	kv_value_release(&v);
	if (rc < 0)
		return inode_bad_row(dir->ino, name, rc);
	return in != NULL && row.ino == in->ino ? 0 : -EAGAIN;
}

/* Contents that are too many to go with the rename's batch, before it. */
static int
commit_to_ride(struct fs *fs, struct inode *in) REQUIRES(&in->change_mu)
{
	int rc;

	mutex_lock(&in->mu);
	rc = content_commit_to_ride(fs, in);
	mutex_unlock(&in->mu);
	return rc;
}

/* Whether both parents can lose and get names, which stays so. */
static bool
take_names(struct rename *r) NO_THREAD_SAFETY
{
	bool both;

	lock_two(&r->from->mu, &r->to->mu);
	both = inode_takes_names(r->from) && inode_takes_names(r->to);
	unlock_two(&r->from->mu, &r->to->mu);
	return both;
}

/* With the right to change all four. */
static int
rename_named(struct fs *fs, struct rename *r) NO_THREAD_SAFETY
{
	int rc = commit_to_ride(fs, r->src);

	if (rc == 0 && r->is_exchange)
		rc = commit_to_ride(fs, r->dst);
	if (rc < 0)
		return rc;
	lock_two(&r->from->mu, &r->to->mu);
	lock_two(&r->src->mu, mu_of(r->dst));
	if (r->dst != NULL && !r->is_exchange && inode_is_dir(r->dst) &&
	    r->dst->rec.entries != 0)
		rc = -ENOTEMPTY;
	else
		rc = rename_in(fs, r);
	unlock_two(&r->src->mu, mu_of(r->dst));
	unlock_two(&r->from->mu, &r->to->mu);
	return rc;
}

/* With the right to change both parents. -EAGAIN: the names have changed. */
static int
rename_locked(struct fs *fs, struct rename *r, unsigned flags) NO_THREAD_SAFETY
{
	int rc = 0;

	if (!take_names(r))
		return -ENOENT;
	if (atomic_load(&r->from->change) != r->from_change ||
	    atomic_load(&r->to->change) != r->to_change) {
		rc = check_name(fs, r->from, r->name, r->src);
		if (rc == 0)
			rc = check_name(fs, r->to, r->newname, r->dst);
	}
	if (rc == 0)
		rc = check(r, flags);
	if (rc != 0 || r->src == r->dst)
		return rc;
	lock_named(r);
	rc = rename_named(fs, r);
	unlock_two(&r->src->change_mu, change_mu_of(r->dst));
	return rc;
}

static int
rename_try(struct fs *fs, struct rename *r, unsigned flags) NO_THREAD_SAFETY
{
	bool has_topology = r->from != r->to;
	int rc;

	rc = find_named(fs, r);
	if (rc != 0)
		goto out;
	if (r->dst != NULL && (inode_is_dir(r->src) || inode_is_dir(r->dst)))
		has_topology = true;
	if (has_topology)
		mutex_lock(&fs->rename_mu);
	lock_parents(r);
	rc = rename_locked(fs, r, flags);
	unlock_two(&r->from->change_mu, &r->to->change_mu);
	if (has_topology)
		mutex_unlock(&fs->rename_mu);
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
