/* SPDX-License-Identifier: ISC */
/*
 * Lookup and creation of names: lookup, create, symlink, tmpfile. Links are in
 * op_link.c, removal and renames in op_remove.c and op_rename.c.
 */
#include "fs/acl.h"
#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_lookup.h"
#include "fs/inode_attr.h"
#include "fs/inode_commit.h"
#include "util/stats.h"

int
fs_lookup(struct fs *fs, uint64_t parent, struct slice name,
    struct fs_attr *attrp)
{
	struct inode *dir, *in;
	int rc;

	*attrp = (struct fs_attr){ 0 };
	if (name.len > FS_NAME_MAX)
		return -ENAMETOOLONG;
	rc = dir_get(fs, parent, &dir);
	if (rc < 0)
		return rc;
	counter_add(&fs->counters.lookups, 1);
	rc = inode_lookup_lock(fs, dir, name, &in);
	if (rc == 0) {
		mutex_assert_held(&in->mu);
		inode_note_lookup(fs, in);
		inode_attr(in, attrp);
		mutex_unlock(&in->mu);
		inode_put(fs, in);
	}
	inode_put(fs, dir);
	return rc;
}

void
fs_forget(struct fs *fs, uint64_t ino, uint64_t n)
{
	struct inode *in = inode_get(fs, ino);

	if (in == NULL || n == 0)
		goto out;
	inode_forget(fs, in, n);
	orphan_forgotten(fs, in);
out:
	inode_put(fs, in);
}

/* Set owner, set-gid bit and permissions of a new inode in dir, by POSIX. */
static int
name_inherit(struct fs *fs, struct inode *dir, const struct fs_cred *cred,
    struct attr_rec *rec, struct acl_new *acl) REQUIRES(&dir->mu)
{
	if ((dir->rec.mode & S_ISGID) != 0) {
		rec->gid = dir->rec.gid;
		if (S_ISDIR(rec->mode))
			rec->mode |= S_ISGID;
	}
	return acl_inherit(fs, dir, cred->umask, rec, acl);
}

/*
 * Make a new inode with one lookup, referenced. It is in the table before its
 * row is committed, so that a thread that finds the row need not read it.
 */
static int
add_inode(struct fs *fs, uint64_t ino, struct inode *parent, struct slice name,
    const struct attr_rec *rec, struct inode **inp) UNSHARED
{
	struct inode *in = inode_alloc(ino);
	int rc;

	*inp = NULL;
	if (in == NULL)
		return -ENOMEM;
	mutex_assert_free(&in->mu);
	rc = inode_fill(fs, in, parent, name, rec);
	if (rc < 0) {
		inode_free(in);
		return rc;
	}
	in->tombstones = 0;
	if (!inode_insert(fs, in)) {
		/* The number is new: only a damaged row can have it too. */
		if (parent != NULL)
			inode_put(fs, parent);
		inode_free(in);
		inode_bad_row(ino, (struct slice){ 0 }, -KVFS_ECORRUPT);
		return -KVFS_ECORRUPT;
	}
	inode_note_lookup(fs, in);
	*inp = in;
	return 0;
}

/* Undo add_inode() after a failed commit. */
static void
discard_inode(struct fs *fs, struct inode *in)
{
	inode_begin_change(in);
	in->state = INODE_DELETED;
	inode_end_change(in);
	inode_forget(fs, in, 1);
	inode_put(fs, in);
}

/* The batch of name_create(). */
static int
create_in(struct fs *fs, struct inode *dir, struct slice name,
    const struct fs_cred *cred, uint64_t ino, struct attr_rec *rec,
    struct slice data, struct inode **inp) REQUIRES(&dir->change_mu, &dir->mu)
{
	struct dir_change change;
	struct acl_new acl = { 0 };
	struct txn *t = NULL;
	uint64_t seq;
	int rc;

