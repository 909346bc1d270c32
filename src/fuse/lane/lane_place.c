/* SPDX-License-Identifier: ISC */
/*
 * See lane_place.h. Sockets are bound and tried by a short path through
 * /proc/self/fd, since an address holds 107 bytes.
 */
#include "fuse/lane/lane_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/bounded.h"

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif
#define SUFFIX ".lane"
#define BACKLOG 64

/* The address of name in the directory dir. */
static struct sockaddr_un
place_address(int dir, const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/%s", dir,
	    name);
	return un;
}

/* Open the directory at path, which is made if it is missing, if it can be
 * used: a descriptor, or a negative errno. */
static int
place_open_dir(const char *path)
{
	struct statfs fs;
	struct stat st;
	int fd = bounded_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

	if (fd == -ENOENT) {
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		fd = bounded_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == 0 && fstatfs(fd, &fs) == 0 &&
	    st.st_uid == geteuid() && (st.st_mode & 0022) == 0 &&
	    fs.f_type != FUSE_SUPER_MAGIC)
		return fd;
	close(fd);
	return -EPERM;
}

static bool
place_is_below(const char *path, const char *mountpoint)
{
	size_t len = strlen(mountpoint);

	return strncmp(path, mountpoint, len) == 0 &&
	    (path[len] == '/' || path[len] == '\0' || len == 1);
}

/* Find the directory; path gets its name. */
static int
place_find_dir(const char *mountpoint, char path[PATH_MAX])
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	unsigned uid = (unsigned)geteuid();
	int fd = -ENOENT;

	for (int i = 0; i < 4 && fd < 0; i++) {
		int n = -1;

		if (i == 0 && uid == 0)
			n = snprintf(path, PATH_MAX, "/run/kvfs");
		else if (i == 1 && uid != 0 && run != NULL && run[0] == '/')
			n = snprintf(path, PATH_MAX, "%s/kvfs", run);
		else if (i == 2 && uid != 0)
			n = snprintf(path, PATH_MAX, "/run/user/%u/kvfs", uid);
		else if (i == 3)
			n = snprintf(path, PATH_MAX, "/tmp/kvfs-%u", uid);
		if (n > 0 && n < PATH_MAX && !place_is_below(path, mountpoint))
			fd = place_open_dir(path);
	}
	return fd;
}

/* Remove the sockets of daemons that have ended. The directory is locked, so
 * each of the others is either bound and listening, or left. */
static void
place_clean(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct sockaddr_un un;
	struct dirent *de;
	size_t len;

	if (d == NULL && copy >= 0)
		close(copy);
	while (d != NULL && (de = readdir(d)) != NULL) {
		len = strlen(de->d_name);
		if (len < sizeof(SUFFIX) ||
		    strcmp(de->d_name + len - sizeof(SUFFIX) + 1, SUFFIX) != 0)
			continue;
		un = place_address(dir, de->d_name);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
		if (fd >= 0 &&
		    connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0 &&
		    errno == ECONNREFUSED)
			(void)unlinkat(dir, de->d_name, 0);
		if (fd >= 0)
			close(fd);
	}
	if (d != NULL)
		closedir(d);
}

static int
place_bind(int dir, const char *name)
{
	struct sockaddr_un un = place_address(dir, name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int
lane_place_listen(const char *mountpoint, char path[PATH_MAX])
{
	char name[64], dir_path[PATH_MAX];
	uint64_t chance;
	int dir = place_find_dir(mountpoint, dir_path), fd;

	path[0] = '\0';
	if (dir < 0)
		return dir;
	if (getrandom(&chance, sizeof(chance), 0) != sizeof(chance)) {
		close(dir);
		return -EIO;
	}
	snprintf(name, sizeof(name), "%ld-%016" PRIx64 SUFFIX, (long)getpid(),
	    chance);
	/* Held by others for an instant only. */
	(void)flock(dir, LOCK_EX);
	place_clean(dir);
	fd = place_bind(dir, name);
	close(dir);
	if (fd >= 0 &&
	    snprintf(path, PATH_MAX, "%s/%s", dir_path, name) >= PATH_MAX) {
		close(fd);
		fd = -ENAMETOOLONG;
	}
	return fd;
}
