/* SPDX-License-Identifier: ISC */
/* The env that fails on demand; see env_fault.h. */
#include "support/env_fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/mutex.h"

struct env_fault {
	struct env base;
	struct env *below;

	struct mutex mu;
	struct env_fault_rule rule GUARDED_BY(mu);
	bool is_armed GUARDED_BY(mu);
	uint64_t matched GUARDED_BY(mu), failed GUARDED_BY(mu);
	uint64_t calls[ENV_CALL_COUNT] GUARDED_BY(mu);
};

struct fault_dir {
	struct env_dir base; /* its path is that of below */
	struct env_fault *env;
	struct env_dir *below;
};

struct fault_file {
	struct env_file base;
	struct env_fault *env;
	struct env_file *below;
};

static const struct env_dir_ops fault_dir_ops;
static const struct env_file_ops fault_file_ops;

static struct env_fault *
to_fault(struct env *env)
{
	return (struct env_fault *)env;
}

static struct fault_dir *
to_dir(struct env_dir *dir)
{
	return (struct fault_dir *)dir;
}

static struct fault_file *
to_file(struct env_file *file)
{
	return (struct fault_file *)file;
}

/* Count a call: 0 to pass it on, else the error that it fails with. */
static int
judge(struct env_fault *env, enum env_call call, bool *writes_halfp)
{
	const struct env_fault_rule *r = &env->rule;
	int rc = 0;

	mutex_lock(&env->mu);
	env->calls[call]++;
	if (env->is_armed &&
	    (r->calls == 0 || (r->calls & ENV_CALL_BIT(call)) != 0)) {
		env->matched++;
		if (env->matched == r->nth ||
		    (r->lasts && env->matched > r->nth)) {
			env->failed++;
			rc = -r->error;
		}
	}
	if (writes_halfp != NULL)
		*writes_halfp = r->writes_half;
	mutex_unlock(&env->mu);
	return rc;
}

static int
wrap(struct env_fault *env, struct env_file *below, struct env_file **filep)
{
	struct fault_file *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		env_close(below);
		return -ENOMEM;
	}
	f->base.ops = &fault_file_ops;
	f->env = env;
	f->below = below;
	*filep = &f->base;
	return 0;
}

/* ---- Directories ---- */

static int
wrap_dir(struct env_fault *env, struct env_dir *below, struct env_dir **dirp)
{
	struct fault_dir *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		env_dir_close(below);
		return -ENOMEM;
	}
	d->base.ops = &fault_dir_ops;
	d->base.path = below->path;
	d->env = env;
	d->below = below;
	*dirp = &d->base;
	return 0;
}

static int
fault_dir_open(struct env *base, const char *path, struct env_dir **dirp)
{
	struct env_fault *env = to_fault(base);
	struct env_dir *below;
	int rc = judge(env, ENV_CALL_OPEN_DIR, NULL);

	if (rc == 0)
		rc = env_dir_open(env->below, path, &below);
	return rc == 0 ? wrap_dir(env, below, dirp) : rc;
}

static int
fault_dir_make(struct env *base, const char *path, struct env_dir **dirp)
{
	struct env_fault *env = to_fault(base);
	struct env_dir *below;
	int rc = judge(env, ENV_CALL_MKDIR, NULL);

	if (rc == 0)
		rc = env_dir_make(env->below, path, &below);
	return rc == 0 ? wrap_dir(env, below, dirp) : rc;
}

static int
fault_dir_reopen(struct env_dir *dir, struct env_dir **dirp)
{
	struct fault_dir *d = to_dir(dir);
	struct env_dir *below;
	int rc = judge(d->env, ENV_CALL_OPEN_DIR, NULL);

	if (rc == 0)
		rc = env_dir_reopen(d->below, &below);
	return rc == 0 ? wrap_dir(d->env, below, dirp) : rc;
}

static void
fault_dir_close(struct env_dir *dir)
{
	env_dir_close(to_dir(dir)->below);
	free(dir);
}

static int
fault_dir_lock(struct env_dir *dir, enum env_lock_mode mode)
{
	struct fault_dir *d = to_dir(dir);
	int rc = judge(d->env, ENV_CALL_LOCK_DIR, NULL);

	return rc == 0 ? env_dir_lock(d->below, mode) : rc;
}

