/* SPDX-License-Identifier: ISC */
/*
 * POSIX access control lists, in the form in which setxattr(2) passes
 * them: a version, then entries of tag, permissions and id. They are
 * stored as the attributes system.posix_acl_access and _default. Whoever
 * calls obeys them (the kernel does); here they are kept true to the mode,
 * checked, and inherited.
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

/* What kind of list the attribute of this name is. */
enum acl_kind acl_kind(struct slice name);

/*
 * An access list is about to be set: the mode that it asks for in *modep,
 * and whether that says it all. -EINVAL when it is not a valid list,
 * -EOPNOTSUPP for another version.
 */
int acl_to_mode(struct slice value, uint32_t *modep, bool *is_minimalp);

/* The mode of in changes to mode: put its access list, changed, in t. */
int acl_chmod(struct fs *fs, struct txn *t, struct inode *in, uint32_t mode)
    REQUIRES(&in->mu);

/* The lists of something new. */
struct acl_new {
	struct buf list; /* the directory's default one; empty: none */
	struct buf access; /* empty: none */
	bool has_default; /* list is inherited, by directories */
};

/*
 * Permissions of something new in dir into *rec: from dir's default list,
 * or without one from umask. End with acl_new_fini(), whatever is returned.
 */
int acl_inherit(struct fs *fs, struct inode *dir, uint32_t umask,
    struct attr_rec *rec, struct acl_new *n) REQUIRES(&dir->mu);
/* Put them in t, for inode ino. */
void acl_new_stage(struct txn *t, uint64_t ino, const struct acl_new *n);
void acl_new_fini(struct acl_new *n);

#endif
