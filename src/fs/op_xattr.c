/* SPDX-License-Identifier: ISC */
/*
 * Extended attributes: a row each. The inode's attributes have their number,
 * so that no row is read for a file without any.
 */
#include <string.h>
#include <sys/xattr.h>

#include "fs/acl.h"
#include "fs/content.h"
#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/inode.h"
#include "fs/inode_commit.h"
#include "fs/xattr.h"

/* Is there such a row? 1, 0 or a negative errno. */
static int
has_row(struct fs *fs, const struct inode *in, struct slice name)
{
	struct kv_key key = key_xattr(in->ino, name);
	struct kv_value v;
	int rc;

	if (in->rec.nxattrs == 0)
		return 0;
	rc = kv_get(fs->kv, &key, NULL, &v);
	kv_value_release(&v);
	if (rc == -ENOENT)
		return 0;
	return rc < 0 ? rc : 1;
}

int
fs_getxattr(struct fs *fs, uint64_t ino, struct slice name, struct buf *value)
{
	struct kv_key key = key_xattr(ino, name);
	struct kv_value v = { 0 };
	struct inode *in;
	struct slice data;
	uint32_t n;
	int rc;

	rc = xattr_check_name(fs, name);
	if (rc < 0)
		return rc;
	rc = file_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	mutex_lock(&in->mu);
	n = in->rec.nxattrs;
	mutex_unlock(&in->mu);
	inode_put(fs, in);
	if (n == 0)
		return -ENODATA;
	rc = kv_get(fs->kv, &key, NULL, &v);
	if (rc == -ENOENT)
		return -ENODATA;
	if (rc == 0)
		rc = schema_get_bytes(v.data, &data);
	if (rc == 0) {
		buf_append_slice(value, data);
		rc = buf_error(value);
	}
	kv_value_release(&v);
	return inode_bad_row(ino, (struct slice){ 0 }, rc);
}

/* Commit a batch that has the attribute's row, with the inode's own row: more
 * is added to the number of attributes, and mode is set. */
static int
commit_count(struct fs *fs, struct txn *t, struct inode *in, int more,
    uint32_t mode) REQUIRES(&in->change_mu, &in->mu)
{
	struct attr_rec rec = in->rec;
	uint64_t seq;
	int rc;

	rec.nxattrs += (uint32_t)more;
	rec.mode = mode;
	rec.ctime = fs_now();
	rc = inode_put_row(fs, t, in, &rec, NULL);
	if (rc == 0)
		rc = inode_commit(fs, in, t, &seq);
	if (rc == 0) {
		if (in->content != NULL)
			in->content->ctime = rec.ctime;
		inode_row_committed(fs, in, &rec, seq);
	}
	return rc;
}

static int
set_locked(struct fs *fs, struct inode *in, struct slice name,
    struct slice value, int flags) REQUIRES(&in->change_mu, &in->mu)
{
	struct txn *t;
	int has, rc;

	mutex_assert_held(&in->change_mu);
	mutex_assert_held(&in->mu);
	if (in->state != INODE_LIVE)
		return -ESTALE;
	has = has_row(fs, in, name);
	if (has < 0)
		return has;
	if (has != 0 && (flags & XATTR_CREATE) != 0)
		return -EEXIST;
	if (has == 0 && (flags & XATTR_REPLACE) != 0)
		return -ENODATA;
	if (has == 0 && in->rec.nxattrs == UINT32_MAX)
		return -ENOSPC;
	t = txn_begin(fs);
	if (t == NULL)
		return -ENOMEM;
	txn_put_xattr(t, in->ino, name, value);
	rc = commit_count(fs, t, in, has == 0, in->rec.mode);
	txn_end(fs, t);
	return rc;
}

/* Set an access list, and the mode with it. A list that says no more than the
 * mode is not stored. */
static int
set_access_list(struct fs *fs, struct inode *in, struct slice name,
    struct slice value, int flags) REQUIRES(&in->change_mu, &in->mu)
{
	struct kv_key key = key_xattr(in->ino, name);
	bool is_minimal;
	struct txn *t;
	uint32_t mode;
	int has, rc;