static void
fault_dir_lockers(struct env_dir *dir, char *text, size_t len)
{
	env_dir_lockers(to_dir(dir)->below, text, len);
}

static int
fault_dir_sync(struct env_dir *dir)
{
	struct fault_dir *d = to_dir(dir);
	int rc = judge(d->env, ENV_CALL_SYNC_DIR, NULL);

	return rc == 0 ? env_dir_sync(d->below) : rc;
}

static int
fault_dir_list(struct env_dir *dir, int (*fn)(void *arg, const char *name),
    void *arg)
{
	struct fault_dir *d = to_dir(dir);
	int rc = judge(d->env, ENV_CALL_LIST, NULL);

	return rc == 0 ? env_dir_list(d->below, fn, arg) : rc;
}

static int
fault_dir_space(struct env_dir *dir, struct env_space *spacep)
{
	struct fault_dir *d = to_dir(dir);
	int rc = judge(d->env, ENV_CALL_SPACE, NULL);

	*spacep = (struct env_space){ 0 };
	return rc == 0 ? env_dir_space(d->below, spacep) : rc;
}

/* ---- Names ---- */

static int
fault_open(struct env_dir *dir, const char *name, unsigned flags,
    struct env_file **filep)
{
	struct fault_dir *d = to_dir(dir);
	struct env_file *below;
	int rc = judge(d->env,
	    (flags & ENV_CREATE) != 0 ? ENV_CALL_CREATE : ENV_CALL_OPEN, NULL);

	if (rc == 0)
		rc = env_open(d->below, name, flags, &below);
	return rc == 0 ? wrap(d->env, below, filep) : rc;
}

static int
fault_rename(struct env_dir *dir, const char *from, const char *to)
{
	struct fault_dir *d = to_dir(dir);
	int rc = judge(d->env, ENV_CALL_RENAME, NULL);

	return rc == 0 ? env_rename(d->below, from, to) : rc;
}

static int
fault_unlink(struct env_dir *dir, const char *name)
{
	struct fault_dir *d = to_dir(dir);
	int rc = judge(d->env, ENV_CALL_UNLINK, NULL);

	return rc == 0 ? env_unlink(d->below, name) : rc;
}

static int
fault_names(struct env_dir *dir, const char *name, struct env_file *file)
{
	struct fault_dir *d = to_dir(dir);
	int rc = judge(d->env, ENV_CALL_NAMES, NULL);

	return rc == 0 ? env_names(d->below, name, to_file(file)->below) : rc;
}

/* ---- Open files ---- */

static void
fault_close(struct env_file *file)
{
	env_close(to_file(file)->below);
	free(file);
}

static ssize_t
fault_read(struct env_file *file, void *buf, size_t len, uint64_t off)
{
	struct fault_file *f = to_file(file);
	int rc = judge(f->env, ENV_CALL_READ, NULL);

	return rc == 0 ? env_read(f->below, buf, len, off) : rc;
}

/* Write the first half of iov; the result is ignored. */
static void
write_half(struct env_file *below, const struct iovec *iov, int iovcnt,
    uint64_t off)
{
	size_t left = 0;

	for (int i = 0; i < iovcnt; i++)
		left += iov[i].iov_len;
	left /= 2;
	for (int i = 0; i < iovcnt && left > 0; i++) {
		struct iovec part = iov[i];

		if (part.iov_len > left)
			part.iov_len = left;
		(void)env_write(below, &part, 1, off);
		off += part.iov_len;
		left -= part.iov_len;
	}
}

static int
fault_write(struct env_file *file, const struct iovec *iov, int iovcnt,
    uint64_t off)
{
	struct fault_file *f = to_file(file);
	bool writes_half;
	int rc = judge(f->env, ENV_CALL_WRITE, &writes_half);

	if (rc == 0)
		return env_write(f->below, iov, iovcnt, off);
	if (writes_half)
		write_half(f->below, iov, iovcnt, off);
	return rc;
}

static int
fault_sync(struct env_file *file)
{
	struct fault_file *f = to_file(file);
	int rc = judge(f->env, ENV_CALL_SYNC, NULL);

	return rc == 0 ? env_sync(f->below) : rc;
}

static int
fault_allocate(struct env_file *file, uint64_t size, bool zero)
{
	struct fault_file *f = to_file(file);
	int rc = judge(f->env, ENV_CALL_ALLOCATE, NULL);

	return rc == 0 ? env_allocate(f->below, size, zero) : rc;
}

