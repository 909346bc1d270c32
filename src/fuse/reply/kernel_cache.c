/* SPDX-License-Identifier: ISC */
/* Pages that must leave the kernel's cache; see kernel_cache.h. */
#include "fuse/reply/kernel_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/reply/reply.h"

/* A file that is open for writing. */
struct writer {
	LIST_ENTRY(writer) link;
	uint64_t ino;
};

/* A direct write, to be answered when older pages have gone. */
struct direct_write {
	struct page_drop drop; /* first */
	fuse_req_t req;
};

struct stale_name {
	struct queued_task task; /* first */
	struct connection *c;
	uint64_t parent;
	char name[]; /* NUL-terminated */
};

struct sync {
	struct queued_task task; /* first */
	fuse_req_t req;
	size_t n;
};

void
kernel_cache_init(struct kernel_cache *k)
{
	task_queue_init(&k->stale);
	task_queue_init(&k->sync);
	mutex_init(&k->mu);
	LIST_INIT(&k->writers);
}

void
kernel_cache_end(struct kernel_cache *k)
{
	task_queue_end(&k->sync);
	task_queue_end(&k->stale);
}

void
kernel_cache_fini(struct kernel_cache *k)
{
	struct writer *w;

	/* Those that were open when the mount ended. */
	while ((w = LIST_FIRST(&k->writers)) != NULL) {
		LIST_REMOVE(w, link);
		free(w);
	}
	mutex_fini(&k->mu);
	task_queue_fini(&k->sync);
	task_queue_fini(&k->stale);
}

/* ---- Stale pages ---- */

void
kernel_cache_forget_attr(struct connection *c, uint64_t ino)
{
	(void)fuse_lowlevel_notify_inval_inode(c->se, ino, -1, 0);
}

void
kernel_cache_forget_pages(struct connection *c, uint64_t ino)
{
	(void)fuse_lowlevel_notify_inval_inode(c->se, ino, 0, 0);
}

static void
drop_name(struct queued_task *task)
{
	struct stale_name *t = (struct stale_name *)task;

	/* Fails if the kernel has dropped it already. */
	(void)fuse_lowlevel_notify_inval_entry(t->c->se, t->parent, t->name,
	    strlen(t->name));
	free(t);
}

void
kernel_cache_forget_name(struct connection *c, uint64_t parent,
    const char *name)
{
	size_t len = strlen(name) + 1;
	struct stale_name *t = malloc(sizeof(*t) + len);

	if (t == NULL)
		return;
	t->task.run = drop_name;
	t->c = c;
	t->parent = parent;
	memcpy(t->name, name, len);
	if (!task_queue_add(&c->kernel_cache.stale, &t->task))
		free(t);
}

static void
drop_pages(struct queued_task *task)
{
	struct page_drop *drop = (struct page_drop *)task;

	(void)fuse_lowlevel_notify_inval_inode(drop->c->se, drop->ino,
	    (off_t)drop->off, (off_t)drop->n);
	drop->then(drop);
}

bool
kernel_cache_drop_pages(struct connection *c, struct page_drop *drop)
{
	drop->task.run = drop_pages;
	drop->c = c;
	return task_queue_add(&c->kernel_cache.stale, &drop->task);
}

static void
answer_direct_write(struct page_drop *drop)
{
	struct direct_write *w = (struct direct_write *)drop;

	reply_count(w->req, (ssize_t)drop->n);
	free(w);
}

void
kernel_cache_direct_written(fuse_req_t req, uint64_t ino, uint64_t off,
    size_t n)
{
	struct connection *c = request_connection(req);
	struct direct_write *w = malloc(sizeof(*w));

	if (w != NULL) {
		*w = (struct direct_write){
			.drop = { .ino = ino,
			    .off = off,
			    .n = n,
			    .then = answer_direct_write },
			.req = req,
		};
		if (kernel_cache_drop_pages(c, &w->drop))
			return;
		free(w);
	}
	/* Without memory the pages stay; the write itself is done. */
	reply_count(req, (ssize_t)n);
}

/* ---- Dirty pages ---- */

void
kernel_cache_opened(struct connection *c, uint64_t ino,
    struct fuse_file_info *fi)
{
	struct kernel_cache *k = &c->kernel_cache;
	struct writer *w;

	if (!c->kernel_writeback)
		return;
	w = malloc(sizeof(*w));
	if (w != NULL) {
		w->ino = ino;
		mutex_lock(&k->mu);
		LIST_INSERT_HEAD(&k->writers, w, link);
		mutex_unlock(&k->mu);
	}
	fi->fh = (uint64_t)(uintptr_t)w;
}

void
kernel_cache_closed(struct connection *c, const struct fuse_file_info *fi)
{
	struct kernel_cache *k = &c->kernel_cache;
	struct writer *w = (struct writer *)(uintptr_t)fi->fh;

	if (!c->kernel_writeback || w == NULL)
		return;
	mutex_lock(&k->mu);
	LIST_REMOVE(w, link);
	mutex_unlock(&k->mu);
	free(w);
}

/* The inodes that are open for writing; the caller frees them. */
static int
list_writers(struct kernel_cache *k, uint64_t **inosp, size_t *np)
{
	const struct writer *w;
	size_t n = 0;

	mutex_lock(&k->mu);
	LIST_FOREACH (w, &k->writers, link)
		n++;
	*inosp = calloc(n + 1, sizeof(**inosp));
	*np = 0;
	if (*inosp != NULL) {
		LIST_FOREACH (w, &k->writers, link)
			(*inosp)[(*np)++] = w->ino;
	}
	mutex_unlock(&k->mu);
	return *inosp != NULL ? 0 : -ENOMEM;
}

/* Before the kernel drops pages it writes those that are dirty. */
static int
write_back_pages(struct connection *c)
{
	uint64_t *inos;
	size_t n;
	int rc;

	rc = list_writers(&c->kernel_cache, &inos, &n);
	for (size_t i = 0; i < n; i++)
		kernel_cache_forget_pages(c, inos[i]);
	free(inos);
	return rc;
}

/* A write to a control file is answered with its length. */
static void
answer_sync(fuse_req_t req, int rc, size_t n)
{
	if (rc < 0 || n == 0)
		reply_status(req, rc);
	else
		reply_count(req, (ssize_t)n);
}

static void
collect_and_sync(struct queued_task *task)
{
	struct sync *t = (struct sync *)task;
	struct connection *c = request_connection(t->req);
	int rc = write_back_pages(c);

	if (rc == 0)
		rc = fs_sync(c->fs);
	answer_sync(t->req, rc, t->n);
	free(t);
}

void
kernel_cache_sync(fuse_req_t req, size_t n)
{
	struct connection *c = request_connection(req);
	struct sync *t;

	if (!c->kernel_writeback) {
		answer_sync(req, fs_sync(c->fs), n);
		return;
	}
	t = malloc(sizeof(*t));
	if (t != NULL) {
		*t = (struct sync){ .task.run = collect_and_sync,
			.req = req,
			.n = n };
		if (task_queue_add(&c->kernel_cache.sync, &t->task))
			return;
		free(t);
	}
	reply_status(req, -ENOMEM);
}
