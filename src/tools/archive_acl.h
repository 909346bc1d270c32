/* SPDX-License-Identifier: ISC */
/* Access control lists, between an archive and the extended attributes in which
 * a file system has them. */
#ifndef KVFS_TOOLS_ARCHIVE_ACL_H
#define KVFS_TOOLS_ARCHIVE_ACL_H

#include "util/buf.h"

struct archive_entry;

#define ACL_ACCESS_NAME "system.posix_acl_access"
#define ACL_DEFAULT_NAME "system.posix_acl_default"

/* Append the attribute of the list that e has; nothing if it has none, or if
 * the mode says all. */
void archive_acl_get(struct archive_entry *e, bool is_default,
    struct buf *value);
/* Give e the list of an attribute of this name: false if it is none. */
bool archive_acl_put(struct archive_entry *e, struct slice name,
    struct slice value);

#endif
