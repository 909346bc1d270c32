/* SPDX-License-Identifier: ISC */
/*
 * The real file system as an env: directories, the names in them, and the table
 * of functions. Operations on open files are in env_posix_file.c. No other
 * source makes system calls on data files.
 */
#include "engine/env/env.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/env/env_posix_internal.h"

struct posix_dir {
	struct env_dir base;
	int fd;
};

static const struct env_dir_ops posix_dir_ops;

static struct posix_dir *
to_posix(struct env_dir *dir)
{
	return (struct posix_dir *)dir;
}

static int
open_retry(int at, const char *path, int flags)
{
	int fd;

	do
		fd = openat(at, path, flags | O_CLOEXEC, 0600);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

/* ---- Directories ---- */

/* Takes fd, also on failure. */
static int
dir_create(int fd, const char *path, struct env_dir **dirp)
{
	struct posix_dir *d = calloc(1, sizeof(*d));

	if (d != NULL)
		d->base.path = strdup(path);
	if (d == NULL || d->base.path == NULL) {
		free(d);
		close(fd);
		return -ENOMEM;
	}
	d->base.ops = &posix_dir_ops;
	d->fd = fd;
	*dirp = &d->base;
	return 0;
}

static int
posix_dir_open(struct env *env, const char *path, struct env_dir **dirp)
{
	int fd = open_retry(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);

	(void)env;
	return fd < 0 ? fd : dir_create(fd, path, dirp);
}

/* Make the directory name in parent, durably. Returns its descriptor. */
static int
make_in(int parent, const char *name)
{
	int fd;

	if (mkdirat(parent, name, 0700) != 0)
		return -errno;
	fd = open_retry(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (fd >= 0 && fsync(parent) != 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

static int
posix_dir_make(struct env *env, const char *path, struct env_dir **dirp)
{
	char above[PATH_MAX], last[PATH_MAX];
	int parent, fd;

	(void)env;
	/* basename(3) and dirname(3) may change their argument. */
	if (strlcpy(above, path, sizeof(above)) >= sizeof(above))
		return -ENAMETOOLONG;
	strlcpy(last, path, sizeof(last));
	parent = open_retry(AT_FDCWD, dirname(above), O_RDONLY | O_DIRECTORY);
	if (parent < 0)
		return parent;
	fd = make_in(parent, basename(last));
	close(parent);
	return fd < 0 ? fd : dir_create(fd, path, dirp);
}

static int
posix_dir_reopen(struct env_dir *dir, struct env_dir **dirp)
{
	int fd = open_retry(to_posix(dir)->fd, ".", O_RDONLY | O_DIRECTORY);

	return fd < 0 ? fd : dir_create(fd, dir->path, dirp);
}

static void
posix_dir_close(struct env_dir *dir)
{
	close(to_posix(dir)->fd);
	free(dir->path);
	free(dir);
}

static int
posix_dir_lock(struct env_dir *dir, enum env_lock_mode mode)
{
	static const int how[] = {
		[ENV_LOCK_NONE] = LOCK_UN,
		[ENV_LOCK_SHARED] = LOCK_SH | LOCK_NB,
		[ENV_LOCK_EXCLUSIVE] = LOCK_EX | LOCK_NB,
	};

	/* flock(2) is the only exclusive lock that a descriptor without write
	 * access can have. It belongs to the open file description, so that it
	 * also excludes a second open by this process. */
	if (flock(to_posix(dir)->fd, how[mode]) == 0)
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

static void
posix_dir_lockers(struct env_dir *dir, char *text, size_t len)
{
	posix_name_lockers(to_posix(dir)->fd, text, len);
}

static int
posix_dir_sync(struct env_dir *dir)
{
	return fsync(to_posix(dir)->fd) != 0 ? -errno : 0;
}

static int
posix_dir_list(struct env_dir *dir, int (*fn)(void *arg, const char *name),
    void *arg)
{
	/* A new description has its own read position. */
	int fd = open_retry(to_posix(dir)->fd, ".", O_RDONLY | O_DIRECTORY);
	struct dirent *de;
	DIR *d;
	int rc = 0;

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (d == NULL) {
		rc = -errno;
		close(fd);
		return rc;
	}
	while (rc >= 0) {
		errno = 0;
		de = readdir(d);
		if (de == NULL) {
			rc = -errno;
			break;
		}
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			rc = fn(arg, de->d_name);
	}
	closedir(d);
	return rc < 0 ? rc : 0;
}

static int
posix_dir_space(struct env_dir *dir, struct env_space *spacep)
{
	struct statvfs sv;

	*spacep = (struct env_space){ 0 };
	if (fstatvfs(to_posix(dir)->fd, &sv) != 0)
		return -errno;
	spacep->total_bytes = (uint64_t)sv.f_blocks * sv.f_frsize;
	spacep->free_bytes = (uint64_t)sv.f_bavail * sv.f_frsize;
	return 0;
}

static bool
posix_dir_keeps_blocks(struct env_dir *dir)
{
	return posix_keeps_blocks(to_posix(dir)->fd);
}

/* syncfs(2) ends a transaction. Its result does not matter here. */
static void
posix_dir_settle(struct env_dir *dir)
{
	int fd = to_posix(dir)->fd;

	if (!posix_keeps_blocks(fd))
		(void)syncfs(fd);
}

/* ---- Names in a directory ---- */

static int
posix_open(struct env_dir *dir, const char *name, unsigned flags,
    struct env_file **filep)
{
	bool is_writable = (flags & ENV_WRITE) != 0;
	int how = is_writable ? O_RDWR : O_RDONLY;
	int fd;

	if (flags & ENV_CREATE)
		how |= O_CREAT | O_EXCL;
	fd = open_retry(to_posix(dir)->fd, name, how);
	if (fd < 0)
		return fd;
	return posix_file_create(fd, is_writable, filep);
}

static int
posix_rename(struct env_dir *dir, const char *from, const char *to)
{
	int fd = to_posix(dir)->fd;

	return renameat(fd, from, fd, to) != 0 ? -errno : 0;
}

static int
posix_unlink(struct env_dir *dir, const char *name)
{
	return unlinkat(to_posix(dir)->fd, name, 0) != 0 ? -errno : 0;
}

static int
posix_names(struct env_dir *dir, const char *name, struct env_file *file)
{
	struct stat a, b;

	if (fstat(posix_file_fd(file), &b) != 0)
		return -errno;
	if (fstatat(to_posix(dir)->fd, name, &a, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -errno;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static const struct env_dir_ops posix_dir_ops = {
	.reopen = posix_dir_reopen,
	.close = posix_dir_close,
	.lock = posix_dir_lock,
	.lockers = posix_dir_lockers,
	.sync = posix_dir_sync,
	.list = posix_dir_list,
	.space = posix_dir_space,
	.settle = posix_dir_settle,
	.keeps_blocks = posix_dir_keeps_blocks,
	.open = posix_open,
	.rename = posix_rename,
	.unlink = posix_unlink,
	.names = posix_names,
};

static const struct env_ops posix_ops = {
	.dir_open = posix_dir_open,
	.dir_make = posix_dir_make,
};

struct env *
env_posix(void)
{
	static struct env env = { &posix_ops };

	return &env;
}
