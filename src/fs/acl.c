/* SPDX-License-Identifier: ISC */
/* Access control lists; see acl.h. */
#include "fs/acl.h"

#include <string.h>

#include "fs/fs_state.h"
#include "fs/inode.h"

#define NAME_ACCESS "system.posix_acl_access"
#define NAME_DEFAULT "system.posix_acl_default"

/* The form of the attribute; all little-endian. Also in <linux/
 * posix_acl_xattr.h>, which Debian's headers do not all have. */
#define VERSION 2u
#define HEAD_BYTES 4u
#define ENTRY_BYTES 8u

enum tag {
	TAG_USER_OBJ = 0x01,
	TAG_USER = 0x02,
	TAG_GROUP_OBJ = 0x04,
	TAG_GROUP = 0x08,
	TAG_MASK = 0x10,
	TAG_OTHER = 0x20,
};

/* The entries that correspond to parts of the mode; NULL: there is none. */
struct parts {
	uint8_t *user, *group, *mask, *other;
	bool is_minimal; /* nothing beyond the mode */
};

static unsigned
tag_of(const uint8_t *entry)
{
	return entry[0] | (unsigned)entry[1] << 8;
}

static unsigned
perm_of(const uint8_t *entry)
{
	return entry[2] | (unsigned)entry[3] << 8;
}

static void
set_perm(uint8_t *entry, uint32_t perm)
{
	entry[2] = perm & 7;
	entry[3] = 0;
}

/* Are they in the order that the kernel demands: by tag, then by id? */
static bool
is_in_order(const uint8_t *before, const uint8_t *entry)
{
	unsigned a = tag_of(before), b = tag_of(entry);

	if (a != b)
		return a < b;
	return (b == TAG_USER || b == TAG_GROUP) &&
	    get_le32(before + 4) < get_le32(entry + 4);
}

static int
acl_parse(uint8_t *list, size_t len, struct parts *parts)
{
	uint8_t *e, *end = list + len;

	*parts = (struct parts){ .is_minimal = true };
	if (len < HEAD_BYTES || (len - HEAD_BYTES) % ENTRY_BYTES != 0)
		return -EINVAL;
	if (get_le32(list) != VERSION)
		return -EOPNOTSUPP;
	for (e = list + HEAD_BYTES; e < end; e += ENTRY_BYTES) {
		if (perm_of(e) > 7 ||
		    (e != list + HEAD_BYTES &&
			!is_in_order(e - ENTRY_BYTES, e)))
			return -EINVAL;
		switch (tag_of(e)) {
		case TAG_USER_OBJ:
			parts->user = e;
			break;
		case TAG_GROUP_OBJ:
			parts->group = e;
			break;
		case TAG_OTHER:
			parts->other = e;
			break;
		case TAG_MASK:
			parts->mask = e;
			parts->is_minimal = false;
			break;
		case TAG_USER:
		case TAG_GROUP:
			parts->is_minimal = false;
			break;
		default:
			return -EINVAL;
		}
	}
	if (parts->user == NULL || parts->group == NULL ||
	    parts->other == NULL || (!parts->is_minimal && parts->mask == NULL))
		return -EINVAL;
	return 0;
}

/* The entry that corresponds to the group bits of the mode. */
static uint8_t *
group_class(const struct parts *parts)
{
	return parts->mask != NULL ? parts->mask : parts->group;
}

static uint32_t
mode_of(const struct parts *parts)
{
	return perm_of(parts->user) << 6 | perm_of(group_class(parts)) << 3 |
	    perm_of(parts->other);
}

enum acl_kind
acl_kind(struct slice name)
{
	if (slice_eq(name, slice_str(NAME_ACCESS)))
		return ACL_ACCESS;
	if (slice_eq(name, slice_str(NAME_DEFAULT)))
		return ACL_DEFAULT;
	return ACL_NONE;
}

struct slice
acl_name(enum acl_kind kind)
{
	return slice_str(kind == ACL_DEFAULT ? NAME_DEFAULT : NAME_ACCESS);
}

int
acl_to_mode(struct slice value, uint32_t *modep, bool *is_minimalp)
{
	struct buf list = { 0 };
	struct parts parts;
	int rc;

	*modep = 0;
	*is_minimalp = false;
	buf_append_slice(&list, value);
	rc = buf_error(&list);
	if (rc == 0)
		rc = acl_parse(list.data, list.len, &parts);
	if (rc == 0) {
		*modep = mode_of(&parts);
		*is_minimalp = parts.is_minimal;
	}
	buf_fini(&list);
	return rc;
}

