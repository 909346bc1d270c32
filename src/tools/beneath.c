/* SPDX-License-Identifier: ISC */
/* See beneath.h. */
#include "tools/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/target.h"

void
beneath_init(struct beneath *b, int root)
{
	*b = (struct beneath){ .root = root, .near = -1 };
}

static void
drop_near(struct beneath *b)
{
	if (b->near >= 0)
		close(b->near);
	free(b->near_path);
	b->near = -1;
	b->near_path = NULL;
}

void
beneath_fini(struct beneath *b)
{
	drop_near(b);
	if (b->root >= 0)
		close(b->root);
	b->root = -1;
}

/* Open path, shorter than PATH_MAX, below the directory at. */
static int
open_step(int at, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
		    RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	long fd;

	path += strspn(path, "/");
	fd = syscall(SYS_openat2, at, *path != '\0' ? path : ".", &how,
	    sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

/* Open path in pieces, from the directory start, which stays open. */
static int
open_from(int start, const char *path, int flags)
{
	char piece[PATH_MAX];
	int at = start, fd;

	while (strlen(path) >= sizeof(piece)) {
		const char *end = memrchr(path, '/', sizeof(piece) - 1);

		if (end == NULL || end == path) {
			fd = -ENAMETOOLONG;
			goto out;
		}
		memcpy(piece, path, (size_t)(end - path));
		piece[end - path] = '\0';
		fd = open_step(at, piece, O_PATH | O_DIRECTORY);
		if (fd < 0)
			goto out;
		if (at != start)
			close(at);
		at = fd;
		path = end + 1;
	}
	fd = open_step(at, path, flags);
out:
	if (at != start)
		close(at);
	return fd;
}

int
beneath_open(struct beneath *b, const char *path, int flags)
{
	return open_from(b->root, path, flags);
}

int
beneath_open_parent(struct beneath *b, const char *key, char name[NAME_MAX + 1])
{
	char parent[KEY_MAX + NAME_MAX];
	size_t len = strlcpy(parent, key, sizeof(parent));
	char *slash;

	if (len >= sizeof(parent))
		return -ENAMETOOLONG;
	while (len > 0 && parent[len - 1] == '/')
		parent[--len] = '\0';
	slash = strrchr(parent, '/');
	if (strlcpy(name, slash == NULL ? parent : slash + 1, NAME_MAX + 1) >
	    NAME_MAX)
		return -ENAMETOOLONG;
	if (name[0] == '\0')
		return -EBUSY;
	if (slash == NULL)
		parent[0] = '\0';
	else
		*slash = '\0';
	return beneath_open(b, parent, O_PATH | O_DIRECTORY);
}

int
beneath_open_file(struct beneath *b, const char *path, int flags)
{
	size_t len = b->near >= 0 ? strlen(b->near_path) : 0;
	int fd = -ENOENT;

	if (len != 0 && strncmp(path, b->near_path, len) == 0)
		fd = open_from(b->near, path + len, flags);
	/* Another directory may have the path now. */
	return fd == -ENOENT ? beneath_open(b, path, flags) : fd;
}

int
beneath_open_dir(struct beneath *b, const char *path)
{
	int fd = beneath_open_file(b, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	drop_near(b);
	b->near = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (b->near >= 0 && asprintf(&b->near_path, "%s/", path) < 0) {
		b->near_path = NULL;
		drop_near(b);
	}
	return fd;
}
