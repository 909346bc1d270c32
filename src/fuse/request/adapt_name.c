/* SPDX-License-Identifier: ISC */
/*
 * Requests on names: lookup, create, link, unlink, rename. The name of the
 * control directory in the root, and the names in it, cannot be changed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fuse/control/control_dir.h"
#include "fuse/reply/reply.h"
#include "fuse/request/adapt.h"

static void
do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct connection *c = request_connection(req);
	struct fs_attr attr;
	int rc;

	if (control_reserves(parent, name)) {
		control_lookup(req, parent, name);
		return;
	}
	rc = fs_lookup(c->fs, parent, slice_str(name), &attr);
	if (rc == -ENOENT)
		reply_negative(req);
	else
		reply_entry(req, rc, &attr);
}

static void
do_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	struct connection *c = request_connection(req);

	if (control_owns(ino))
		control_forget(req, ino, n);
	else
		fs_forget(c->fs, ino, n);
	fuse_reply_none(req);
}

static void
do_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	struct connection *c = request_connection(req);

	for (size_t i = 0; i < count; i++) {
		if (control_owns(forgets[i].ino))
			control_forget(req, forgets[i].ino, forgets[i].nlookup);
		else
			fs_forget(c->fs, forgets[i].ino, forgets[i].nlookup);
	}
	fuse_reply_none(req);
}

static void
adapt_make(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    dev_t rdev)
{
	struct connection *c = request_connection(req);
	struct fs_cred cred = request_creator(req);
	struct fs_attr attr;
	int rc;

	if (control_reserves(parent, name)) {
		reply_status(req, -EPERM);
		return;
	}
	rc = fs_create(c->fs, parent, slice_str(name), mode, rdev, &cred,
	    &attr);
	reply_entry(req, rc, &attr);
}

static void
do_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    dev_t rdev)
{
	adapt_make(req, parent, name, mode, rdev);
}

static void
do_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	adapt_make(req, parent, name, (mode & ~(mode_t)S_IFMT) | S_IFDIR, 0);
}

static void
do_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
    const char *name)
{
	struct connection *c = request_connection(req);
	struct fs_cred cred = request_creator(req);
	struct fs_attr attr;
	int rc;

	if (control_reserves(parent, name)) {
		reply_status(req, -EPERM);
		return;
	}
	rc = fs_symlink(c->fs, parent, slice_str(name), slice_str(target),
	    &cred, &attr);
	reply_entry(req, rc, &attr);
}

static void
do_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct connection *c = request_connection(req);
	struct fs_attr attr;
	int rc;

	if (control_owns(ino) || control_reserves(parent, name)) {
		reply_status(req, -EPERM);
		return;
	}
	rc = fs_link(c->fs, ino, parent, slice_str(name), &attr);
	reply_entry(req, rc, &attr);
}

static void
do_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct connection *c = request_connection(req);

	if (control_reserves(parent, name))
		reply_status(req, -EPERM);
	else
		reply_status(req, fs_unlink(c->fs, parent, slice_str(name)));
}

static void
do_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct connection *c = request_connection(req);

	if (control_reserves(parent, name))
		reply_status(req, -EPERM);
	else
		reply_status(req, fs_rmdir(c->fs, parent, slice_str(name)));
}

static void
do_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
    fuse_ino_t newparent, const char *newname, unsigned flags)
{
	struct connection *c = request_connection(req);
	struct fs_cred cred = request_creator(req);
	int rc;

	if (control_reserves(parent, name) ||
	    control_reserves(newparent, newname))
		rc = -EPERM;
	else if ((flags & RENAME_WHITEOUT) != 0)
		rc = fs_rename_whiteout(c->fs, parent, slice_str(name),
		    newparent, slice_str(newname), flags & ~RENAME_WHITEOUT,
		    &cred);
	else
		rc = fs_rename(c->fs, parent, slice_str(name), newparent,
		    slice_str(newname), flags);
	reply_status(req, rc);
}

static void
do_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct connection *c = request_connection(req);
	struct buf target = { 0 };
	int rc;

	if (control_owns(ino)) {
		reply_status(req, -EINVAL);
		return;
	}
	rc = fs_readlink(c->fs, ino, &target);
	if (rc == 0)
		rc = buf_error(&target);
	reply_bytes(req, rc, buf_slice(&target));
	buf_fini(&target);
}

void
adapt_fill_name(struct fuse_lowlevel_ops *ops)
{
	ops->lookup = do_lookup;
	ops->forget = do_forget;
	ops->forget_multi = do_forget_multi;
	ops->mknod = do_mknod;
	ops->mkdir = do_mkdir;
	ops->symlink = do_symlink;
	ops->link = do_link;
	ops->unlink = do_unlink;
	ops->rmdir = do_rmdir;
	ops->rename = do_rename;
	ops->readlink = do_readlink;
}
