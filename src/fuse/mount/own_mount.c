/* SPDX-License-Identifier: ISC */
/* See own_mount.h. */
#include "fuse/mount/own_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/bounded.h"
#include "util/log.h"
#include "util/mount_table.h"

/* The longest that an unmount may take: it writes back dirty pages. */
#define UNMOUNT_MS 30000

extern char **environ;

struct unmount {
	const char *path;
	bool lazy;
};

int
own_mount_find(const char *path, struct own_mount *m)
{
	const struct mount_entry *e = NULL;
	struct mount_table t;
	int rc = mount_table_read(&t);

	*m = (struct own_mount){ .id = -1 };
	if (rc == 0)
		e = mount_table_top(&t, path);
	if (e != NULL && mount_is_fuse(e))
		*m = (struct own_mount){ e->id, e->dev };
	else if (rc == 0)
		rc = -ENOENT;
	mount_table_fini(&t);
	return rc;
}

static const struct mount_entry *
find_entry(const struct mount_table *t, const struct own_mount *m)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->entries[i].id == m->id && t->entries[i].dev == m->dev)
			return &t->entries[i];
	return NULL;
}

/* Is fd in that mount, and not in another one that covers it? */
static bool
is_of_mount(int fd, int id)
{
	struct statx stx;

	/* DONT_SYNC: the kernel answers from memory, without a request. */
	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &stx) ==
	    0 &&
	    ((stx.stx_mask & STATX_MNT_ID) == 0 ||
		stx.stx_mnt_id == (uint64_t)id);
}

static int
open_entry(const struct mount_entry *e, int flags)
{
	int fd = bounded_open(e->path, flags | O_NOFOLLOW);

	if (fd >= 0 && !is_of_mount(fd, e->id)) {
		close(fd);
		return -EBUSY;
	}
	return fd;
}

int
own_mount_open(const struct own_mount *m, int flags)
{
	const struct mount_entry *e = NULL;
	struct mount_table t;
	int rc = mount_table_read(&t);

	if (rc == 0)
		e = find_entry(&t, m);
	if (e != NULL)
		rc = open_entry(e, flags);
	else if (rc == 0)
		rc = -ENOENT;
	mount_table_fini(&t);
	return rc;
}

/* fusermount3 may unmount what its user has mounted. */
static int
run_fusermount(const char *path, bool lazy)
{
	const char *argv[8];
	posix_spawn_file_actions_t actions;
	int n = 0, status = 0, err;
	pid_t pid;

	argv[n++] = "fusermount3";
	argv[n++] = "-u";
	argv[n++] = "-q";
	if (lazy)
		argv[n++] = "-z";
	argv[n++] = "--";
	argv[n++] = path;
	argv[n] = NULL;
	err = posix_spawn_file_actions_init(&actions);
	if (err != 0)
		return -err;
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
	    O_WRONLY, 0);
	err = posix_spawnp(&pid, argv[0], &actions, NULL,
	    (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err != 0)
		return -err;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

static int
unmount_path(void *arg)
{
	const struct unmount *u = arg;

	if (umount2(u->path, UMOUNT_NOFOLLOW | (u->lazy ? MNT_DETACH : 0)) == 0)
		return 0;
	if (errno != EPERM || geteuid() == 0)
		return -errno;
	return run_fusermount(u->path, u->lazy);
}

/* Detach by the descriptor, whatever is mounted at the path by now. */
static int
detach_by_fd(int fd)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return umount2(name, MNT_DETACH) == 0 ? 0 : -errno;
}

int
own_mount_end_entry(const struct mount_entry *e, bool lazy)
{
	struct unmount u = { e->path, lazy };
	int fd = open_entry(e, O_PATH), rc = -EPERM;

	if (fd < 0)
		return fd;
	if (lazy)
		rc = detach_by_fd(fd);
	/* An open descriptor would keep the mount in use. */
	close(fd);
	if (rc != 0)
		rc = bounded_call(unmount_path, &u, UNMOUNT_MS);
	return rc;
}

int
own_mount_end(const struct own_mount *m, bool lazy)
{
	const struct mount_entry *e = NULL, *on = NULL;
	struct mount_table t;
	int rc = mount_table_read(&t);

	if (rc == 0)
		e = find_entry(&t, m);
	if (e != NULL)
		on = mount_table_child(&t, m->id);
	if (on != NULL) {
		log_warn("%s: %s is mounted on it: the mount is left as it is",
		    e->path,
		    strcmp(on->path, e->path) != 0 ? on->path : on->source);
		rc = -ENOTEMPTY;
	} else if (e != NULL) {
		rc = own_mount_end_entry(e, lazy);
	} else if (rc == 0) {
		rc = -ENOENT;
	}
	mount_table_fini(&t);
	return rc;
}
