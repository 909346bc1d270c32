/* SPDX-License-Identifier: ISC */
/* See mountpoint.h. */
#include "fuse/mount/mountpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "fuse/mount/claim.h"
#include "fuse/mount/own_mount.h"
#include "kvfs/store.h"
#include "util/bounded.h"
#include "util/daemon_note.h"
#include "util/log.h"
#include "util/mount_table.h"
#include "util/path_probe.h"

static bool
is_dead(int err)
{
	return err == -ENOTCONN || err == -ECONNABORTED;
}

/* Was the last daemon of the store mounted at path? */
static bool
was_left_by(const char *store, const char *path)
{
	static struct kv_owner owner;
	char where[PATH_MAX];

	return store != NULL && kv_owner(store, &owner) == 0 &&
	    daemon_note_parse(owner.note, where, sizeof(where)) &&
	    strcmp(where, path) == 0;
}

/* Is it a kvfs mount, by its type, which -o subtype= may have set? */
static bool
is_ours(const struct mount_entry *e, const char *subtype)
{
	return mount_is_kvfs(e) ||
	    (mount_is_fuse(e) && subtype[0] != '\0' &&
		strcmp(e->type + strlen("fuse"), "") != 0 &&
		strcmp(e->type + strlen("fuse."), subtype) == 0);
}

/* Take off the dead mount at path. */
static int
clear_entry(const struct mount_table *t, const struct mount_entry *e,
    const struct mountpoint_hints *hints)
{
	const struct mount_entry *below = mount_table_child(t, e->id);
	int rc;

	if (!is_ours(e, hints->subtype) &&
	    !(mount_is_fuse(e) && was_left_by(hints->store, e->path))) {
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
	rc = own_mount_end_entry(e, true);
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
clear_dead(const char *given, const char *path,
    const struct mountpoint_hints *hints)
{
	const struct mount_entry *e = NULL;
	struct path_probe now;
	struct mount_table t;
	int claim, rc;

	/* Another daemon may take it off, and mount there, at the same time. */
	claim = path[0] != '\0' ? claim_take_parent(path) : -1;
	if (claim >= 0 && !is_dead(path_probe(given, &now))) {
		claim_drop(claim);
		return 0;
	}
	rc = mount_table_read(&t);
	if (rc == 0 && path[0] != '\0')
		e = mount_table_top(&t, path);
	if (e != NULL) {
		rc = clear_entry(&t, e, hints);
	} else {
		log_error("%s: %s: clear it with umount -l %s", given,
		    strerror(ENOTCONN), given);
		rc = -ENOTCONN;
	}
	mount_table_fini(&t);
	claim_drop(claim);
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
		rc = 0; /* without /proc it cannot be checked */
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

/* Take off dead mounts, and check what is at the mountpoint. */
static int
mountpoint_inspect(const char *given, const struct mountpoint_hints *hints,
    struct path_probe *p)
{
	int rc;

	/* Several dead mounts may be stacked. */
	while (is_dead(path_probe(given, p))) {
		rc = clear_dead(given, p->path, hints);
		if (rc < 0)
			return rc;
	}
	if (p->rc == -ETIMEDOUT) {
		log_error("%s: mountpoint: does not answer: what is mounted "
			  "there hangs: see kvfsctl umount -f",
		    given);
		return p->rc;
	}
	if (p->rc < 0) {
		log_error("%s: mountpoint: %s%s", given, strerror(-p->rc),
		    p->rc == -ENOENT ? ": make the directory first" : "");
		return p->rc;
	}
	rc = check_directory(p->path);
	return rc == 0 ? check_free(p, hints->subtype) : rc;
}

int
mountpoint_prepare(const char *given, const struct mountpoint_hints *hints,
    char **pathp, int *claimp)
{
	struct path_probe p;
	int rc;

	*pathp = NULL;
	*claimp = -1;
	rc = mountpoint_inspect(given, hints, &p);
	if (rc < 0)
		return rc;
	*claimp = claim_take(p.path);
	if (*claimp < -1)
		return *claimp;
	/* Again: who held the claim before may have mounted meanwhile. */
	rc = mountpoint_inspect(given, hints, &p);
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
	/* libfuse looks there first. */
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
	/* statfs(2) sends a request to the daemon; stat(2) may not. */
	int fd = bounded_open(path, O_PATH);
	struct statfs sf;
	struct stat st;
	bool answers = fd >= 0 && fstatfs(fd, &sf) == 0 &&
	    fstat(fd, &st) == 0 && sf.f_type == FUSE_SUPER_MAGIC &&
	    st.st_ino == 1;

	*devp = answers ? st.st_dev : 0;
	if (fd >= 0)
		close(fd);
	return answers;
}
