/* SPDX-License-Identifier: ISC */
/*
 * The env in memory: names, life, and what tests ask of it. Open files
 * stand in env_mem_handle.c; what files and crashes are made of in
 * env_mem_node.c and env_mem_crash.c.
 *
 * Threading: one lock around everything; the hook runs outside it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/env_mem_internal.h"

static struct env_mem *
to_mem(struct env *env)
{
	return (struct env_mem *)env;
}

void
mem_enter(struct env_mem *env, enum env_call call)
{
	if (env->hook != NULL && (ENV_CALL_BIT(call) & ENV_CALL_CHANGING))
		env->hook(env->hook_arg, call);
	mutex_lock(&env->mu);
	env->calls[call]++;
}

/* ---- Names ---- */

/*
 * The directory that holds path, and path's last name in name, or "" when
 * path is the root. -ENOENT, -ENOTDIR, -ENAMETOOLONG.
 */
static int
walk_locked(struct env_mem *env, const char *path, struct mem_node **dirp,
    char name[256])
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

static int
find_locked(struct env_mem *env, const char *path, struct mem_node **dirp,
    char name[256], struct mem_node **nodep)
{
	int rc = walk_locked(env, path, dirp, name);

	*nodep = NULL;
	if (rc < 0)
		return rc;
	*nodep = name[0] != '\0' ? mem_dir_find(*dirp, name) : *dirp;
	return *nodep != NULL ? 0 : -ENOENT;
}

static void
unlink_locked(struct env_mem *env, struct mem_node *node) REQUIRES(&env->mu)
{
	node->links--;
	mem_charge_locked(env, node);
}

/* A new node under a name that is free. */
static struct mem_node *
create_locked(struct mem_node *dir, const char *name, bool is_dir)
{
	struct mem_node *node = mem_node_create(is_dir);

	node->links = 1;
	mem_dir_change(dir, NULL, name, node);
	mem_node_unref(node); /* the entry has it */
	return node;
}

static int
mem_open(struct env *base, const char *path, unsigned flags,
    struct env_file **filep)
{
	struct env_mem *env = to_mem(base);
	bool creates = (flags & ENV_CREATE) != 0;
	struct mem_node *dir, *node;
	char name[256];
	int rc;

	mem_enter(env, creates ? ENV_CALL_CREATE : ENV_CALL_OPEN);
	rc = find_locked(env, path, &dir, name, &node);
	if (creates && rc == 0) {
		rc = -EEXIST;
	} else if (creates && rc == -ENOENT && dir != NULL) {
		node = create_locked(dir, name, false);
		rc = 0;
	} else if (rc == 0 && node->is_dir) {
		rc = -EISDIR;
	}
	if (rc == 0)
		*filep = mem_handle_open_locked(env, node,
		    (flags & ENV_WRITE) != 0);
	mutex_unlock(&env->mu);
	return rc;
}

static int
mem_rename(struct env *base, const char *from, const char *to)
{
	struct env_mem *env = to_mem(base);
	struct mem_node *from_dir, *to_dir, *node, *old;
	char from_name[256], to_name[256];
	int rc;

	mem_enter(env, ENV_CALL_RENAME);
	rc = find_locked(env, from, &from_dir, from_name, &node);
	if (rc == 0)
		rc = walk_locked(env, to, &to_dir, to_name);
	if (rc == 0 && from_dir != to_dir)
		rc = -EXDEV;
	if (rc == 0 && (from_name[0] == '\0' || to_name[0] == '\0'))
		rc = -EBUSY;
	if (rc < 0)
		goto out;
	old = mem_dir_find(to_dir, to_name);
	if (old == node)
		goto out;
	if (old != NULL && (old->is_dir || node->is_dir)) {
		rc = -EISDIR;
		goto out;
	}
	if (old != NULL)
		unlink_locked(env, old);
	mem_dir_change(to_dir, from_name, to_name, node);
out:
	mutex_unlock(&env->mu);
	return rc;
}

static int
mem_unlink(struct env *base, const char *path)
{
	struct env_mem *env = to_mem(base);
	struct mem_node *dir, *node;
	char name[256];
	int rc;

	mem_enter(env, ENV_CALL_UNLINK);
	rc = find_locked(env, path, &dir, name, &node);
	if (rc == 0 && node->is_dir)
		rc = -EISDIR;
	if (rc == 0) {
		unlink_locked(env, node);
		mem_dir_change(dir, name, NULL, NULL);
	}
	mutex_unlock(&env->mu);
	return rc;
}

