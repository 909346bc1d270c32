/* SPDX-License-Identifier: ISC */
/* What env_mem.c and env_mem_handle.c share. */
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

/* Begin a call: tell the hook, take the lock, count. */
void mem_enter(struct env_mem *env, enum env_call call) ACQUIRE(&env->mu);

/* Count what the file takes of the disk now. */
void mem_charge_locked(struct env_mem *env, struct mem_node *node)
    REQUIRES(&env->mu);
uint64_t mem_free_locked(const struct env_mem *env);

extern const struct env_ops env_mem_ops;

/* ---- Open files (env_mem_handle.c) ---- */

struct env_file *mem_handle_open_locked(struct env_mem *env,
    struct mem_node *node, bool is_writable) REQUIRES(&env->mu);
void mem_handle_close(struct env_file *file);
ssize_t mem_handle_read(struct env_file *file, void *buf, size_t len,
    uint64_t off);
int mem_handle_write(struct env_file *file, const struct iovec *iov, int iovcnt,
    uint64_t off);
int mem_handle_sync(struct env_file *file);
int mem_handle_allocate(struct env_file *file, uint64_t size, bool zero);
int mem_handle_map(struct env_file *file, uint64_t size);
int mem_handle_truncate(struct env_file *file, uint64_t size);
int mem_handle_size(struct env_file *file, uint64_t *sizep);
void mem_handle_writeback(struct env_file *file, uint64_t off, uint64_t len);
void mem_handle_advise(struct env_file *file, uint64_t off, uint64_t len,
    enum env_advice advice);

#endif
