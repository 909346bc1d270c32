/* SPDX-License-Identifier: ISC */
/*
 * Directories of env_mem, and the names in them. A crash raises the generation;
 * handles of an earlier one return -EIO.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/env_mem_internal.h"

struct mem_dir {
	struct env_dir base;
	struct env_mem *env;
	struct mem_node *node;
	uint64_t generation;
	enum env_lock_mode lock;
};

static const struct env_dir_ops mem_dir_ops;

static struct mem_dir *
to_dir(struct env_dir *dir)
{
	return (struct mem_dir *)dir;
}

static int
enter_dir(struct mem_dir *d, enum env_call call) ACQUIRE(&d->env->mu)
{
	mem_enter(d->env, call);
	return d->generation == d->env->generation ? 0 : -EIO;
}

/* ---- Directories ---- */

/*
 * Find the directory that holds path; name gets the last component of path, or
 * "" if path is the root. -ENOENT, -ENOTDIR, -ENAMETOOLONG.
 */
static int
walk_locked(struct env_mem *env, const char *path, struct mem_node **dirp,
    char name[256]) REQUIRES(&env->mu)
{
	struct mem_node *dir = env->root;
	const char *p = path;
	size_t n;

	*dirp = NULL;
	name[0] = '\0';
	for (;;) {
		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 0)
			break;
		if (n > 255)
			return -ENAMETOOLONG;
		if (n == 1 && p[0] == '.') {
			p += n;
			continue;
		}
		if (name[0] != '\0') {
			dir = mem_dir_find(dir, name);
			if (dir == NULL)
				return -ENOENT;
			if (!dir->is_dir)
				return -ENOTDIR;
		}
		memcpy(name, p, n);
		name[n] = '\0';
		p += n;
	}
	*dirp = dir;
	return 0;
}

static struct mem_node *
create_locked(struct mem_node *dir, const char *name, bool is_dir)
{
	struct mem_node *node = mem_node_create(is_dir);

	node->links = 1;
	mem_dir_change(dir, NULL, name, node);
	mem_node_unref(node); /* the entry has a reference */
	return node;
}

static struct env_dir *
dir_open_locked(struct env_mem *env, struct mem_node *node, const char *path)
    REQUIRES(&env->mu)
{
	struct mem_dir *d = mem_alloc(sizeof(*d));

	d->base.ops = &mem_dir_ops;
	d->base.path = strcpy(mem_alloc(strlen(path) + 1), path);
	d->env = env;
	d->node = node;
	d->generation = env->generation;
	node->refs++;
	return &d->base;
}

int
mem_dir_open(struct env *base, const char *path, struct env_dir **dirp)
{
	struct env_mem *env = (struct env_mem *)base;
	struct mem_node *dir, *node;
	char name[256];
	int rc;

	mem_enter(env, ENV_CALL_OPEN_DIR);
	rc = walk_locked(env, path, &dir, name);
	if (rc == 0) {
		node = name[0] != '\0' ? mem_dir_find(dir, name) : dir;
		if (node == NULL)
			rc = -ENOENT;
		else if (!node->is_dir)
			rc = -ENOTDIR;
		else
			*dirp = dir_open_locked(env, node, path);
	}
	mutex_unlock(&env->mu);
	return rc;
}

int
mem_dir_make(struct env *base, const char *path, struct env_dir **dirp)
{
	struct env_mem *env = (struct env_mem *)base;
	struct mem_node *dir;
	char name[256];
	int rc;

	mem_enter(env, ENV_CALL_MKDIR);
	rc = walk_locked(env, path, &dir, name);
	if (rc == 0 && (name[0] == '\0' || mem_dir_find(dir, name) != NULL))
		rc = -EEXIST;
	if (rc == 0)
		*dirp = dir_open_locked(env, create_locked(dir, name, true),
		    path);
	mutex_unlock(&env->mu);
	if (rc < 0)
		return rc;
	/* A crash may have come between the two calls. */
	mem_enter(env, ENV_CALL_SYNC_DIR);
	if (to_dir(*dirp)->generation == env->generation)
		mem_dir_sync(dir);
	mutex_unlock(&env->mu);
	return 0;
}

static int
mem_dir_reopen(struct env_dir *dir, struct env_dir **dirp)
{
	struct mem_dir *d = to_dir(dir);
	int rc = enter_dir(d, ENV_CALL_OPEN_DIR);

	if (rc == 0)
		*dirp = dir_open_locked(d->env, d->node, dir->path);
	mutex_unlock(&d->env->mu);
	return rc;
}

static void
mem_dir_close(struct env_dir *dir)
{
	struct mem_dir *d = to_dir(dir);
	struct env_mem *env = d->env;

	mutex_lock(&env->mu);
	(void)mem_lock_locked(d->node, d, &d->lock, ENV_LOCK_NONE);
	mem_node_unref(d->node);
	mutex_unlock(&env->mu);
	free(dir->path);
	free(d);
}

static int
mem_dir_lock(struct env_dir *dir, enum env_lock_mode mode)
{
	struct mem_dir *d = to_dir(dir);
	int rc = enter_dir(d, ENV_CALL_LOCK_DIR);

	if (rc == 0)
		rc = mem_lock_locked(d->node, d, &d->lock, mode);
	mutex_unlock(&d->env->mu);
	return rc;
}