static int
fault_map(struct env_file *file, uint64_t size)
{
	struct fault_file *f = to_file(file);
	int rc = judge(f->env, ENV_CALL_MAP, NULL);

	return rc == 0 ? env_map(f->below, size) : rc;
}

static int
fault_truncate(struct env_file *file, uint64_t size)
{
	struct fault_file *f = to_file(file);
	int rc = judge(f->env, ENV_CALL_TRUNCATE, NULL);

	return rc == 0 ? env_truncate(f->below, size) : rc;
}

static int
fault_size(struct env_file *file, uint64_t *sizep)
{
	struct fault_file *f = to_file(file);
	int rc = judge(f->env, ENV_CALL_SIZE, NULL);

	*sizep = 0;
	return rc == 0 ? env_size(f->below, sizep) : rc;
}

static int
fault_lock(struct env_file *file, enum env_lock_mode mode)
{
	struct fault_file *f = to_file(file);
	int rc = judge(f->env, ENV_CALL_LOCK, NULL);

	return rc == 0 ? env_lock(f->below, mode) : rc;
}

static void
fault_writeback(struct env_file *file, uint64_t off, uint64_t len)
{
	env_writeback(to_file(file)->below, off, len);
}

static void
fault_advise(struct env_file *file, uint64_t off, uint64_t len,
    enum env_advice advice)
{
	env_advise(to_file(file)->below, off, len, advice);
}

static const struct env_file_ops fault_file_ops = {
	.close = fault_close,
	.read = fault_read,
	.write = fault_write,
	.sync = fault_sync,
	.allocate = fault_allocate,
	.map = fault_map,
	.truncate = fault_truncate,
	.size = fault_size,
	.lock = fault_lock,
	.writeback = fault_writeback,
	.advise = fault_advise,
};

static const struct env_dir_ops fault_dir_ops = {
	.reopen = fault_dir_reopen,
	.close = fault_dir_close,
	.lock = fault_dir_lock,
	.lockers = fault_dir_lockers,
	.sync = fault_dir_sync,
	.list = fault_dir_list,
	.space = fault_dir_space,
	.open = fault_open,
	.rename = fault_rename,
	.unlink = fault_unlink,
	.names = fault_names,
};

static const struct env_ops fault_ops = {
	.dir_open = fault_dir_open,
	.dir_make = fault_dir_make,
};

struct env *
env_fault_create(struct env *below)
{
	struct env_fault *env = calloc(1, sizeof(*env));

	if (env == NULL)
		abort();
	env->base.ops = &fault_ops;
	env->below = below;
	mutex_init(&env->mu);
	return &env->base;
}

void
env_fault_destroy(struct env *base)
{
	if (base == NULL)
		return;
	mutex_fini(&to_fault(base)->mu);
	free(base);
}

static void
set_rule(struct env_fault *env, const struct env_fault_rule *rule)
{
	mutex_lock(&env->mu);
	env->is_armed = rule != NULL;
	if (rule != NULL) {
		env->rule = *rule;
		env->matched = env->failed = 0;
	}
	mutex_unlock(&env->mu);
}

void
env_fault_arm(struct env *env, const struct env_fault_rule *rule)
{
	set_rule(to_fault(env), rule);
}

void
env_fault_disarm(struct env *env)
{
	set_rule(to_fault(env), NULL);
}

static uint64_t
read_counter(struct env_fault *env, const uint64_t *counter)
{
	uint64_t n;

	mutex_lock(&env->mu);
	n = *counter;
	mutex_unlock(&env->mu);
	return n;
}

uint64_t
env_fault_matched(struct env *env)
{
	return read_counter(to_fault(env), &to_fault(env)->matched);
}

uint64_t
env_fault_failed(struct env *env)
{
	return read_counter(to_fault(env), &to_fault(env)->failed);
}

uint64_t
env_fault_calls(struct env *base, unsigned calls)
{
	struct env_fault *env = to_fault(base);
	uint64_t n = 0;

	for (int i = 0; i < ENV_CALL_COUNT; i++) {
		if (calls & ENV_CALL_BIT(i))
			n += read_counter(env, &env->calls[i]);
	}
	return n;
}