	rc = acl_to_mode(value, &mode, &is_minimal);
	if (rc == 0 && in->state != INODE_LIVE)
		rc = -ESTALE;
	if (rc < 0)
		return rc;
	has = has_row(fs, in, name);
	if (has < 0)
		return has;
	t = txn_begin(fs);
	if (t == NULL)
		return -ENOMEM;
	mode |= in->rec.mode & ~0777u;
	if ((flags & FS_XATTR_KILL_SGID) != 0)
		mode &= ~(uint32_t)S_ISGID;
	if (!is_minimal)
		txn_put_xattr(t, in->ino, name, value);
	else if (has != 0)
		kv_batch_delete(&t->batch, &key);
	rc = commit_count(fs, t, in, !is_minimal - has, mode);
	txn_end(fs, t);
	return rc;
}

static int
set_any(struct fs *fs, struct inode *in, struct slice name, struct slice value,
    int flags) REQUIRES(&in->change_mu, &in->mu)
{
	bool is_minimal;
	uint32_t mode;
	int rc;

	switch (acl_kind(name)) {
	case ACL_ACCESS:
		return set_access_list(fs, in, name, value, flags);
	case ACL_DEFAULT:
		if (!inode_is_dir(in))
			return -EACCES;
		rc = acl_to_mode(value, &mode, &is_minimal);
		if (rc < 0)
			return rc;
		break;
	case ACL_NONE:
		break;
	}
	return set_locked(fs, in, name, value, flags);
}

int
fs_setxattr(struct fs *fs, uint64_t ino, struct slice name, struct slice value,
    int flags)
{
	unsigned tries = 0;
	struct inode *in;
	int rc;

	if (fs->read_only)
		return -EROFS;
	rc = xattr_check_name(fs, name);
	if (rc < 0)
		return rc;
	if ((flags & ~(XATTR_CREATE | XATTR_REPLACE | FS_XATTR_KILL_SGID)) != 0)
		return -EINVAL;
	if (value.len > FS_XATTR_SIZE_MAX)
		return -E2BIG;
	rc = space_ask(fs, KV_ROOM_ADD, value.len);
	if (rc < 0)
		return rc;
	rc = file_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	do {
		inode_begin_change(in);
		rc = set_any(fs, in, name, value, flags);
		inode_end_change(in);
	} while (space_retry(fs, rc, &tries));
	inode_put(fs, in);
	return txn_settle(fs, rc);
}

int
fs_listxattr(struct fs *fs, uint64_t ino, bool is_trusted, struct buf *names)
{
	struct kv_key key = key_xattr(ino, (struct slice){ 0 });
	struct kv_iter *it = NULL;
	struct inode *in;
	int rc;

	rc = file_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	/* The iterator is opened under the lock: a consistent list. */
	mutex_lock(&in->mu);
	if (in->rec.nxattrs != 0)
		rc = kv_iter_open(fs->kv, &key, KV_SCOPE_GROUP, NULL, &it);
	mutex_unlock(&in->mu);
	inode_put(fs, in);
	while (it != NULL && rc >= 0 && (rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		/* A store of an older version may have any names. */
		if (xattr_check_name(fs, key.name) < 0 ||
		    (!is_trusted && xattr_has_prefix(key.name, XATTR_TRUSTED)))
			continue;
		buf_append_slice(names, key.name);
		buf_put_u8(names, 0);
		rc = buf_error(names);
	}
	kv_iter_close(it);
	return rc;
}

int
fs_removexattr(struct fs *fs, uint64_t ino, struct slice name)
{
	struct kv_key key = key_xattr(ino, name);
	struct txn *t = NULL;
	struct inode *in;
	int rc;

	if (fs->read_only)
		return -EROFS;
	rc = xattr_check_name(fs, name);
	if (rc == 0)
		rc = file_get(fs, ino, &in);
	if (rc != 0)
		return rc;
	inode_begin_change(in);
	rc = has_row(fs, in, name);
	if (rc == 0)
		rc = -ENODATA;
	if (rc < 0)
		goto out;
	t = txn_begin(fs);
	rc = -ENOMEM;
	if (t != NULL) {
		kv_batch_delete(&t->batch, &key);
		rc = commit_count(fs, t, in, -1, in->rec.mode);
	}
	txn_end(fs, t);
out:
	inode_end_change(in);
	inode_put(fs, in);
	return txn_settle(fs, rc);
}
