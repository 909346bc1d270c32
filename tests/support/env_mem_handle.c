/* SPDX-License-Identifier: ISC */
/*
 * Open files of env_mem, and the disk space that files take. A crash raises the
 * generation; handles of an earlier one return -EIO.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/env_mem_internal.h"

#define BLOCK 4096u

struct mem_handle {
	struct env_file base;
	struct env_mem *env;
	struct mem_node *node;
	uint64_t generation;
	bool is_writable;
	enum env_lock_mode lock;
};

static const struct env_file_ops mem_handle_ops;

static struct mem_handle *
to_handle(struct env_file *file)
{
	return (struct mem_handle *)file;
}

void
mem_charge_locked(struct env_mem *env, struct mem_node *node)
{
	uint64_t takes = 0;

	if (!node->is_dir && (node->links > 0 || node->handles > 0))
		takes = (node->now.size + BLOCK - 1) / BLOCK * BLOCK;
	env->used += takes - node->charged;
	node->charged = takes;
}

uint64_t
mem_free_locked(const struct env_mem *env)
{
	return env->total > env->used ? env->total - env->used : 0;
}

int
mem_lock_locked(struct mem_node *node, const void *who,
    enum env_lock_mode *from, enum env_lock_mode to)
{
	if (*from == ENV_LOCK_EXCLUSIVE)
		node->lock_holder = NULL;
	else if (*from == ENV_LOCK_SHARED)
		node->lock_shared--;
	*from = ENV_LOCK_NONE;
	if (to == ENV_LOCK_NONE)
		return 0;
	if (node->lock_holder != NULL ||
	    (to == ENV_LOCK_EXCLUSIVE && node->lock_shared != 0))
		return -EBUSY;
	if (to == ENV_LOCK_EXCLUSIVE)
		node->lock_holder = who;
	else
		node->lock_shared++;
	*from = to;
	return 0;
}

struct env_file *
mem_handle_open_locked(struct env_mem *env, struct mem_node *node,
    bool is_writable)
{
	struct mem_handle *f = mem_alloc(sizeof(*f));

	f->base.ops = &mem_handle_ops;
	f->env = env;
	f->node = node;
	f->generation = env->generation;
	f->is_writable = is_writable;
	node->refs++;
	node->handles++;
	return &f->base;
}

static int
enter_file(struct mem_handle *f, enum env_call call) ACQUIRE(&f->env->mu)
{
	mem_enter(f->env, call);
	return f->generation == f->env->generation ? 0 : -EIO;
}

static void
mem_handle_close(struct env_file *file)
{
	struct mem_handle *f = to_handle(file);
	struct env_mem *env = f->env;

	mutex_lock(&env->mu);
	f->node->handles--;
	(void)mem_lock_locked(f->node, file, &f->lock, ENV_LOCK_NONE);
	if (f->generation == env->generation)
		mem_charge_locked(env, f->node);
	mem_node_unref(f->node);
	mutex_unlock(&env->mu);
	free(f);
}

static ssize_t
mem_handle_read(struct env_file *file, void *buf, size_t len, uint64_t off)
{
	struct mem_handle *f = to_handle(file);
	int rc = enter_file(f, ENV_CALL_READ);

	if (rc == 0 && (off > INT64_MAX || len > (uint64_t)INT64_MAX - off))
		rc = -EINVAL;
	if (rc == 0) {
		uint64_t size = f->node->now.size;

		if (off >= size)
			len = 0;
		else if (len > size - off)
			len = (size_t)(size - off);
		mem_file_read(f->node, buf, len, off);
	}
	mutex_unlock(&f->env->mu);
	return rc < 0 ? rc : (ssize_t)len;
}

/* The largest size, up to end, that the file can have on the disk now. */
static uint64_t
limit_locked(const struct env_mem *env, const struct mem_node *node,
    uint64_t end) REQUIRES(&env->mu)
{
	uint64_t most = node->charged + mem_free_locked(env) / BLOCK * BLOCK;

	if (end <= node->now.size || end <= most)
		return end;
	return most > node->now.size ? most : node->now.size;
}

static int
write_locked(struct mem_handle *f, const struct iovec *iov, int iovcnt,
    uint64_t off) REQUIRES(&f->env->mu)
{
	for (int i = 0; i < iovcnt; i++) {
		uint64_t end = off + iov[i].iov_len;
		uint64_t limit;

		if (iov[i].iov_len == 0)
			continue;
		if (off > INT64_MAX || end > INT64_MAX || end < off)
			return -EFBIG;
		limit = limit_locked(f->env, f->node, end);
		if (limit > off)
			mem_file_write(f->node, iov[i].iov_base,
			    (size_t)(limit - off), off);
		mem_charge_locked(f->env, f->node);
		if (limit < end)
			return -ENOSPC;
		f->env->bytes_written += iov[i].iov_len;
		off = end;
	}
	return 0;
}