/* Append the stored list; nothing when there is none. */
static int
acl_load(struct fs *fs, const struct inode *in, const char *name,
    struct buf *list)
{
	struct kv_key key = key_xattr(in->ino, slice_str(name));
	struct slice data;
	struct kv_value v;
	int rc;

	if (in->rec.nxattrs == 0)
		return 0;
	rc = kv_get(fs->kv, &key, NULL, &v);
	if (rc == -ENOENT)
		return 0;
	if (rc == 0)
		rc = schema_get_bytes(v.data, &data);
	if (rc == 0) {
		buf_append_slice(list, data);
		rc = buf_error(list);
	}
	kv_value_release(&v);
	return inode_bad_row(in->ino, (struct slice){ 0 }, rc);
}

int
acl_chmod(struct fs *fs, struct txn *t, struct inode *in, uint32_t mode)
{
	struct buf list = { 0 };
	struct parts parts;
	int rc;

	rc = acl_load(fs, in, NAME_ACCESS, &list);
	if (rc == 0 && list.len != 0) {
		rc = acl_parse(list.data, list.len, &parts);
		if (rc < 0)
			rc = inode_bad_row(in->ino, slice_str(NAME_ACCESS),
			    -KVFS_ECORRUPT);
	}
	if (rc == 0 && list.len != 0) {
		set_perm(parts.user, mode >> 6);
		set_perm(group_class(&parts), mode >> 3);
		set_perm(parts.other, mode);
		txn_put_xattr(t, in->ino, slice_str(NAME_ACCESS),
		    buf_slice(&list));
	}
	buf_fini(&list);
	return rc;
}

int
acl_load_default(struct fs *fs, struct inode *dir, struct buf *list)
{
	return fs->acl ? acl_load(fs, dir, NAME_DEFAULT, list) : 0;
}

int
acl_inherit_list(struct slice list, bool is_exact, struct attr_rec *rec,
    struct acl_new *n)
{
	struct parts parts;
	uint8_t *group;
	uint32_t mode;
	int rc;

	buf_append_slice(&n->list, list);
	buf_append_slice(&n->access, list);
	rc = buf_error(&n->list);
	if (rc == 0)
		rc = buf_error(&n->access);
	if (rc < 0)
		return rc;
	rc = acl_parse(n->access.data, n->access.len, &parts);
	if (rc < 0)
		return -KVFS_ECORRUPT;
	/* Mode and list are intersected, or the mode decides. */
	group = group_class(&parts);
	mode = is_exact ? 0777 : mode_of(&parts);
	set_perm(parts.user, mode >> 6 & rec->mode >> 6);
	set_perm(group, mode >> 3 & rec->mode >> 3);
	set_perm(parts.other, mode & rec->mode);
	rec->mode = (rec->mode & ~0777u) | mode_of(&parts);
	if (parts.is_minimal)
		buf_clear(&n->access);
	n->has_default = S_ISDIR(rec->mode);
	rec->nxattrs = (n->access.len != 0) + n->has_default;
	return 0;
}

int
acl_inherit(struct fs *fs, struct inode *dir, uint32_t umask,
    struct attr_rec *rec, struct acl_new *n)
{
	struct buf list = { 0 };
	int rc;

	*n = (struct acl_new){ 0 };
	if (!fs->acl || S_ISLNK(rec->mode))
		return 0;
	rc = acl_load_default(fs, dir, &list);
	if (rc == 0 && list.len == 0) {
		rec->mode &= ~(umask & 0777u);
	} else if (rc == 0) {
		rc = acl_inherit_list(buf_slice(&list), false, rec, n);
		if (rc == -KVFS_ECORRUPT)
			inode_bad_row(dir->ino, slice_str(NAME_DEFAULT), rc);
	}
	buf_fini(&list);
	return rc;
}

void
acl_new_stage(struct txn *t, uint64_t ino, const struct acl_new *n)
{
	if (n->access.len != 0)
		txn_put_xattr(t, ino, slice_str(NAME_ACCESS),
		    buf_slice(&n->access));
	if (n->has_default)
		txn_put_xattr(t, ino, slice_str(NAME_DEFAULT),
		    buf_slice(&n->list));
}

void
acl_new_fini(struct acl_new *n)
{
	buf_fini(&n->list);
	buf_fini(&n->access);
}