static int
mem_link(struct env *base, const char *from, const char *to)
{
	struct env_mem *env = to_mem(base);
	struct mem_node *dir, *node, *other;
	char name[256];
	int rc;

	mem_enter(env, ENV_CALL_LINK);
	rc = find_locked(env, from, &dir, name, &node);
	if (rc == 0 && node->is_dir)
		rc = -EPERM;
	if (rc == 0) {
		rc = find_locked(env, to, &dir, name, &other);
		if (rc == 0)
			rc = -EEXIST;
		else if (rc == -ENOENT && dir != NULL)
			rc = 0;
	}
	if (rc == 0) {
		node->links++;
		mem_dir_change(dir, NULL, name, node);
	}
	mutex_unlock(&env->mu);
	return rc;
}

static int
mem_mkdir(struct env *base, const char *path)
{
	struct env_mem *env = to_mem(base);
	struct mem_node *dir, *node;
	char name[256];
	int rc;

	mem_enter(env, ENV_CALL_MKDIR);
	rc = find_locked(env, path, &dir, name, &node);
	if (rc == 0) {
		rc = -EEXIST;
	} else if (rc == -ENOENT && dir != NULL) {
		create_locked(dir, name, true);
		rc = 0;
	}
	mutex_unlock(&env->mu);
	return rc;
}

static int
find_dir_locked(struct env_mem *env, const char *path, struct mem_node **nodep)
{
	struct mem_node *dir;
	char name[256];
	int rc = find_locked(env, path, &dir, name, nodep);

	if (rc == 0 && !(*nodep)->is_dir)
		rc = -ENOTDIR;
	return rc;
}

static int
mem_sync_dir(struct env *base, const char *path)
{
	struct env_mem *env = to_mem(base);
	struct mem_node *node;
	int rc;

	mem_enter(env, ENV_CALL_SYNC_DIR);
	rc = find_dir_locked(env, path, &node);
	if (rc == 0)
		mem_dir_sync(node);
	mutex_unlock(&env->mu);
	return rc;
}

static int
mem_list(struct env *base, const char *path,
    int (*fn)(void *arg, const char *name), void *arg)
{
	struct env_mem *env = to_mem(base);
	char(*names)[256] = NULL;
	struct mem_node *node;
	struct mem_entry *e;
	size_t count = 0;
	int rc;

	mem_enter(env, ENV_CALL_LIST);
	rc = find_dir_locked(env, path, &node);
	if (rc == 0) {
		TAILQ_FOREACH (e, &node->entries_now, link)
			count++;
		names = mem_alloc(count * sizeof(*names));
		count = 0;
		TAILQ_FOREACH (e, &node->entries_now, link)
			strcpy(names[count++], e->name);
	}
	mutex_unlock(&env->mu);
	for (size_t i = 0; i < count && rc >= 0; i++)
		rc = fn(arg, names[i]);
	free(names);
	return rc < 0 ? rc : 0;
}

static int
mem_space(struct env *base, const char *path, struct env_space *spacep)
{
	struct env_mem *env = to_mem(base);
	struct mem_node *dir, *node;
	char name[256];
	int rc;

	*spacep = (struct env_space){ 0 };
	mem_enter(env, ENV_CALL_SPACE);
	rc = find_locked(env, path, &dir, name, &node);
	if (rc == 0)
		*spacep = (struct env_space){ env->total,
			mem_free_locked(env) };
	mutex_unlock(&env->mu);
	return rc;
}

static int
mem_lock(struct env *base, const char *path, const char *text,
    struct env_file **lockp)
{
	struct env_mem *env = to_mem(base);
	struct mem_node *dir, *node;
	char name[256];
	int rc;

	mem_enter(env, ENV_CALL_LOCK);
	rc = find_locked(env, path, &dir, name, &node);
	if (rc == -ENOENT && dir != NULL) {
		node = create_locked(dir, name, false);
		rc = 0;
	}
	if (rc == 0 && node->lock_holder != NULL)
		rc = -EBUSY;
	if (rc == 0) {
		*lockp = mem_handle_open_locked(env, node, true);
		node->lock_holder = *lockp;
		if (text != NULL) {
			mem_file_write(node, text, strlen(text), 0);
			mem_file_resize(node, strlen(text));
		}
		mem_charge_locked(env, node);
	}
	mutex_unlock(&env->mu);
	return rc;
}

