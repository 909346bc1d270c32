/* SPDX-License-Identifier: ISC */
/* Mountpoints from outside; see mountpoint.h. */
#include "fuse/mountpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/log.h"

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

extern char **environ;

struct mount_entry {
	char type[64];
	char source[PATH_MAX];
};

/* The uppermost mount on path. */
static bool
find_mount(const char *path, struct mount_entry *found)
{
	char buf[3 * PATH_MAX];
	struct mntent ent;
	bool any = false;
	FILE *f = setmntent("/proc/self/mounts", "re");

	if (f == NULL)
		return false;
	while (getmntent_r(f, &ent, buf, sizeof(buf)) != NULL) {
		if (strcmp(ent.mnt_dir, path) != 0)
			continue;
		any = true;
		strlcpy(found->type, ent.mnt_type, sizeof(found->type));
		strlcpy(found->source, ent.mnt_fsname, sizeof(found->source));
	}
	endmntent(f);
	return any;
}

/* realpath(3) that does not have to enter the last part. */
static char *
real_by_parent(const char *given)
{
	char *one = strdup(given), *two = strdup(given);
	char *parent = NULL, *path = NULL;

	if (one != NULL && two != NULL)
		parent = realpath(dirname(one), NULL);
	if (parent != NULL &&
	    asprintf(&path, "%s/%s", strcmp(parent, "/") != 0 ? parent : "",
		basename(two)) < 0)
		path = NULL;
	free(parent);
	free(one);
	free(two);
	return path;
}

static bool
is_dead(int err)
{
	return err == ENOTCONN || err == ECONNABORTED;
}

static int
clear_dead(const char *given)
{
	char *path = real_by_parent(given);
	struct mount_entry m;
	int rc = -ENOTCONN;

	if (path == NULL || !find_mount(path, &m)) {
		log_error("%s: %s: clear it with umount -l %s", given,
		    strerror(ENOTCONN), given);
	} else if (strcmp(m.type, "fuse.kvfs") != 0) {
		log_error("%s: a dead mount of type %s is there: clear it "
			  "with umount -l %s",
		    given, m.type, path);
	} else {
		rc = mountpoint_unmount(path, true);
		if (rc < 0)
			log_error("%s: a killed kvfs left a dead mount: cannot "
				  "clear it: %s: try umount -l %s",
			    path, strerror(-rc), path);
		else
			log_warn("%s: cleared the dead mount that a killed "
				 "kvfs left (store %s)",
			    path, m.source);
	}
	free(path);
	return rc;
}

int
mountpoint_prepare(const char *given, char **pathp)
{
	struct mount_entry m;
	struct statfs sf;
	struct stat st;
	char *path;
	int rc;

	*pathp = NULL;
	/*
	 * Several dead mounts may lie upon each other. The kernel may answer
	 * stat(2) from its memory, statfs(2) it must ask for.
	 */
	while (stat(given, &st) < 0 ||
	    (statfs(given, &sf) < 0 && is_dead(errno))) {
		int err = errno;

		if (is_dead(err)) {
			rc = clear_dead(given);
			if (rc < 0)
				return rc;
			continue;
		}
		log_error("%s: mountpoint: %s%s", given, strerror(err),
		    err == ENOENT ? ": make the directory first" : "");
		return -err;
	}
	if (!S_ISDIR(st.st_mode)) {
		log_error("%s: mountpoint: not a directory: name a directory",
		    given);
		return -ENOTDIR;
	}
	path = realpath(given, NULL);
	if (path == NULL) {
		rc = -errno;
		log_error("%s: mountpoint: %s", given, strerror(errno));
		return rc;
	}
	if (find_mount(path, &m) && strcmp(m.type, "fuse.kvfs") == 0) {
		log_error("%s: a kvfs is mounted there already (store %s): "
			  "unmount it first",
		    path, m.source);
		free(path);
		return -EBUSY;
	}
	if (strcmp(path, "/") == 0) {
		log_error("/: mountpoint: cannot be the root directory: name "
			  "another");
		free(path);
		return -EBUSY;
	}
	*pathp = path;
	return 0;
}

static bool
has_fusermount(void)
{
	const char *path = getenv("PATH");
	char *copy = strdup(path != NULL ? path : "/usr/bin:/bin");
	char *save = NULL;
	char name[PATH_MAX];
	bool found = false;

	if (copy == NULL)
		return true;
	for (char *dir = strtok_r(copy, ":", &save); dir != NULL && !found;
	     dir = strtok_r(NULL, ":", &save)) {
		snprintf(name, sizeof(name), "%s/fusermount3", dir);
		found = access(name, X_OK) == 0;
	}
	free(copy);
	/* Where libfuse looks first. */
	return found || access("/usr/bin/fusermount3", X_OK) == 0;
}

int
mountpoint_check_rights(void)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
	} else if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
		log_error("/dev/fuse: %s: load the module: modprobe fuse",
		    strerror(errno));
		return -ENODEV;
	} else {
		int err = errno;

		log_error("/dev/fuse: %s: run kvfs as root, or allow this "
			  "user to open it",
		    strerror(err));
		return -err;
	}
	if (geteuid() != 0 && !has_fusermount()) {
		log_error("fusermount3: not found: install the package fuse3, "
			  "or mount as root");
		return -ENOENT;
	}
	return 0;
}

bool
mountpoint_answers(const char *path, dev_t *devp)
{
	struct statfs sf;
	struct stat st;

	*devp = 0;
	if (statfs(path, &sf) < 0 || stat(path, &st) < 0)
		return false;
	*devp = st.st_dev;
	return sf.f_type == FUSE_SUPER_MAGIC && st.st_ino == 1;
}

/* fusermount3 has the right to unmount what its user has mounted. */
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

int
mountpoint_unmount(const char *path, bool lazy)
{
	if (umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0)
		return 0;
	if (errno != EPERM || geteuid() == 0)
		return -errno;
	return run_fusermount(path, lazy);
}
