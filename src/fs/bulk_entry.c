/* SPDX-License-Identifier: ISC */
/* Bulk changes: inodes with the attributes of entries. */
#include "fs/bulk.h"

#include "fs/acl.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/new_inode.h"
#include "fs/xattr.h"

/* Add a row for the attribute, or replace that of the same name. */
static int
bulk_put_xattr(struct fs_bulk *b, struct bulk_inode *in, struct slice name,
    struct slice value)
{
	struct bulk_row *row;

	STAILQ_FOREACH (row, &in->xattrs, link)
		if (slice_eq(row->name, name))
			break;
	if (row == NULL) {
		row = bulk_alloc(b, sizeof(*row));
		if (row == NULL)
			return b->error;
		row->name = bulk_copy(b, name);
		STAILQ_INSERT_TAIL(&in->xattrs, row, link);
		in->rec.nxattrs++;
	}
	row->value = bulk_copy(b, value);
	b->bytes += name.len + value.len;
	return b->error;
}

static void
bulk_drop_xattr(struct bulk_inode *in, struct slice name)
{
	struct bulk_row *row;

	STAILQ_FOREACH (row, &in->xattrs, link) {
		if (!slice_eq(row->name, name))
			continue;
		STAILQ_REMOVE(&in->xattrs, row, bulk_row, link);
		in->rec.nxattrs--;
		return;
	}
}

/* One attribute of an entry; *aclp becomes the default list of a directory. */
static int
bulk_add_xattr(struct fs_bulk *b, struct bulk_inode *in,
    const struct fs_bulk_xattr *x, struct slice *aclp)
{
	enum acl_kind kind = acl_kind(x->name);
	bool is_minimal = false;
	uint32_t mode = 0;
	int rc = xattr_check_name(b->fs, x->name);

	if (rc == 0 && x->value.len > FS_XATTR_SIZE_MAX)
		rc = -E2BIG;
	if (rc == 0 && kind != ACL_NONE)
		rc = acl_to_mode(x->value, &mode, &is_minimal);
	if (rc == 0 && kind == ACL_DEFAULT && !S_ISDIR(in->rec.mode))
		rc = -EACCES;
	if (rc < 0)
		return rc;
	if (kind == ACL_ACCESS) {
		in->rec.mode = (in->rec.mode & ~0777u) | mode;
		if (is_minimal) {
			bulk_drop_xattr(in, x->name);
			return 0;
		}
	}
	rc = bulk_put_xattr(b, in, x->name, x->value);
	if (kind == ACL_DEFAULT && rc == 0)
		*aclp = bulk_copy(b, x->value);
	return rc;
}

static int
bulk_add_xattrs(struct fs_bulk *b, struct bulk_inode *in,
    const struct fs_bulk_entry *e, struct slice *aclp)
{
	int rc;

	for (size_t i = 0; i < e->nxattrs; i++) {
		rc = bulk_add_xattr(b, in, &e->xattrs[i], aclp);
		if (b->error < 0)
			return b->error;
		/* The file is worth having without it. */
		if (rc < 0)
			bulk_fail(b, e->path, e->tag, rc);
	}
	return 0;
}

/* What a new inode gets from the directory that it is in: its group, and its
 * access lists. */
static int
bulk_inherit(struct fs_bulk *b, struct bulk_dir *dir,
    const struct fs_bulk_entry *e, struct bulk_inode *in, struct slice *aclp)
{
	struct acl_new acl = { 0 };
	struct attr_rec up;
	int rc = 0;

	if (dir->live != NULL) {
		mutex_lock(&dir->live->mu);
		up = dir->live->rec;
		mutex_unlock(&dir->live->mu);
	} else {
		up = dir->made->rec;
	}
	if ((up.mode & S_ISGID) != 0 && (e->valid & FS_SET_GID) == 0)
		in->rec.gid = up.gid;
	if (dir->acl.len == 0 || S_ISLNK(e->mode) || !b->fs->acl)
		return 0;
	rc = acl_inherit_list(dir->acl, true, &in->rec, &acl);
	in->rec.nxattrs = 0;
	if (rc == 0 && acl.access.len != 0)
		rc = bulk_put_xattr(b, in, acl_name(ACL_ACCESS),
		    buf_slice(&acl.access));
	if (rc == 0 && acl.has_default) {
		*aclp = dir->acl;
		rc = bulk_put_xattr(b, in, acl_name(ACL_DEFAULT), dir->acl);
	}
	acl_new_fini(&acl);
	return rc;
}