	if (!inode_takes_names(dir))
		return -ENOENT;
	dir_begin(&change, dir, &rec->btime);
	rc = dir_count(&change, 1, S_ISDIR(rec->mode));
	if (rc < 0)
		return rc;
	rc = name_inherit(fs, dir, cred, rec, &acl);
	if (rc == 0)
		rc = add_inode(fs, ino, dir, name, rec, inp);
	if (rc != 0)
		goto out;
	t = txn_begin(fs);
	if (t == NULL) {
		rc = -ENOMEM;
		goto out;
	}
	txn_put_dentry(t, dir->ino, name, (*inp)->ino, rec, data);
	acl_new_stage(t, (*inp)->ino, &acl);
	rc = dir_stage(fs, t, &change);
	if (rc == 0)
		rc = inode_commit(fs, dir, t, &seq);
	if (rc != 0)
		goto out;
	dir_commit(fs, &change, seq);
	atomic_store_explicit(&(*inp)->commits.seq, seq, memory_order_seq_cst);
	inode_count_add(fs, 1);
	counter_add(&fs->counters.creates, 1);
out:
	acl_new_fini(&acl);
	txn_end(fs, t);
	return rc;
}

static int
create_name(struct fs *fs, struct inode *dir, struct slice name,
    const struct fs_cred *cred, struct attr_rec rec, struct slice data,
    struct inode **inp)
{
	uint64_t ino;
	int rc;

	*inp = NULL;
	mutex_lock(&dir->change_mu);
	rc = dir_has_no(fs, dir, name);
	/* new_inode_number() may commit, so dir->mu is not held yet. */
	if (rc == 0)
		rc = new_inode_number(fs, &ino);
	if (rc == 0) {
		mutex_lock(&dir->mu);
		rc = create_in(fs, dir, name, cred, ino, &rec, data, inp);
		mutex_unlock(&dir->mu);
	}
	mutex_unlock(&dir->change_mu);
	if (rc != 0 && *inp != NULL) {
		discard_inode(fs, *inp);
		*inp = NULL;
	}
	return rc;
}

static int
name_create(struct fs *fs, uint64_t parent, struct slice name,
    const struct fs_cred *cred, struct attr_rec rec, struct slice data,
    struct fs_attr *attrp)
{
	struct inode *dir, *in;
	unsigned tries = 0;
	int rc;

	*attrp = (struct fs_attr){ 0 };
	if (fs->read_only)
		return -EROFS;
	rc = name_check(name);
	if (rc == 0)
		rc = space_ask(fs, KV_ROOM_ADD, data.len);
	if (rc < 0)
		return rc;
	rc = dir_get(fs, parent, &dir);
	if (rc < 0)
		return rc;
	do
		rc = create_name(fs, dir, name, cred, rec, data, &in);
	while (space_retry(fs, rc, &tries));
	inode_put(fs, dir);
	rc = txn_settle(fs, rc);
	if (in == NULL)
		return rc;
	if (rc < 0) {
		inode_forget(fs, in, 1);
		orphan_forgotten(fs, in);
	} else {
		mutex_lock(&in->mu);
		inode_attr(in, attrp);
		mutex_unlock(&in->mu);
	}
	inode_put(fs, in);
	return rc;
}

int
fs_create(struct fs *fs, uint64_t parent, struct slice name, uint32_t mode,
    uint64_t rdev, const struct fs_cred *cred, struct fs_attr *attrp)
{
	struct attr_rec rec;

	*attrp = (struct fs_attr){ 0 };
	if ((mode & S_IFMT) == 0)
		mode |= S_IFREG;
	if (!schema_is_type(mode) || S_ISLNK(mode))
		return -EINVAL;
	rec = new_inode_rec(mode & (S_IFMT | 07777u), cred->uid, cred->gid);
	if (S_ISCHR(mode) || S_ISBLK(mode))
		rec.rdev = rdev;
	return name_create(fs, parent, name, cred, rec, (struct slice){ 0 },
	    attrp);
}

int
fs_symlink(struct fs *fs, uint64_t parent, struct slice name,
    struct slice target, const struct fs_cred *cred, struct fs_attr *attrp)
{
	struct attr_rec rec;

