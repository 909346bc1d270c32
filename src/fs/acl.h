/* SPDX-License-Identifier: ISC */
/*
 * POSIX access control lists, in the form in which setxattr(2) passes them: a
 * version, then entries of tag, permissions and id. They are stored as the
 * attributes system.posix_acl_access and _default. The kernel enforces them;
 * here they are checked, inherited, and kept equal to the mode.
 */
#ifndef KVFS_FS_ACL_H
#define KVFS_FS_ACL_H

#include "fs/inode.h"
#include "util/buf.h"

enum acl_kind {
	ACL_NONE, /* an attribute of another kind */
	ACL_ACCESS,
	ACL_DEFAULT,
};

/* Which list the attribute of this name is. */
enum acl_kind acl_kind(struct slice name);
/* The name of that list. */
struct slice acl_name(enum acl_kind kind);

/*
 * An access list is to be set. *modep: the permissions that it stands for;
 * *is_minimalp: the mode says all that it says. -EINVAL when it is not a valid
 * list, -EOPNOTSUPP for another version.
 */
int acl_to_mode(struct slice value, uint32_t *modep, bool *is_minimalp);

/* The mode of in changes to mode: add its access list, changed alike, to t.
 * Does nothing if in has no list. */
int acl_chmod(struct fs *fs, struct txn *t, struct inode *in, uint32_t mode)
    REQUIRES(&in->mu);

/* The lists of a new inode. */
struct acl_new {
	struct buf list; /* the directory's default one; empty: none */
	struct buf access; /* empty: none */
	bool has_default; /* list is inherited, by directories */
};

/*
 * Set the permissions in *rec of a new inode in dir: by dir's default list, or
 * without one by umask. *n gets its lists; free it with acl_new_fini(),
 * whatever is returned.
 */
int acl_inherit(struct fs *fs, struct inode *dir, uint32_t umask,
    struct attr_rec *rec, struct acl_new *n) REQUIRES(&dir->mu);
/* Append the default list of dir, if it has one. */
int acl_load_default(struct fs *fs, struct inode *dir, struct buf *list)
    REQUIRES(&dir->mu);
/* The same as acl_inherit() for a directory with this default list. is_exact:
 * as if chmod(2) with the mode followed. -KVFS_ECORRUPT: it is no list. */
int acl_inherit_list(struct slice list, bool is_exact, struct attr_rec *rec,
    struct acl_new *n);
/* Add them to t, for inode ino. */
void acl_new_stage(struct txn *t, uint64_t ino, const struct acl_new *n);
void acl_new_fini(struct acl_new *n);

#endif
