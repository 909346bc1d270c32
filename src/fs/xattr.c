/* SPDX-License-Identifier: ISC */
/* See xattr.h. */
#include "fs/xattr.h"

#include <string.h>

#include "fs/acl.h"
#include "fs/fs_state.h"

/*
 * The prefixes of names that are stored. The kernel has checked the privileges
 * that they need (xattr(7)). For other names it checks nothing, so they are
 * refused.
 */
static const char *const namespaces[] = { "user.", XATTR_TRUSTED, "security." };

bool
xattr_has_prefix(struct slice name, const char *prefix)
{
	size_t len = strlen(prefix);

	return name.len >= len && memcmp(name.data, prefix, len) == 0;
}

int
xattr_check_name(const struct fs *fs, struct slice name)
{
	if (name.len == 0 || name.len > FS_NAME_MAX ||
	    memchr(name.data, '\0', name.len) != NULL)
		return -ERANGE;
	if (acl_kind(name) != ACL_NONE)
		return fs->acl ? 0 : -EOPNOTSUPP;
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++) {
		if (xattr_has_prefix(name, namespaces[i]))
			return name.len > strlen(namespaces[i]) ? 0 : -EINVAL;
	}
	return -EOPNOTSUPP;
}