static void
mem_dir_lockers(struct env_dir *dir, char *text, size_t len)
{
	(void)dir, (void)len;
	text[0] = '\0';
}

static int
mem_dir_fsync(struct env_dir *dir)
{
	struct mem_dir *d = to_dir(dir);
	int rc = enter_dir(d, ENV_CALL_SYNC_DIR);

	if (rc == 0)
		mem_dir_sync(d->node);
	mutex_unlock(&d->env->mu);
	return rc;
}

static int
mem_dir_list(struct env_dir *dir, int (*fn)(void *arg, const char *name),
    void *arg)
{
	struct mem_dir *d = to_dir(dir);
	char(*names)[256] = NULL;
	struct mem_entry *e;
	size_t count = 0;
	int rc = enter_dir(d, ENV_CALL_LIST);

	if (rc == 0) {
		TAILQ_FOREACH (e, &d->node->entries_now, link)
			count++;
		names = mem_alloc(count * sizeof(*names));
		count = 0;
		TAILQ_FOREACH (e, &d->node->entries_now, link)
			strcpy(names[count++], e->name);
	}
	mutex_unlock(&d->env->mu);
	for (size_t i = 0; i < count && rc >= 0; i++)
		rc = fn(arg, names[i]);
	free(names);
	return rc < 0 ? rc : 0;
}

static int
mem_dir_space(struct env_dir *dir, struct env_space *spacep)
{
	struct mem_dir *d = to_dir(dir);
	int rc;

	*spacep = (struct env_space){ 0 };
	rc = enter_dir(d, ENV_CALL_SPACE);
	if (rc == 0)
		*spacep = (struct env_space){ d->env->total,
			mem_free_locked(d->env) };
	mutex_unlock(&d->env->mu);
	return rc;
}

/* ---- Names in a directory ---- */

static int
find_file_locked(struct mem_dir *d, const char *name, struct mem_node **nodep)
{
	if (strlen(name) > 255)
		return -ENAMETOOLONG;
	*nodep = mem_dir_find(d->node, name);
	if (*nodep == NULL)
		return -ENOENT;
	return (*nodep)->is_dir ? -EISDIR : 0;
}

static void
unlink_locked(struct env_mem *env, struct mem_node *node) REQUIRES(&env->mu)
{
	node->links--;
	mem_charge_locked(env, node);
}

static int
mem_open(struct env_dir *dir, const char *name, unsigned flags,
    struct env_file **filep)
{
	struct mem_dir *d = to_dir(dir);
	bool creates = (flags & ENV_CREATE) != 0;
	struct mem_node *node = NULL;
	int rc = enter_dir(d, creates ? ENV_CALL_CREATE : ENV_CALL_OPEN);

	if (rc == 0)
		rc = find_file_locked(d, name, &node);
	if (creates && (rc == 0 || rc == -EISDIR)) {
		rc = -EEXIST;
	} else if (creates && rc == -ENOENT) {
		node = create_locked(d->node, name, false);
		rc = 0;
	}
	if (rc == 0)
		*filep = mem_handle_open_locked(d->env, node,
		    (flags & ENV_WRITE) != 0);
	mutex_unlock(&d->env->mu);
	return rc;
}

static int
mem_rename(struct env_dir *dir, const char *from, const char *to)
{
	struct mem_dir *d = to_dir(dir);
	struct mem_node *node = NULL, *old = NULL;
	int rc = enter_dir(d, ENV_CALL_RENAME);

	if (rc == 0)
		rc = find_file_locked(d, from, &node);
	if (rc == 0) {
		rc = find_file_locked(d, to, &old);
		if (rc == -ENOENT)
			rc = 0;
	}
	if (rc == 0 && old != node) {
		if (old != NULL)
			unlink_locked(d->env, old);
		mem_dir_change(d->node, from, to, node);
	}
	mutex_unlock(&d->env->mu);
	return rc;
}

static int
mem_unlink(struct env_dir *dir, const char *name)
{
	struct mem_dir *d = to_dir(dir);
	struct mem_node *node;
	int rc = enter_dir(d, ENV_CALL_UNLINK);

	if (rc == 0)
		rc = find_file_locked(d, name, &node);
	if (rc == 0) {
		unlink_locked(d->env, node);
		mem_dir_change(d->node, name, NULL, NULL);
	}
	mutex_unlock(&d->env->mu);
	return rc;
}

static int
mem_names(struct env_dir *dir, const char *name, struct env_file *file)
{
	struct mem_dir *d = to_dir(dir);
	struct mem_node *node = NULL;
	int rc = enter_dir(d, ENV_CALL_NAMES);

	if (rc == 0) {
		rc = find_file_locked(d, name, &node);
		if (rc == -ENOENT || rc == -EISDIR)
			rc = 0;
		else if (rc == 0)
			rc = node == mem_handle_node(file);
	}
	mutex_unlock(&d->env->mu);
	return rc;
}

static const struct env_dir_ops mem_dir_ops = {
	.reopen = mem_dir_reopen,
	.close = mem_dir_close,
	.lock = mem_dir_lock,
	.lockers = mem_dir_lockers,
	.sync = mem_dir_fsync,
	.list = mem_dir_list,
	.space = mem_dir_space,
	.open = mem_open,
	.rename = mem_rename,
	.unlink = mem_unlink,
	.names = mem_names,
};
