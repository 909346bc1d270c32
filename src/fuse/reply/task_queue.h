/* SPDX-License-Identifier: ISC */
/*
 * A queue of tasks, and one thread that runs them in order; the thread is
 * started with the first task. It is for work that may wait for other
 * requests to be served, which a thread that serves requests must not do: if
 * all of them waited, nothing would go on.
 *
 * Threads: any may call task_queue_add().
 */
#ifndef KVFS_FUSE_REPLY_TASK_QUEUE_H
#define KVFS_FUSE_REPLY_TASK_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "util/mutex.h"

/* Embedded in the task's own structure, which run() frees. */
struct queued_task {
	STAILQ_ENTRY(queued_task) link;
	void (*run)(struct queued_task *task);
};

struct task_queue {
	struct mutex mu;
	struct cond wake;
	STAILQ_HEAD(, queued_task) queue GUARDED_BY(mu);
	bool is_running GUARDED_BY(mu); /* the thread was started */
	bool has_ended GUARDED_BY(mu);
	pthread_t thread;
};

void task_queue_init(struct task_queue *q);
/* Takes task and returns true. False: the thread could not be started, or
 * task_queue_end() was called; the caller still owns task. */
bool task_queue_add(struct task_queue *q, struct queued_task *task);
/* Take no more tasks, and return when all are done. Call it while requests
 * are still served. */
void task_queue_end(struct task_queue *q);
void task_queue_fini(struct task_queue *q);

#endif
