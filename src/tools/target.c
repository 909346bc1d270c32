/* SPDX-License-Identifier: ISC */
/*
 * Finds out what STORE|MOUNTPOINT means. A mounted store belongs to its
 * daemon: whether the user names the mountpoint or the store's directory,
 * the way in is the mount.
 */
#include "tools/target.h"

#include <err.h>
#include <errno.h>
#include <string.h>

#include "kvfs/kv.h"
#include "tools/mounts.h"

#define OWNER_MOUNTED "mounted at "

static int
in_use(const char *name, const struct kv_owner *owner)
{
	warnx("%s: in use by process %d%s%s%s", name, owner->pid,
	    owner->note[0] != '\0' ? " (" : "", owner->note,
	    owner->note[0] != '\0' ? ")" : "");
	return -EBUSY;
}

int
target_open(const char *name, enum target_use use, struct target **tp)
{
	struct kv_owner owner;
	char path[PATH_MAX];
	const char *where;
	int rc;

	*tp = NULL;
	rc = mount_realpath(name, path);
	if (rc < 0)
		goto fail;
	if (mount_at(path, NULL) > 0) {
		rc = target_open_mount(path, tp);
		if (rc < 0)
			goto fail;
		return 0;
	}
	rc = kv_owner(path, &owner);
	if (rc == 0)
		return target_open_direct(path, use, tp);
	if (rc == -ENOENT || rc == -ENOTDIR) {
		warnx("%s: neither a store nor a mountpoint of kvfs", name);
		return rc;
	}
	if (rc < 0)
		goto fail;
	where = owner.note + strlen(OWNER_MOUNTED);
	if (strncmp(owner.note, OWNER_MOUNTED, strlen(OWNER_MOUNTED)) != 0 ||
	    mount_at(where, NULL) <= 0)
		return in_use(name, &owner);
	rc = target_open_mount(where, tp);
	if (rc < 0) {
		name = where;
		goto fail;
	}
	return 0;
fail:
	if (rc == -ENOTCONN)
		warnx("%s: the daemon of this mount is gone; end the mount "
		      "with kvfsctl umount and mount it again",
		    name);
	else
		warnx("%s: %s", name, strerror(-rc));
	return rc;
}

size_t
key_component(const char **pathp, const char **namep)
{
	const char *p = *pathp;

	p += strspn(p, "/");
	*namep = p;
	p += strcspn(p, "/");
	*pathp = p;
	return (size_t)(p - *namep);
}

int
key_check(const char *key)
{
	const char *name;
	size_t len;

	if (strlen(key) >= PATH_MAX)
		return -ENAMETOOLONG;
	while ((len = key_component(&key, &name)) > 0) {
		if (len > NAME_MAX)
			return -ENAMETOOLONG;
		if ((len == 1 && name[0] == '.') ||
		    (len == 2 && memcmp(name, "..", 2) == 0))
			return -EINVAL;
	}
	return 0;
}
