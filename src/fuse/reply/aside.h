/* SPDX-License-Identifier: ISC */
/*
 * Work that may have to wait for other requests to be served, and so must
 * not be done by a thread that serves them: a queue, and a thread for it
 * that is started with the first task.
 */
#ifndef KVFS_FUSE_REPLY_ASIDE_H
#define KVFS_FUSE_REPLY_ASIDE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "util/mutex.h"

/* Embedded by its maker, whose run() frees it. */
struct aside_task {
	STAILQ_ENTRY(aside_task) link;
	void (*run)(struct aside_task *task);
};

struct aside {
	struct mutex mu;
	struct cond wake;
	STAILQ_HEAD(, aside_task) queue GUARDED_BY(mu);
	bool is_running GUARDED_BY(mu); /* there is a thread */
	bool has_ended GUARDED_BY(mu);
	pthread_t thread;
};

void aside_init(struct aside *a);
/* Takes task and returns true; or the caller must do without it, as there
 * is no thread to be had, or aside_end() was called. */
bool aside_add(struct aside *a, struct aside_task *task);
/* Take no more tasks, and return when all are done. Requests must be served
 * still. */
void aside_end(struct aside *a);
void aside_fini(struct aside *a);

#endif