	*attrp = (struct fs_attr){ 0 };
	if (target.len == 0)
		return -ENOENT;
	if (target.len > FS_SYMLINK_MAX)
		return -ENAMETOOLONG;
	rec = new_inode_rec(S_IFLNK | 0777, cred->uid, cred->gid);
	rec.size = target.len;
	rec.inline_len = (uint32_t)target.len;
	return name_create(fs, parent, name, cred, rec, target, attrp);
}

int
fs_readlink(struct fs *fs, uint64_t ino, struct buf *target)
{
	struct kv_value pin = { 0 };
	struct inode *in;
	struct slice data;
	int rc;

	rc = file_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	mutex_lock(&in->mu);
	if (!S_ISLNK(in->type))
		rc = -EINVAL;
	else if (in->state != INODE_LIVE)
		rc = -ESTALE;
	else
		rc = inode_get_inline(fs, in, &pin, &data);
	if (rc == 0) {
		buf_append_slice(target, data);
		rc = buf_error(target);
		inode_accessed(fs, in);
	}
	mutex_unlock(&in->mu);
	kv_value_release(&pin);
	inode_put(fs, in);
	return rc;
}

static int
tmpfile_create(struct fs *fs, uint64_t parent, uint32_t mode,
    const struct fs_cred *cred, struct fs_attr *attrp)
{
	struct inode *dir, *in = NULL;
	struct acl_new acl = { 0 };
	struct attr_rec rec;
	struct txn *t = NULL;
	uint64_t seq, ino;
	int rc;

	rc = dir_get(fs, parent, &dir);
	if (rc < 0)
		return rc;
	rec = new_inode_rec(S_IFREG | (mode & 07777u), cred->uid, cred->gid);
	rec.nlink = 0;
	mutex_lock(&dir->mu);
	rc = inode_takes_names(dir) ? name_inherit(fs, dir, cred, &rec, &acl) :
				      -ENOENT;
	mutex_unlock(&dir->mu);
	inode_put(fs, dir);
	if (rc == 0)
		rc = new_inode_number(fs, &ino);
	if (rc == 0)
		rc = add_inode(fs, ino, NULL, (struct slice){ 0 }, &rec, &in);
	if (rc != 0)
		goto out;
	t = txn_begin(fs);
	if (t != NULL) {
		txn_put_inode(t, in->ino, &rec, (struct slice){ 0 });
		acl_new_stage(t, in->ino, &acl);
		txn_put_orphan(t, in->ino);
		rc = txn_commit(fs, t, &seq);
	} else {
		rc = -ENOMEM;
	}
	txn_end(fs, t);
	if (rc != 0) {
		discard_inode(fs, in);
		goto out;
	}
	atomic_store_explicit(&in->commits.seq, seq, memory_order_seq_cst);
	if (!fs->caller.stateless)
		inode_hold(fs, in);
	inode_begin_change(in);
	in->opens.n = !fs->caller.stateless;
	in->is_linkable = in->is_nameless = true;
	inode_attr(in, attrp);
	inode_end_change(in);
	inode_count_add(fs, 1);
	counter_add(&fs->counters.creates, 1);
	rc = txn_settle(fs, 0);
	if (rc < 0) {
		fs_release(fs, in->ino);
		fs_forget(fs, in->ino, 1);
	}
	inode_put(fs, in);
out:
	acl_new_fini(&acl);
	return txn_settle(fs, rc);
}

int
fs_tmpfile(struct fs *fs, uint64_t parent, uint32_t mode,
    const struct fs_cred *cred, struct fs_attr *attrp)
{
	unsigned tries = 0;
	int rc;

	*attrp = (struct fs_attr){ 0 };
	if (fs->read_only)
		return -EROFS;
	rc = space_ask(fs, KV_ROOM_ADD, 0);
	if (rc < 0)
		return rc;
	do
		rc = tmpfile_create(fs, parent, mode, cred, attrp);
	while (space_retry(fs, rc, &tries));
	return rc;
}