/* *aclp: the default list that it has, if it is a directory. */
static int
bulk_make(struct fs_bulk *b, struct bulk_dir *dir,
    const struct fs_bulk_entry *e, struct slice *aclp, struct bulk_inode **inp)
{
	struct bulk_inode *in = bulk_alloc(b, sizeof(*in));
	int rc;

	*inp = in;
	*aclp = (struct slice){ 0 };
	if (in == NULL)
		return b->error;
	STAILQ_INIT(&in->chunks);
	STAILQ_INIT(&in->xattrs);
	in->rec = new_inode_rec(e->mode & (S_IFMT | 07777u),
	    (e->valid & FS_SET_UID) != 0 ? e->uid : b->opts.cred.uid,
	    (e->valid & FS_SET_GID) != 0 ? e->gid : b->opts.cred.gid);
	if ((e->valid & FS_SET_ATIME) != 0)
		in->rec.atime = e->atime;
	if ((e->valid & FS_SET_MTIME) != 0)
		in->rec.mtime = e->mtime;
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
		in->rec.rdev = e->rdev;
	if (S_ISLNK(e->mode)) {
		in->data = bulk_copy(b, e->target);
		in->rec.size = e->target.len;
		in->rec.inline_len = (uint32_t)e->target.len;
	}
	rc = bulk_inherit(b, dir, e, in, aclp);
	if (rc == 0)
		rc = bulk_add_xattrs(b, in, e, aclp);
	if (rc == 0)
		rc = new_inode_number(b->fs, &in->ino);
	if (rc == 0)
		STAILQ_INSERT_TAIL(&b->inodes, in, link);
	return rc;
}

static int
bulk_check_entry(const struct fs_bulk_entry *e)
{
	if (!schema_is_type(e->mode))
		return -EINVAL;
	if (S_ISLNK(e->mode) && e->target.len == 0)
		return -ENOENT;
	if (S_ISLNK(e->mode) && e->target.len > FS_SYMLINK_MAX)
		return -ENAMETOOLONG;
	if (((e->valid & FS_SET_ATIME) != 0 && !fs_time_is_valid(&e->atime)) ||
	    ((e->valid & FS_SET_MTIME) != 0 && !fs_time_is_valid(&e->mtime)))
		return -EINVAL;
	return 0;
}

int
bulk_make_inode(struct fs_bulk *b, struct bulk_dir *dir,
    const struct fs_bulk_entry *e, struct bulk_inode **inp)
{
	struct slice acl;
	int rc = bulk_check_entry(e);

	*inp = NULL;
	return rc < 0 ? rc : bulk_make(b, dir, e, &acl, inp);
}

int
bulk_make_dir(struct fs_bulk *b, struct bulk_dir *dir, struct slice name,
    const struct fs_bulk_entry *e, struct bulk_name **np)
{
	struct bulk_inode *in;
	struct bulk_dir *sub;
	struct slice acl;
	int rc = bulk_check_entry(e);

	*np = NULL;
	if (rc == 0)
		rc = bulk_make(b, dir, e, &acl, &in);
	if (rc < 0)
		return rc;
	sub = bulk_alloc(b, sizeof(*sub));
	if (sub == NULL)
		return b->error;
	sub->ino = in->ino;
	sub->made = in;
	sub->acl = acl;
	*np = bulk_add_name(b, dir, name, BULK_DIR);
	if (*np == NULL)
		return b->error;
	(*np)->in = in;
	(*np)->sub = sub;
	(*np)->path = bulk_copy(b, e->path);
	(*np)->tag = e->tag;
	return b->error;
}

int
bulk_set_live(struct fs_bulk *b, struct inode *in,
    const struct fs_bulk_entry *e)
{
	const struct fs_attr want = {
		.mode = e->mode,
		.uid = e->uid,
		.gid = e->gid,
		.atime = e->atime,
		.mtime = e->mtime,
	};
	struct fs_attr attr;
	int rc;

	/* Calls of fs.h want an inode that is in use. */
	inode_note_lookup(b->fs, in);
	rc = fs_setattr(b->fs, in->ino, &want, FS_SET_MODE | e->valid, &attr);
	for (size_t i = 0; i < e->nxattrs && rc == 0; i++)
		rc = fs_setxattr(b->fs, in->ino, e->xattrs[i].name,
		    e->xattrs[i].value, 0);
	/* The last times count, after its attributes and what is in it. */
	inode_forget(b->fs, in, 1);
	orphan_forgotten(b->fs, in);
	if (rc == 0)
		b->stored++;
	if (b->opts.inode_changed != NULL)
		b->opts.inode_changed(b->opts.arg, in->ino, false);
	return rc;
}
