/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl backup: a copy of a store as of now, which is a store itself. This
 * process, not the daemon, opens and writes the new directory. So the user's
 * permissions and working directory apply, and the daemon never waits for the
 * new disk.
 */
#include "tools/command.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "tools/unpack.h"

/* The time between tries while another backup begins. */
#define RETRY_MS 50

struct destination {
	const char *name;
	char parent[PATH_MAX];
	int fd;
	bool made; /* by this process, which removes it after a failure */
};

static int
backup_failed(const struct destination *d, const char *reason)
{
	warnx("%s: %s", d->name, reason);
	return 1;
}

/* ---- Whether the directory may be used ---- */

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Is the directory fd dir, or below it? */
static bool
is_below(int fd, const struct stat *dir)
{
	struct stat st, above;
	int at = dup(fd), up;
	bool found = false;

	while (at >= 0 && fstat(at, &st) == 0) {
		found = same_file(&st, dir);
		up = found ? -1 : openat(at, "..", O_PATH | O_CLOEXEC);
		close(at);
		at = up;
		if (up >= 0 && fstat(up, &above) == 0 && same_file(&above, &st))
			break; /* the root is its own parent */
	}
	if (at >= 0)
		close(at);
	return found;
}

/* Refuse a directory below the mount, where the backup would contain itself,
 * and one below the store, which belongs to the daemon. fd: the parent of the
 * backup. */
static int
check_place(const struct destination *d, int fd, struct target *t,
    const char *store)
{
	struct stat st, root;

	if (target_is_mounted(t) && fstat(fd, &st) == 0 &&
	    target_stat(t, "", &root) == 0 && st.st_dev == root.st_dev)
		return backup_failed(d,
		    "inside the mount that it would be a copy "
		    "of; name a directory elsewhere");
	if (store[0] != '\0' && stat(store, &st) == 0 && is_below(fd, &st))
		return backup_failed(d,
		    "inside the store's own directory; name a "
		    "directory elsewhere");
	return 0;
}

static int
check_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *de;

	if (dir == NULL) {
		rc = -errno;
		if (copy >= 0)
			close(copy);
		return rc;
	}
	while (rc == 0 && (de = readdir(dir)) != NULL)
		/* The root of a file system has lost+found. */
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0 &&
		    strcmp(de->d_name, "lost+found") != 0)
			rc = -ENOTEMPTY;
	closedir(dir);
	return rc;
}

/* ---- Opening the directory ---- */

/* Open the parent; dirname(3) may change its argument, so it gets a copy. */
static int
open_parent(struct destination *d)
{
	char copy[PATH_MAX];
	int fd;

	if (strlcpy(copy, d->name, sizeof(copy)) >= sizeof(copy)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strlcpy(d->parent, dirname(copy), sizeof(d->parent));
	fd = open(d->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		fd = open(d->parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

static int
make_or_open(struct destination *d, struct target *t, const char *store)
{
	int parent = open_parent(d), rc, opened;

	if (parent < 0) {
		warn("%s", d->parent[0] != '\0' ? d->parent : d->name);
		return 1;
	}
	d->fd = open(d->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	opened = d->fd < 0 ? -errno : 0;
	rc = check_place(d, d->fd >= 0 ? d->fd : parent, t, store);
	close(parent);
	if (rc != 0)
		return rc;
	if (opened == -ENOENT) {
		d->made = mkdir(d->name, 0700) == 0;
		opened = d->made || errno == EEXIST ? 0 : -errno;
		if (opened == 0)
			d->fd = open(d->name,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (opened == 0 && d->fd < 0)
			opened = -errno;
	}
	return opened < 0 ? backup_failed(d, strerror(-opened)) : 0;
}

/* Create the directory, or use an empty one. Its lock excludes another backup,
 * and a store. */
static int
destination_open(struct destination *d, struct target *t, const char *store)
{
	int rc = make_or_open(d, t, store);

	if (rc != 0)
		return rc;
	if (flock(d->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		d->made = false;
		return backup_failed(d, "in use: another backup goes there");
	}
	rc = check_empty(d->fd);
	if (rc == -ENOTEMPTY) {
		d->made = false;
		return backup_failed(d,
		    "not empty; name a new directory for the "
		    "backup");
	}
	return rc < 0 ? backup_failed(d, strerror(-rc)) : 0;
}

/* Sync it, and its parent, which has its name. */
static int
destination_sync(struct destination *d)
{
	int fd = open_parent(d), rc = 0;

	if (fd < 0 || (fsync(fd) < 0 && errno != EBADF && errno != EINVAL)) {
		warn("%s: cannot be synced", d->parent);
		rc = 1;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static void
destination_close(struct destination *d, bool complete)
{
	if (d->made && !complete)
		(void)rmdir(d->name);
	if (d->fd >= 0)
		close(d->fd);
}

/* ---- The command ---- */

static int
begin_backup(struct target *t)
{
	const struct timespec pause = { 0, RETRY_MS * 1000000l };
	int rc;

	while ((rc = target_backup_begin(t)) == -EBUSY && unpack_signal() == 0)
		nanosleep(&pause, NULL);
	return rc;
}

static int
run_unpack(const char *name, struct target *t, const char *store,
    struct destination *d)
{
	struct unpack u = { .from = t,
		.from_name = name,
		.to_name = d->name,
		.to = d->fd,
		.store = -1 };
	int rc = begin_backup(t);

	if (rc < 0)
		return unpack_signal() != 0 ? 1 : command_failed(name, rc);
	if (store[0] != '\0')
		u.store = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = unpack_run(&u);
	target_backup_end(t);
	if (u.store >= 0)
		close(u.store);
	if (rc < 0)
		return 1;
	printf("Files linked: %llu\nFiles copied: %llu\nBytes copied: %llu\n",
	    (unsigned long long)u.linked, (unsigned long long)u.copied,
	    (unsigned long long)u.copied_bytes);
	return 0;
}

static int
make_backup(const char *name, struct target *t, const char *to)
{
	struct destination d = { .name = to, .fd = -1 };
	char store[PATH_MAX];
	int status;

	if (target_store_dir(t, store) < 0)
		store[0] = '\0';
	status = destination_open(&d, t, store);
	if (status == 0)
		status = run_unpack(name, t, store, &d);
	if (status == 0)
		status = destination_sync(&d);
	destination_close(&d, status == 0);
	return status;
}

static int
backup_run(const struct command *cmd, int argc, char **argv)
{
	struct target *t;
	int status, sig;

	if (getopt(argc, argv, "+") != -1 || argc - optind != 2)
		return command_misuse(cmd);
	argv += optind;
	if (argv[1][0] == '\0')
		return command_failed(argv[1], -ENOENT);
	if (command_open(argv[0], TARGET_READ, &t) != 0)
		return 1;
	unpack_catch_signals();
	status = command_close(t, make_backup(argv[0], t, argv[1]));
	sig = unpack_signal();
	if (status != 0 && sig != 0) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
	return status;
}

const struct command cmd_backup = {
	.name = "backup",
	.summary = "copy the store as of now into a new directory",
	.usage = "backup STORE|MOUNTPOINT DIRECTORY",
	.run = backup_run,
};
