/* SPDX-License-Identifier: ISC */
/*
 * The real file system behind engine/env.h: names, directories, the lock,
 * and the table of functions. What is done with open files stands in
 * env_posix_file.c. No other source makes system calls on data files.
 */
#include "engine/env.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/env_posix_internal.h"

static const struct env_ops posix_ops;

static int
open_retry(const char *path, int flags)
{
	int fd;

	do
		fd = open(path, flags | O_CLOEXEC, 0600);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

/* ---- Names ---- */

static int
posix_open(struct env *env, const char *path, unsigned flags,
    struct env_file **filep)
{
	bool is_writable = (flags & ENV_WRITE) != 0;
	int how = is_writable ? O_RDWR : O_RDONLY;
	int fd;

	(void)env;
	if (flags & ENV_CREATE)
		how |= O_CREAT | O_EXCL;
	fd = open_retry(path, how);
	if (fd < 0)
		return fd;
	return posix_file_create(&posix_ops, fd, is_writable, filep);
}

static int
posix_rename(struct env *env, const char *from, const char *to)
{
	(void)env;
	return rename(from, to) != 0 ? -errno : 0;
}

static int
posix_unlink(struct env *env, const char *path)
{
	(void)env;
	return unlink(path) != 0 ? -errno : 0;
}

static int
posix_link(struct env *env, const char *from, const char *to)
{
	(void)env;
	return link(from, to) != 0 ? -errno : 0;
}

static int
posix_mkdir(struct env *env, const char *path)
{
	(void)env;
	return mkdir(path, 0700) != 0 ? -errno : 0;
}

static int
posix_sync_dir(struct env *env, const char *path)
{
	int fd = open_retry(path, O_RDONLY | O_DIRECTORY);
	int rc;

	(void)env;
	if (fd < 0)
		return fd;
	rc = fsync(fd) != 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int
posix_list(struct env *env, const char *path,
    int (*fn)(void *arg, const char *name), void *arg)
{
	DIR *d = opendir(path);
	struct dirent *de;
	int rc = 0;

	(void)env;
	if (d == NULL)
		return -errno;
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
posix_space(struct env *env, const char *path, struct env_space *spacep)
{
	struct statvfs sv;

	(void)env;
	*spacep = (struct env_space){ 0 };
	if (statvfs(path, &sv) != 0)
		return -errno;
	spacep->total_bytes = (uint64_t)sv.f_blocks * sv.f_frsize;
	spacep->free_bytes = (uint64_t)sv.f_bavail * sv.f_frsize;
	return 0;
}

/* ---- Lock ---- */

/* Overwrites before it cuts: that needs no new block on a full disk. */
static int
store_lock_text(int fd, const char *text)
{
	size_t len = strlen(text);
	int rc = posix_write_all(fd, (const uint8_t *)text, len, 0);

	if (rc == -ENOSPC || rc == -EDQUOT)
		len = 0;
	else if (rc < 0)
		return rc;
	return ftruncate(fd, (off_t)len) != 0 ? -errno : 0;
}

static int
posix_lock(struct env *env, const char *path, const char *text,
    struct env_file **lockp)
{
	/* Belongs to the open description, so that a second open of this
	 * process is refused like one of another. */
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_retry(path, O_RDWR | O_CREAT);
	int rc = 0;

	(void)env;
	if (fd < 0)
		return fd;
	if (fcntl(fd, F_OFD_SETLK, &fl) != 0)
		rc = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	if (rc == 0 && text != NULL)
		rc = store_lock_text(fd, text);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return posix_file_create(&posix_ops, fd, true, lockp);
}

static const struct env_ops posix_ops = {
	.open = posix_open,
	.rename = posix_rename,
	.unlink = posix_unlink,
	.link = posix_link,
	.mkdir = posix_mkdir,
	.sync_dir = posix_sync_dir,
	.list = posix_list,
	.space = posix_space,
	.lock = posix_lock,
	.file_close = posix_file_close,
	.file_read = posix_file_read,
	.file_write = posix_file_write,
	.file_sync = posix_file_sync,
	.file_allocate = posix_file_allocate,
	.file_map = posix_file_map,
	.file_truncate = posix_file_truncate,
	.file_size = posix_file_size,
	.file_writeback = posix_file_writeback,
	.file_advise = posix_file_advise,
};

struct env *
env_posix(void)
{
	static struct env env = { &posix_ops };

	return &env;
}
