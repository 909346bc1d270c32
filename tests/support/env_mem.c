/* SPDX-License-Identifier: ISC */
/*
 * The env in memory: create, crash, destroy, and the functions for tests.
 * Directories are in env_mem_dir.c, open files in env_mem_handle.c, contents in
 * env_mem_node.c, the state after a crash in env_mem_crash.c.
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

static const struct env_ops env_mem_ops = {
	.dir_open = mem_dir_open,
	.dir_make = mem_dir_make,
};

/* ---- Create, destroy, crash ---- */

struct env *
env_mem_create(uint64_t seed) UNSHARED
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
env_mem_destroy(struct env *base) UNSHARED
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

	mutex_lock(&copy->mu);
	mem_node_unref(copy->root);
	mutex_lock(&env->mu);
	copy->root = mem_tree_copy(env->root, mode, &copy->rnd);
	copy->total = env->total;
	mutex_unlock(&env->mu);
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
