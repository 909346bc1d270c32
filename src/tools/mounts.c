/* SPDX-License-Identifier: ISC */
/* See mounts.h. getmntent(3) undoes the kernel's escapes of blanks. */
#include "tools/mounts.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KVFS_TYPE "fuse.kvfs"

/* The last entry wins: it is the topmost. */
static int
find(const char *path, const char *source, struct mount *m)
{
	FILE *f = setmntent("/proc/self/mounts", "r");
	/* Paths of PATH_MAX are escaped to four times that. */
	static char line[10 * PATH_MAX];
	struct mntent ent;
	int found = 0;

	if (f == NULL)
		return -errno;
	while (getmntent_r(f, &ent, line, sizeof(line)) != NULL) {
		if (path != NULL && strcmp(ent.mnt_dir, path) != 0)
			continue;
		if (strcmp(ent.mnt_type, KVFS_TYPE) != 0) {
			/* Something else stands on top of it. */
			if (path != NULL)
				found = 0;
			continue;
		}
		if (source != NULL && strcmp(ent.mnt_fsname, source) != 0)
			continue;
		found = 1;
		if (m == NULL)
			continue;
		strlcpy(m->path, ent.mnt_dir, sizeof(m->path));
		strlcpy(m->source, ent.mnt_fsname, sizeof(m->source));
	}
	endmntent(f);
	return found;
}

int
mount_at(const char *path, struct mount *m)
{
	return find(path, NULL, m);
}

int
mount_of_source(const char *store, struct mount *m)
{
	return find(NULL, store, m);
}

int
mount_realpath(const char *path, char *out)
{
	char copy[PATH_MAX], parent[PATH_MAX], *slash;
	size_t len = strlcpy(copy, path, sizeof(copy));
	int n;

	if (len == 0)
		return -ENOENT;
	if (len >= sizeof(copy))
		return -ENAMETOOLONG;
	if (realpath(path, out) != NULL)
		return 0;
	if (errno != ENOTCONN && errno != EACCES && errno != EIO)
		return -errno;
	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	slash = strrchr(copy, '/');
	if (slash != NULL)
		*slash = '\0';
	if (realpath(slash == NULL ? "." :
		    slash == copy  ? "/" :
				     copy,
		parent) == NULL)
		return -errno;
	n = snprintf(out, PATH_MAX, "%s/%s",
	    strcmp(parent, "/") == 0 ? "" : parent,
	    slash == NULL ? copy : slash + 1);
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}
