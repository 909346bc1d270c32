/* SPDX-License-Identifier: ISC */
/*
 * See target.h. A mounted store is used through its daemon, whether the user
 * names the mountpoint or the directory of the store.
 */
#include "tools/target.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/place.h"
#include "tools/target_ops.h"

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
		rc = place_report(name, p);
	}
out:
	free(p);
	return rc;
}

bool
target_is_mounted(const struct target *t)
{
	return t->is_mounted;
}

int
target_close(struct target *t)
{
	return t != NULL ? t->ops->close(t) : 0;
}

int
target_stat(struct target *t, const char *key, struct stat *stp)
{
	return t->ops->stat(t, key, stp);
}

int
target_list(struct target *t, const char *key, target_entry_fn fn, void *arg)
{
	return t->ops->list(t, key, fn, arg);
}

int
target_readlink(struct target *t, const char *key, char *buf, size_t len)
{
	return t->ops->readlink(t, key, buf, len);
}

int
target_open_file(struct target *t, const char *key, struct target_file *f)
{
	return t->ops->open(t, key, false, 0, f);
}

int
target_create_file(struct target *t, const char *key, mode_t mode,
    struct target_file *f)
{
	return t->ops->open(t, key, true, mode, f);
}

ssize_t
target_read(struct target *t, struct target_file *f, void *buf, size_t len,
    uint64_t off)
{
	return t->ops->read(t, f, buf, len, off);
}

ssize_t
target_write(struct target *t, struct target_file *f, const void *buf,
    size_t len, uint64_t off)
{
	return t->ops->write(t, f, buf, len, off);
}

int
target_copy_attributes(struct target *t, struct target_file *f, const char *key,
    const struct stat *like)
{
	return t->ops->copy_attributes(t, f, key, like);
}

int
target_close_file(struct target *t, struct target_file *f)
{
	return t->ops->close_file(t, f);
}

int
target_mkdir(struct target *t, const char *key)
{
	return t->ops->mkdir(t, key);
}

int
target_remove(struct target *t, const char *key, bool directory)
{
	return t->ops->remove(t, key, directory);
}

int
target_rename(struct target *t, const char *from, const char *to)
{
	return t->ops->rename(t, from, to);
}

int
target_control(struct target *t, const char *command, FILE *out)
{
	return t->ops->control(t, command, out);
}

int
target_backup_begin(struct target *t)
{
	return t->ops->backup_begin(t);
}

ssize_t
target_backup_read(struct target *t, void *buf, size_t len, uint64_t off)
{
	return t->ops->backup_read(t, buf, len, off);
}

void
target_backup_end(struct target *t)
{
	t->ops->backup_end(t);
}

int
target_store_dir(struct target *t, char dir[PATH_MAX])
{
	return t->ops->store_dir(t, dir);
}

int
target_lane(struct target *t, bool reads, int *fdp)
{
	*fdp = -1;
	return t->ops->lane(t, reads, fdp);
}
