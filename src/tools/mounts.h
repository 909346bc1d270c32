/* SPDX-License-Identifier: ISC */
/* Mounts of kvfs, as /proc/self/mountinfo lists them. */
#ifndef KVFS_TOOLS_MOUNTS_H
#define KVFS_TOOLS_MOUNTS_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct mount {
	char path[PATH_MAX];
	char source[PATH_MAX]; /* the store, unless -o fsname= was given */
	int id;
	dev_t dev; /* its minor number is that of the FUSE connection */
	bool is_kvfs; /* by its type, which -o subtype= may have changed */
	/* The path of a mount that lies on it, or "". */
	char on_it[PATH_MAX];
};

/* The topmost mount at path, which is canonical: 1; 0 when it is not of FUSE or
 * nothing is mounted there; or a negative errno. */
int mount_at(const char *path, struct mount *m);
/* Does another mount lie over one of kvfs at path, which is canonical? */
bool mount_is_covered(const char *path);
/* The last mount of kvfs whose source is store. */
int mount_of_source(const char *store, struct mount *m);

#endif
