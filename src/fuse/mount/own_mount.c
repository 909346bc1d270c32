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
#include "util/hash.h"
#include "util/log.h"
#include "util/mount_table.h"

/* The longest that an unmount may take: it writes back dirty pages. */
#define UNMOUNT_MS 30000

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000u /* Linux 6.8 */
#endif

extern char **environ;

struct unmount {
	const char *path;
	bool lazy;
};

/* The id of the mount in which fd is, of the kind STATX_MNT_ID or
 * STATX_MNT_ID_UNIQUE; 0: the kernel does not tell. */
static uint64_t
mount_id_of(int fd, unsigned kind)
{
	struct statx stx;

	/* DONT_SYNC: the kernel answers from memory, without a request. */
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, kind, &stx) < 0)
		return 0;
	return (stx.stx_mask & kind) != 0 ? stx.stx_mnt_id : 0;
}

/* Open the root of the mount e; -EBUSY: another one covers it. */
static int
open_entry(const struct mount_entry *e, int flags)
{
	int fd = bounded_open(e->path, flags | O_NOFOLLOW);
	uint64_t id = fd >= 0 ? mount_id_of(fd, STATX_MNT_ID) : 0;

	if (id != 0 && id != (uint64_t)e->id) {
		close(fd);
		return -EBUSY;
	}
	return fd;
}

static uint64_t
source_of(const struct mount_entry *e)
{
	return hash_bytes(e->source, strlen(e->source), 0);
}

static void
remember_entry(struct own_mount *m, const struct mount_entry *e)
{
	int fd = open_entry(e, O_PATH);

	*m = (struct own_mount){
		.id = e->id,
		.dev = e->dev,
		.source = source_of(e),
		.unique = fd >= 0 ? mount_id_of(fd, STATX_MNT_ID_UNIQUE) : 0,
	};
	if (fd >= 0)
		close(fd);
}

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
		remember_entry(m, e);
	else if (rc == 0)
		rc = -ENOENT;
	mount_table_fini(&t);
	return rc;
}

/* NULL: it has gone. What is found may still be another one with the same
 * numbers, which open_own() finds out. */
static const struct mount_entry *
find_entry(const struct mount_table *t, const struct own_mount *m)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct mount_entry *e = &t->entries[i];

		if (e->id == m->id && e->dev == m->dev &&
		    source_of(e) == m->source)
			return e;
	}
	return NULL;
}

/* Open its root, which is that of e if it has not gone. */
static int
open_own(const struct own_mount *m, const struct mount_entry *e, int flags)
{
	int fd = open_entry(e, flags);

	if (fd >= 0 && m->unique != 0 &&
	    mount_id_of(fd, STATX_MNT_ID_UNIQUE) != m->unique) {
		close(fd);
		return -ENOENT;
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
		rc = open_own(m, e, flags);
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

/* fd is open in the mount e, and closed here; or a negative errno. */
static int
end_opened(const struct mount_entry *e, int fd, bool lazy)
{
	struct unmount u = { e->path, lazy };
	int rc = -EPERM;

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
own_mount_end_entry(const struct mount_entry *e, bool lazy)
{
	return end_opened(e, open_entry(e, O_PATH), lazy);
}

/* Nothing is done when something is mounted on it. */
static int
end_uncovered(const struct mount_table *t, const struct mount_entry *e, int fd,
    bool lazy)
{
	const struct mount_entry *on = mount_table_child(t, e->id);

	if (on == NULL)
		return end_opened(e, fd, lazy);
	log_warn("%s: %s is mounted on it: the mount is left as it is", e->path,
	    strcmp(on->path, e->path) != 0 ? on->path : on->source);
	if (fd >= 0)
		close(fd);
	return -ENOTEMPTY;
}

int
own_mount_end(const struct own_mount *m, bool lazy)
{
	const struct mount_entry *e = NULL;
	struct mount_table t;
	int fd, rc = mount_table_read(&t);

	if (rc == 0) {
		e = find_entry(&t, m);
		rc = -ENOENT;
	}
	if (e != NULL) {
		fd = open_own(m, e, O_PATH);
		if (fd != -ENOENT)
			rc = end_uncovered(&t, e, fd, lazy);
	}
	mount_table_fini(&t);
	return rc;
}
