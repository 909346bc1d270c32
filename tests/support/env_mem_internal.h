/* SPDX-License-Identifier: ISC */
/* What env_mem.c, env_mem_dir.c and env_mem_handle.c share. */
#ifndef KVFS_SUPPORT_ENV_MEM_INTERNAL_H
#define KVFS_SUPPORT_ENV_MEM_INTERNAL_H

#include "support/env_mem_node.h"
#include "util/mutex.h"

struct env_mem {
	struct env base;
	void (*hook)(void *arg, enum env_call call); /* constant in use */
	void *hook_arg;

	struct mutex mu;
	struct mem_random rnd GUARDED_BY(mu);
	struct mem_node *root GUARDED_BY(mu);
	uint64_t generation GUARDED_BY(mu); /* crashes so far */
	uint64_t total GUARDED_BY(mu), used GUARDED_BY(mu);
	uint64_t calls[ENV_CALL_COUNT] GUARDED_BY(mu);
	uint64_t bytes_written GUARDED_BY(mu);
};

/* Begin a call: call the hook, take the lock, count. */
void mem_enter(struct env_mem *env, enum env_call call) ACQUIRE(&env->mu);

/* Count what the file takes of the disk now. */
void mem_charge_locked(struct env_mem *env, struct mem_node *node)
    REQUIRES(&env->mu);
uint64_t mem_free_locked(const struct env_mem *env) REQUIRES(&env->mu);

/* The handle who changes its lock from mode *from to mode to; *from is the mode
 * after that. */
int mem_lock_locked(struct mem_node *node, const void *who,
    enum env_lock_mode *from, enum env_lock_mode to);

/* ---- Directories and the names in them (env_mem_dir.c) ---- */

int mem_dir_open(struct env *base, const char *path, struct env_dir **dirp);
int mem_dir_make(struct env *base, const char *path, struct env_dir **dirp);

/* ---- Open files (env_mem_handle.c) ---- */

struct env_file *mem_handle_open_locked(struct env_mem *env,
    struct mem_node *node, bool is_writable) REQUIRES(&env->mu);
struct mem_node *mem_handle_node(struct env_file *file);

#endif
