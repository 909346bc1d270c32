/* SPDX-License-Identifier: ISC */
/*
 * A mounted store: ordinary file calls below the mountpoint (beneath.h), and
 * its control directory (mount_control.h).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/beneath.h"
#include "tools/file_attributes.h"
#include "tools/mount_control.h"
#include "tools/target_ops.h"

struct target_mount {
	struct target base;
	struct beneath files;
	int backup; /* open descriptor, or -1 */
};

static struct beneath *
files_of(struct target *t)
{
	return &((struct target_mount *)t)->files;
}

static int
mount_stat(struct target *t, const char *key, struct stat *stp)
{
	int fd = beneath_open(files_of(t), key, O_PATH | O_NOFOLLOW);
	char name[NAME_MAX + 1];
	int rc = 0;

	if (fd == -ELOOP) {
		/* The last component may be a symbolic link, which is not
		 * followed. */
		fd = beneath_open_parent(files_of(t), key, name);
		if (fd < 0)
			return fd;
		if (fstatat(fd, name, stp, AT_SYMLINK_NOFOLLOW) < 0)
			rc = -errno;
	} else if (fd < 0) {
		return fd;
	} else if (fstat(fd, stp) < 0) {
		rc = -errno;
	}
	close(fd);
	return rc;
}

static mode_t
entry_type(DIR *dir, const struct dirent *de)
{
	struct stat st;

	if (de->d_type != DT_UNKNOWN)
		return DTTOIF(de->d_type);
	if (fstatat(dirfd(dir), de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return st.st_mode & S_IFMT;
}

static int
mount_list(struct target *t, const char *key, target_entry_fn fn, void *arg)
{
	int fd = beneath_open_dir(files_of(t), key), rc = 0;
	struct target_entry e;
	struct dirent *de;
	DIR *dir;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (dir == NULL) {
		rc = -errno;
		close(fd);
		return rc;
	}
	while (rc >= 0) {
		errno = 0;
		de = readdir(dir);
		if (de == NULL) {
			rc = -errno;
			break;
		}
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		e.name = de->d_name;
		e.type = entry_type(dir, de);
		rc = fn(arg, &e);
	}
	closedir(dir);
	return rc < 0 ? rc : 0;
}

static int
mount_readlink(struct target *t, const char *key, char *buf, size_t len)
{
	char name[NAME_MAX + 1];
	int fd = beneath_open_parent(files_of(t), key, name), rc = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = readlinkat(fd, name, buf, len - 1);
	if (n < 0)
		rc = -errno;
	else
		buf[n] = '\0';
	close(fd);
	return rc;
}

static int
mount_open(struct target *t, const char *key, bool create, mode_t mode,
    struct target_file *f)
{
	char name[NAME_MAX + 1];
	struct stat st;
	int fd, dir;

	if (create) {
		dir = beneath_open_parent(files_of(t), key, name);
		if (dir < 0)
			return dir;
		fd = openat(dir, name,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd < 0)
			fd = -errno;
		close(dir);
	} else {
		/* O_NONBLOCK: the open of a FIFO must not wait. */
		fd = beneath_open_file(files_of(t), key,
		    O_NOFOLLOW | O_RDONLY | O_NONBLOCK);
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	}
	f->fd = fd;
	return 0;
}

static ssize_t
mount_read(struct target *t, struct target_file *f, void *buf, size_t len,
    uint64_t off)
{
	ssize_t n = pread(f->fd, buf, len, (off_t)off);

	(void)t;
	return n < 0 ? -errno : n;
}

static ssize_t
mount_write(struct target *t, struct target_file *f, const void *buf,
    size_t len, uint64_t off)
{
	ssize_t n = pwrite(f->fd, buf, len, (off_t)off);

	(void)t;
	return n < 0 ? -errno : n;
}

static int
mount_copy_attributes(struct target *t, struct target_file *f, const char *key,
    const struct stat *like)
{
	int from = beneath_open(files_of(t), key,
	    O_NOFOLLOW | O_RDONLY | O_NONBLOCK);
	int rc = file_copy_attributes(from, f->fd, like);

	if (from >= 0)
		close(from);
	return rc;
}

static int
mount_close_file(struct target *t, struct target_file *f)
{
	(void)t;
	return close(f->fd) < 0 ? -errno : 0;
}

static int
mount_mkdir(struct target *t, const char *key)
{
	char name[NAME_MAX + 1];
	int fd = beneath_open_parent(files_of(t), key, name), rc;

	if (fd < 0)
		return fd;
	rc = mkdirat(fd, name, 0777) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int
mount_remove(struct target *t, const char *key, bool directory)
{
	char name[NAME_MAX + 1];
	int fd = beneath_open_parent(files_of(t), key, name), rc;

	if (fd < 0)
		return fd;
	rc = unlinkat(fd, name, directory ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int
mount_rename(struct target *t, const char *from, const char *to)
{
	char from_name[NAME_MAX + 1], to_name[NAME_MAX + 1];
	int from_fd = beneath_open_parent(files_of(t), from, from_name), to_fd,
	    rc;

	if (from_fd < 0)
		return from_fd;
	to_fd = beneath_open_parent(files_of(t), to, to_name);
	rc = to_fd;
	if (to_fd >= 0) {
		rc = renameat(from_fd, from_name, to_fd, to_name) < 0 ? -errno :
									0;
		close(to_fd);
	}
	close(from_fd);
	return rc;
}

static void
mount_backup_end(struct target *t)
{
	struct target_mount *m = (struct target_mount *)t;

	if (m->backup >= 0)
		close(m->backup);
	m->backup = -1;
}

/*
 * Sync first: the kernel writes its dirty pages to the daemon, which commits
 * them with all other dirty contents. The backup is that of its first use, and
 * to ask for its end is one. O_DIRECT: it is read once, so the kernel need not
 * keep it.
 */
static int
mount_backup_begin(struct target *t)
{
	struct target_mount *m = (struct target_mount *)t;
	int root = beneath_open(files_of(t), "", O_RDONLY | O_DIRECTORY);

	if (root < 0)
		return root;
	(void)syncfs(root);
	close(root);
	m->backup = beneath_open(files_of(t), CONTROL_DIR "/backup",
	    O_RDONLY | O_DIRECT);
	if (m->backup < 0)
		return m->backup == -ENOENT ? -ENOTSUP : m->backup;
	if (lseek(m->backup, 0, SEEK_END) < 0) {
		int err = errno;

		mount_backup_end(t);
		return -err;
	}
	/* An unmount then waits only for the backup's descriptor. */
	beneath_fini(&m->files);
	return 0;
}

static ssize_t
mount_backup_read(struct target *t, void *buf, size_t len, uint64_t off)
{
	struct target_mount *m = (struct target_mount *)t;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(m->backup, (char *)buf + done, len - done,
		    (off_t)(off + done));
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int
mount_control(struct target *t, const char *command, FILE *out)
{
	return mount_control_run(files_of(t), command, out);
}

static int
mount_store_dir(struct target *t, char dir[PATH_MAX])
{
	return mount_control_store_dir(files_of(t), dir);
}

/* First have the kernel write its dirty pages to the daemon, if they are to be
 * read. */
static int
mount_lane(struct target *t, bool reads, int *fdp)
{
	int root;

	if (reads) {
		root = beneath_open(files_of(t), "", O_RDONLY | O_DIRECTORY);
		if (root < 0)
			return root;
		(void)syncfs(root);
		close(root);
	}
	return mount_control_lane(files_of(t), fdp);
}

static int
mount_close(struct target *t)
{
	struct target_mount *m = (struct target_mount *)t;

	mount_backup_end(t);
	beneath_fini(&m->files);
	free(m);
	return 0;
}

static const struct target_ops mount_ops = {
	.stat = mount_stat,
	.list = mount_list,
	.readlink = mount_readlink,
	.open = mount_open,
	.read = mount_read,
	.write = mount_write,
	.copy_attributes = mount_copy_attributes,
	.close_file = mount_close_file,
	.mkdir = mount_mkdir,
	.remove = mount_remove,
	.rename = mount_rename,
	.control = mount_control,
	.backup_begin = mount_backup_begin,
	.backup_read = mount_backup_read,
	.backup_end = mount_backup_end,
	.store_dir = mount_store_dir,
	.lane = mount_lane,
	.close = mount_close,
};

int
target_open_mount(const char *mountpoint, struct target **tp)
{
	struct target_mount *m = calloc(1, sizeof(*m));
	int root, control = -1, rc;

	if (m == NULL)
		return -ENOMEM;
	m->base.ops = &mount_ops;
	m->base.is_mounted = true;
	m->backup = -1;
	/* The kernel answers lookups of a dead mount from its cache; to open a
	 * directory it asks the daemon. */
	root = open(mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		control = openat(root, CONTROL_DIR,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (control < 0) {
		rc = -errno;
		if (root >= 0)
			close(root);
		free(m);
		return rc;
	}
	close(control);
	beneath_init(&m->files, root);
	*tp = &m->base;
	return 0;
}
