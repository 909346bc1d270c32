/* SPDX-License-Identifier: ISC */
/* See file_attributes.h. */
#include "tools/file_attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Copy one attribute; one that may not be set, as some of security., is left
 * out. */
static int
copy_xattr(int from, int to, const char *name)
{
	ssize_t len = fgetxattr(from, name, NULL, 0);
	char *value;
	int rc = 0;

	if (len < 0)
		return errno == ENODATA || errno == EPERM || errno == EACCES ?
		    0 :
		    -errno;
	value = malloc((size_t)len + 1);
	if (value == NULL)
		return -ENOMEM;
	len = fgetxattr(from, name, value, (size_t)len);
	if (len < 0)
		rc = errno == ENODATA ? 0 : -errno;
	else if (fsetxattr(to, name, value, (size_t)len, 0) < 0 &&
	    errno != EPERM && errno != EACCES)
		rc = -errno;
	free(value);
	return rc;
}

static int
copy_xattrs(int from, int to)
{
	ssize_t len = flistxattr(from, NULL, 0);
	char *names;
	int rc = 0;

	if (len < 0)
		return errno == ENOTSUP ? 0 : -errno;
	names = malloc((size_t)len + 1);
	if (names == NULL)
		return -ENOMEM;
	len = flistxattr(from, names, (size_t)len);
	if (len < 0)
		rc = -errno;
	for (char *p = names; rc == 0 && p < names + len; p += strlen(p) + 1)
		rc = copy_xattr(from, to, p);
	free(names);
	return rc;
}

/* Only root may change the owner. The mode is set after that, since a change
 * of the owner clears set-id bits. */
int
file_copy_attributes(int from, int to, const struct stat *like)
{
	int rc = from >= 0 ? copy_xattrs(from, to) : 0;

	if (rc == 0 && fchown(to, like->st_uid, like->st_gid) < 0 &&
	    errno != EPERM)
		rc = -errno;
	if (rc == 0 && fchmod(to, like->st_mode & 07777) < 0)
		rc = -errno;
	return rc;
}
