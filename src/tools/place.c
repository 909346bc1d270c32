/* SPDX-License-Identifier: ISC */
/* See place.h. */
#include "tools/place.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kvfs/store.h"
#include "util/daemon_note.h"
#include "util/path_probe.h"

/* A tool, and a daemon that starts or ends, have a store open for a short
 * time: wait for that. */
#define OWNER_WAIT_MS 5000
#define OWNER_RETRY_MS 20

static bool
is_dead(int rc)
{
	return rc == -ENOTCONN || rc == -ECONNABORTED;
}

static void
take_owner(struct place *p, const struct kv_owner *owner)
{
	p->pid = owner->pid;
	strlcpy(p->note, owner->note, sizeof(p->note));
}

/* The daemon of a mount is the process that has the mount's source, if that is
 * a store, open. */
static void
find_daemon(struct place *p)
{
	struct path_probe source;
	struct kv_owner owner;

	if (p->mount.source[0] == '/' &&
	    path_probe(p->mount.source, &source) == 0 &&
	    kv_owner(p->mount.source, &owner) > 0)
		take_owner(p, &owner);
}

/*
 * Set *p for the mount at p->path, which was probed: false when it is not a
 * kvfs.
 */
static bool
take_mount(struct place *p, const struct path_probe *probe)
{
	if (probe->path[0] == '\0' || mount_at(probe->path, &p->mount) <= 0)
		return false;
	if (probe->rc == -ETIMEDOUT)
		p->kind = PLACE_HUNG;
	else if (is_dead(probe->rc))
		/* A dead FUSE mount, whatever its type and source. */
		p->kind = PLACE_DEAD;
	else if (probe->is_kvfs || p->mount.is_kvfs)
		p->kind = PLACE_MOUNT;
	else
		return false;
	return true;
}

/* Another process has the store at p->path open: find its mount. False when
 * that is not in the mount table yet, or not any more. */
static bool
find_its_mount(struct place *p)
{
	char where[PATH_MAX];
	struct path_probe probe;

	p->kind = PLACE_USED;
	if (!daemon_note_parse(p->note, where, sizeof(where)))
		return true; /* no daemon */
	strlcpy(p->note, "mounted at ", sizeof(p->note));
	strlcat(p->note, where, sizeof(p->note));
	(void)path_probe(where, &probe);
	return take_mount(p, &probe) || mount_is_covered(where);
}

/* kv_owner(). A daemon whose note names a mount that is not in the mount table
 * is starting or ending: wait for that. */
static int
find_owner(struct place *p)
{
	static struct kv_owner owner;
	int rc;

	for (int ms = 0;; ms += OWNER_RETRY_MS) {
		rc = kv_owner(p->path, &owner);
		if (rc <= 0)
			return rc;
		take_owner(p, &owner);
		if (find_its_mount(p) || ms >= OWNER_WAIT_MS)
			return rc;
		usleep(OWNER_RETRY_MS * 1000);
	}
}

static int
find_store(const char *name, struct place *p)
{
	const char *kind;
	int rc = find_owner(p);

	if (rc > 0)
		return 0;
	kind = rc == -ENOENT || rc == -ENOTDIR ? kv_foreign(p->path) : NULL;
	if (kind != NULL)
		warnx("%s: %s, not a store or mountpoint of kvfs", name, kind);
	else if (rc == -ENOENT || rc == -ENOTDIR)
		warnx("%s: neither a store nor a mountpoint of kvfs", name);
	else if (rc < 0)
		warnx("%s: %s", name, strerror(-rc));
	p->kind = PLACE_STORE;
	return rc;
}

int
place_find(const char *name, struct place *p)
{
	struct path_probe probe;
	int rc = path_probe(name, &probe);

	*p = (struct place){ .kind = PLACE_STORE };
	strlcpy(p->path, probe.path, sizeof(p->path));
	if (take_mount(p, &probe)) {
		if (p->kind == PLACE_HUNG)
			find_daemon(p);
		return 0;
	}
	if (rc == -ETIMEDOUT)
		warnx("%s: does not answer: what is mounted there hangs", name);
	else if (rc < 0)
		warnx("%s: %s", name, strerror(-rc));
	return rc < 0 ? rc : find_store(name, p);
}

bool
place_find_dead(struct place *p)
{
	static struct kv_owner owner;
	char where[PATH_MAX];
	struct path_probe probe;

	if (mount_of_source(p->path, &p->mount) > 0)
		return true;
	return kv_owner(p->path, &owner) == 0 &&
	    daemon_note_parse(owner.note, where, sizeof(where)) &&
	    is_dead(path_probe(where, &probe)) && take_mount(p, &probe);
}

int
place_report(const char *name, const struct place *p)
{
	char who[64] = "";

	if (p->pid > 0)
		snprintf(who, sizeof(who), ", process %d,", (int)p->pid);
	switch (p->kind) {
	case PLACE_HUNG:
		warnx("%s: the daemon of this mount%s does not answer; "
		      "kvfsctl umount -f %s ends the mount",
		    p->mount.path, who, p->mount.path);
		return -ETIMEDOUT;
	case PLACE_DEAD:
		warnx("%s: the daemon of this mount is gone; end the mount "
		      "with kvfsctl umount and mount it again",
		    p->mount.path);
		return -ENOTCONN;
	default:
		if (p->pid == 0)
			warnx("%s: in use by %s", name,
			    p->note[0] != '\0' ? p->note : "another process");
		else
			warnx("%s: in use by process %d%s%s%s", name,
			    (int)p->pid, p->note[0] != '\0' ? " (" : "",
			    p->note, p->note[0] != '\0' ? ")" : "");
		return -EBUSY;
	}
}
