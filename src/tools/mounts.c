/* SPDX-License-Identifier: ISC */
/* See mounts.h. */
#include "tools/mounts.h"

#include <string.h>

#include "util/mount_table.h"

static void
copy_entry(const struct mount_table *t, const struct mount_entry *e,
    struct mount *m)
{
	const struct mount_entry *on = mount_table_child(t, e->id);

	strlcpy(m->path, e->path, sizeof(m->path));
	strlcpy(m->source, e->source, sizeof(m->source));
	strlcpy(m->on_it, on != NULL ? on->path : "", sizeof(m->on_it));
	m->id = e->id;
	m->dev = e->dev;
	m->is_kvfs = mount_is_kvfs(e);
}

int
mount_at(const char *path, struct mount *m)
{
	const struct mount_entry *e = NULL;
	struct mount_table t;
	int rc = mount_table_read(&t);

	if (rc == 0)
		e = mount_table_top(&t, path);
	if (e != NULL && mount_is_fuse(e)) {
		copy_entry(&t, e, m);
		rc = 1;
	}
	mount_table_fini(&t);
	return rc;
}

bool
mount_is_covered(const char *path)
{
	const struct mount_entry *top = NULL;
	struct mount_table t;
	bool is_covered = false;

	if (mount_table_read(&t) == 0)
		top = mount_table_top(&t, path);
	for (size_t i = 0; top != NULL && i < t.count && !is_covered; i++) {
		const struct mount_entry *e = &t.entries[i];

		is_covered = e != top && mount_is_kvfs(e) &&
		    strcmp(e->path, path) == 0;
	}
	mount_table_fini(&t);
	return is_covered;
}

int
mount_of_source(const char *store, struct mount *m)
{
	struct mount_table t;
	int rc = mount_table_read(&t);

	for (size_t i = 0; rc >= 0 && i < t.count; i++) {
		const struct mount_entry *e = &t.entries[i];

		if (!mount_is_kvfs(e) || strcmp(e->source, store) != 0)
			continue;
		copy_entry(&t, e, m);
		rc = 1;
	}
	mount_table_fini(&t);
	return rc;
}
