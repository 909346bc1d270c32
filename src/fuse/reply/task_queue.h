/* SPDX-License-Identifier: ISC */
/*
 * Work that may have to wait for other requests to be served, and so must
 * not be done by a thread that serves them: a queue, and a thread for it
 * that is started with the first task.
 */
#ifndef KVFS_FUSE_REPLY_TASK_QUEUE_H
#define KVFS_FUSE_REPLY_TASK_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "util/mutex.h"

/* Embedded by its maker, whose run() frees it. */
struct queued_task {
	STAILQ_ENTRY(queued_task) link;
	void (*run)(struct queued_task *task);
};

struct task_queue {
	struct mutex mu;
	struct cond wake;
	STAILQ_HEAD(, queued_task) queue GUARDED_BY(mu);
	bool is_running GUARDED_BY(mu); /* there is a thread */
	bool has_ended GUARDED_BY(mu);
	pthread_t thread;
};

void task_queue_init(struct task_queue *q);
/* Takes task and returns true; or the caller must do without it, as there
 * is no thread to be had, or task_queue_end() was called. */
bool task_queue_add(struct task_queue *q, struct queued_task *task);
/* Take no more tasks, and return when all are done. Requests must be served
 * still. */
void task_queue_end(struct task_queue *q);
void task_queue_fini(struct task_queue *q);

#endif
