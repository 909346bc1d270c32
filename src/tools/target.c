/* SPDX-License-Identifier: ISC */
/*
 * Finds out what STORE|MOUNTPOINT means. A mounted store belongs to its
 * daemon: whether the user names the mountpoint or the store's directory,
 * the way in is the mount.
 */
#include "tools/target.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/place.h"

int
target_open(const char *name, enum target_use use, struct target **tp)
{
	struct place *p = malloc(sizeof(*p));
	int rc;

	*tp = NULL;
	if (p == NULL) {
		warnx("%s: %s", name, strerror(ENOMEM));
		return -ENOMEM;
	}
	rc = place_find(name, p);
	if (rc < 0)
		goto out;
	if (p->kind == PLACE_STORE) {
		rc = target_open_direct(p->path, use, tp);
	} else if (p->kind == PLACE_MOUNT) {
		rc = target_open_mount(p->mount.path, tp);
		if (rc < 0)
			warnx("%s: %s", p->mount.path, strerror(-rc));
	} else {
		rc = place_complain(name, p);
	}
out:
	free(p);
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

	if (strlen(key) >= KEY_MAX)
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
