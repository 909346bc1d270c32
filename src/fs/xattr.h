/* SPDX-License-Identifier: ISC */
/* Names of extended attributes. Any thread. */
#ifndef KVFS_FS_XATTR_H
#define KVFS_FS_XATTR_H

#include <stdbool.h>

#include "kvfs/slice.h"

struct fs;

/* Names that are listed for privileged users only. */
#define XATTR_TRUSTED "trusted."

/* May an attribute have this name? 0, -ERANGE, -EINVAL, -EOPNOTSUPP. */
int xattr_check_name(const struct fs *fs, struct slice name);
/* Does the name begin so? */
bool xattr_has_prefix(struct slice name, const char *prefix);

#endif