static int
mem_handle_write(struct env_file *file, const struct iovec *iov, int iovcnt,
    uint64_t off)
{
	struct mem_handle *f = to_handle(file);
	int rc = enter_file(f, ENV_CALL_WRITE);

	if (rc == 0 && !f->is_writable)
		rc = -EBADF;
	if (rc == 0)
		rc = write_locked(f, iov, iovcnt, off);
	mutex_unlock(&f->env->mu);
	return rc;
}

static int
mem_handle_sync(struct env_file *file)
{
	struct mem_handle *f = to_handle(file);
	int rc = enter_file(f, ENV_CALL_SYNC);

	if (rc == 0)
		mem_file_sync(f->node);
	mutex_unlock(&f->env->mu);
	return rc;
}

static int
resize_locked(struct mem_handle *f, uint64_t size) REQUIRES(&f->env->mu)
{
	if (!f->is_writable)
		return -EBADF;
	if (size > INT64_MAX)
		return -EFBIG;
	if (limit_locked(f->env, f->node, size) < size)
		return -ENOSPC;
	mem_file_resize(f->node, size);
	mem_charge_locked(f->env, f->node);
	return 0;
}

static int
mem_handle_allocate(struct env_file *file, uint64_t size, bool zero)
{
	struct mem_handle *f = to_handle(file);
	int rc = enter_file(f, ENV_CALL_ALLOCATE);

	if (rc == 0 && size > f->node->now.size) {
		rc = resize_locked(f, size);
		if (rc == 0 && zero)
			mem_file_sync(f->node);
	}
	mutex_unlock(&f->env->mu);
	return rc;
}

static int
mem_handle_map(struct env_file *file, uint64_t size)
{
	struct mem_handle *f = to_handle(file);
	int rc = enter_file(f, ENV_CALL_MAP);

	if (rc == 0 && !f->is_writable)
		rc = -EBADF;
	else if (rc == 0 && (size == 0 || size > f->node->now.size))
		rc = -EINVAL;
	mutex_unlock(&f->env->mu);
	return rc;
}

static int
mem_handle_truncate(struct env_file *file, uint64_t size)
{
	struct mem_handle *f = to_handle(file);
	int rc = enter_file(f, ENV_CALL_TRUNCATE);

	if (rc == 0)
		rc = resize_locked(f, size);
	mutex_unlock(&f->env->mu);
	return rc;
}

static int
mem_handle_size(struct env_file *file, uint64_t *sizep)
{
	struct mem_handle *f = to_handle(file);
	int rc = enter_file(f, ENV_CALL_SIZE);

	*sizep = rc == 0 ? f->node->now.size : 0;
	mutex_unlock(&f->env->mu);
	return rc;
}

static int
mem_handle_lock(struct env_file *file, enum env_lock_mode mode)
{
	struct mem_handle *f = to_handle(file);
	int rc = enter_file(f, ENV_CALL_LOCK);

	if (rc == 0 && mode == ENV_LOCK_EXCLUSIVE && !f->is_writable)
		rc = -EBADF;
	if (rc == 0)
		rc = mem_lock_locked(f->node, file, &f->lock, mode);
	mutex_unlock(&f->env->mu);
	return rc;
}

struct mem_node *
mem_handle_node(struct env_file *file)
{
	return to_handle(file)->node;
}

static void
mem_handle_writeback(struct env_file *file, uint64_t off, uint64_t len)
{
	(void)file, (void)off, (void)len;
}

static void
mem_handle_advise(struct env_file *file, uint64_t off, uint64_t len,
    enum env_advice advice)
{
	(void)file, (void)off, (void)len, (void)advice;
}

static const struct env_file_ops mem_handle_ops = {
	.close = mem_handle_close,
	.read = mem_handle_read,
	.write = mem_handle_write,
	.sync = mem_handle_sync,
	.allocate = mem_handle_allocate,
	.map = mem_handle_map,
	.truncate = mem_handle_truncate,
	.size = mem_handle_size,
	.lock = mem_handle_lock,
	.writeback = mem_handle_writeback,
	.advise = mem_handle_advise,
};
