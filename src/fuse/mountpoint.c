/* SPDX-License-Identifier: ISC */
/* Mountpoints from outside; see mountpoint.h. */
#include "fuse/mountpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
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
#include "util/mount_table.h"
#include "util/path_probe.h"

extern char **environ;

static bool
is_dead(int err)
{
	return err == -ENOTCONN || err == -ECONNABORTED;
}

/* Of kvfs: by its type, which -o subtype= may have given it. */
static bool
is_ours(const struct mount_entry *e, const char *subtype)
{
	return mount_is_kvfs(e) ||
	    (mount_is_fuse(e) && subtype != NULL &&
		strcmp(e->type + strlen("fuse"), "") != 0 &&
		strcmp(e->type + strlen("fuse."), subtype) == 0);
}

/* Take off the dead mount at path. */
static int
clear_entry(const struct mount_table *t, const struct mount_entry *e,
    const char *subtype)
{
	const struct mount_entry *below = mount_table_child(t, e->id);
	int rc;

	if (!is_ours(e, subtype)) {
		log_error("%s: a dead mount of type %s is there: clear it "
			  "with umount -l %s",
		    e->path, e->type, e->path);
		return -ENOTCONN;
	}
	if (below != NULL) {
		log_error("%s: a killed kvfs left a dead mount, and %s is "
			  "mounted on it: unmount that first",
		    e->path, below->path);
		return -EBUSY;
	}
	rc = mountpoint_unmount(e->path, true);
	if (rc < 0)
		log_error("%s: a killed kvfs left a dead mount: cannot "
			  "clear it: %s: try umount -l %s",
		    e->path, strerror(-rc), e->path);
	else
		log_warn("%s: cleared the dead mount that a killed "
			 "kvfs left (store %s)",
		    e->path, e->source);
	return rc;
}

static int
clear_dead(const char *given, const char *path, const char *subtype)
{
	const struct mount_entry *e = NULL;
	struct mount_table t;
	int rc;

	rc = mount_table_read(&t);
	if (rc == 0 && path[0] != '\0')
		e = mount_table_top(&t, path);
	if (e != NULL) {
		rc = clear_entry(&t, e, subtype);
	} else {
		log_error("%s: %s: clear it with umount -l %s", given,
		    strerror(ENOTCONN), given);
		rc = -ENOTCONN;
	}
	mount_table_fini(&t);
	return rc;
}

/* Refuse a mountpoint that has a kvfs already. */
static int
check_free(const struct path_probe *p, const char *subtype)
{
	const struct mount_entry *e = NULL;
	struct mount_table t;
	int rc = mount_table_read(&t);

	if (rc == 0)
		e = mount_table_top(&t, p->path);
	if (e != NULL && (p->is_kvfs || is_ours(e, subtype))) {
		log_error("%s: a kvfs is mounted there already (store %s): "
			  "unmount it first",
		    p->path, e->source);
		rc = -EBUSY;
	} else {
		rc = 0; /* without /proc nothing is known */
	}
	mount_table_fini(&t);
	return rc;
}

static int
check_directory(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		int err = errno;

		log_error("%s: mountpoint: %s", path, strerror(err));
		return -err;
	}
	if (!S_ISDIR(st.st_mode)) {
		log_error("%s: mountpoint: not a directory: name a directory",
		    path);
		return -ENOTDIR;
	}
	if (strcmp(path, "/") == 0) {
		log_error("/: mountpoint: cannot be the root directory: name "
			  "another");
		return -EBUSY;
	}
	return 0;
}

int
mountpoint_prepare(const char *given, const char *subtype, char **pathp)
{
	struct path_probe p;
	int rc;

	*pathp = NULL;
	/* Several dead mounts may lie upon each other. */
	while (is_dead(path_probe(given, &p))) {
		rc = clear_dead(given, p.path, subtype);
		if (rc < 0)
			return rc;
	}
	if (p.rc == -ETIMEDOUT) {
		log_error("%s: mountpoint: does not answer: what is mounted "
			  "there hangs: see kvfsctl umount -f",
		    given);
		return p.rc;
	}
	if (p.rc < 0) {
		log_error("%s: mountpoint: %s%s", given, strerror(-p.rc),
		    p.rc == -ENOENT ? ": make the directory first" : "");
		return p.rc;
	}
	rc = check_directory(p.path);
	if (rc == 0)
		rc = check_free(&p, subtype);
	if (rc < 0)
		return rc;
	*pathp = strdup(p.path);
	return *pathp != NULL ? 0 : -ENOMEM;
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

int
mountpoint_identify(const char *path, struct mountpoint_id *idp)
{
	const struct mount_entry *e = NULL;
	struct mount_table t;
	int rc = mount_table_read(&t);

	*idp = (struct mountpoint_id){ .mount = -1 };
	if (rc == 0)
		e = mount_table_top(&t, path);
	if (e != NULL && mount_is_fuse(e))
		*idp = (struct mountpoint_id){ e->id, e->dev };
	else if (rc == 0)
		rc = -ENOENT;
	mount_table_fini(&t);
	return rc;
}

static const struct mount_entry *
find_own(const struct mount_table *t, const struct mountpoint_id *id)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->entries[i].id == id->mount &&
		    t->entries[i].dev == id->dev)
			return &t->entries[i];
	return NULL;
}

int
mountpoint_unmount_own(const struct mountpoint_id *id, bool lazy)
{
	const struct mount_entry *e = NULL, *on = NULL;
	struct mount_table t;
	int rc = mount_table_read(&t);

	if (rc == 0)
		e = find_own(&t, id);
	if (e != NULL)
		on = mount_table_child(&t, id->mount);
	if (on != NULL) {
		log_warn("%s: %s is mounted on it: the mount is left as it is",
		    e->path,
		    strcmp(on->path, e->path) != 0 ? on->path : on->source);
		rc = -ENOTEMPTY;
	} else if (e != NULL) {
		rc = mountpoint_unmount(e->path, lazy);
	} else if (rc == 0) {
		rc = -ENOENT;
	}
	mount_table_fini(&t);
	return rc;
}

bool
mountpoint_is_bare(const struct mountpoint_id *id)
{
	struct mount_table t;
	bool bare = true;

	if (mount_table_read(&t) == 0 && id->mount >= 0)
		bare = find_own(&t, id) != NULL &&
		    mount_table_child(&t, id->mount) == NULL;
	mount_table_fini(&t);
	return bare;
}