const struct env_ops env_mem_ops = {
	.open = mem_open,
	.rename = mem_rename,
	.unlink = mem_unlink,
	.link = mem_link,
	.mkdir = mem_mkdir,
	.sync_dir = mem_sync_dir,
	.list = mem_list,
	.space = mem_space,
	.lock = mem_lock,
	.file_close = mem_handle_close,
	.file_read = mem_handle_read,
	.file_write = mem_handle_write,
	.file_sync = mem_handle_sync,
	.file_allocate = mem_handle_allocate,
	.file_map = mem_handle_map,
	.file_truncate = mem_handle_truncate,
	.file_size = mem_handle_size,
	.file_writeback = mem_handle_writeback,
	.file_advise = mem_handle_advise,
};

/* ---- Life and crashes ---- */

struct env *
env_mem_create(uint64_t seed)
{
	struct env_mem *env = mem_alloc(sizeof(*env));

	env->base.ops = &env_mem_ops;
	mutex_init(&env->mu);
	env->rnd.state = seed;
	env->root = mem_node_create(true);
	env->total = 1ull << 40;
	return &env->base;
}

void
env_mem_destroy(struct env *base)
{
	struct env_mem *env = to_mem(base);

	if (env == NULL)
		return;
	mem_node_unref(env->root);
	mutex_fini(&env->mu);
	free(env);
}

static void
charge_tree_locked(struct env_mem *env, struct mem_node *dir) REQUIRES(&env->mu)
{
	struct mem_entry *e;

	TAILQ_FOREACH (e, &dir->entries_now, link) {
		if (e->node->is_dir)
			charge_tree_locked(env, e->node);
		else
			mem_charge_locked(env, e->node);
	}
}

void
env_mem_crash(struct env *base, enum env_mem_crash_mode mode)
{
	struct env_mem *env = to_mem(base);
	struct mem_node *root;

	mutex_lock(&env->mu);
	root = mem_tree_copy(env->root, mode, &env->rnd);
	mem_node_unref(env->root);
	env->root = root;
	env->generation++;
	env->used = 0;
	charge_tree_locked(env, root);
	mutex_unlock(&env->mu);
}

struct env *
env_mem_crash_copy(struct env *base, enum env_mem_crash_mode mode,
    uint64_t seed)
{
	struct env_mem *env = to_mem(base);
	struct env *other = env_mem_create(seed);
	struct env_mem *copy = to_mem(other);

	mem_node_unref(copy->root);
	mutex_lock(&env->mu);
	copy->root = mem_tree_copy(env->root, mode, &copy->rnd);
	copy->total = env->total;
	mutex_unlock(&env->mu);
	mutex_lock(&copy->mu);
	charge_tree_locked(copy, copy->root);
	mutex_unlock(&copy->mu);
	return other;
}

/* ---- For tests ---- */

void
env_mem_set_total(struct env *base, uint64_t total_bytes)
{
	struct env_mem *env = to_mem(base);

	mutex_lock(&env->mu);
	env->total = total_bytes;
	mutex_unlock(&env->mu);
}

void
env_mem_set_free(struct env *base, uint64_t free_bytes)
{
	struct env_mem *env = to_mem(base);

	mutex_lock(&env->mu);
	env->total = env->used + free_bytes;
	mutex_unlock(&env->mu);
}

uint64_t
env_mem_calls(struct env *base, enum env_call call)
{
	struct env_mem *env = to_mem(base);
	uint64_t n;

	mutex_lock(&env->mu);
	n = env->calls[call];
	mutex_unlock(&env->mu);
	return n;
}

uint64_t
env_mem_bytes_written(struct env *base)
{
	struct env_mem *env = to_mem(base);
	uint64_t n;

	mutex_lock(&env->mu);
	n = env->bytes_written;
	mutex_unlock(&env->mu);
	return n;
}

void
env_mem_set_hook(struct env *base, void (*fn)(void *arg, enum env_call call),
    void *arg)
{
	struct env_mem *env = to_mem(base);

	env->hook = fn;
	env->hook_arg = arg;
}
