/* SPDX-License-Identifier: ISC */
/* See task_queue.h. */
#include "fuse/reply/task_queue.h"

#include <string.h>

#include "util/log.h"
#include "util/thread.h"

void
task_queue_init(struct task_queue *q)
{
	*q = (struct task_queue){ .is_running = false };
	mutex_init(&q->mu);
	cond_init(&q->wake);
	STAILQ_INIT(&q->queue);
}

static void *
run_tasks(void *arg)
{
	struct task_queue *q = arg;
	struct queued_task *task;

	mutex_lock(&q->mu);
	for (;;) {
		task = STAILQ_FIRST(&q->queue);
		if (task != NULL) {
			STAILQ_REMOVE_HEAD(&q->queue, link);
			mutex_unlock(&q->mu);
			task->run(task);
			mutex_lock(&q->mu);
		} else if (q->has_ended) {
			break;
		} else {
			cond_wait(&q->wake, &q->mu);
		}
	}
	mutex_unlock(&q->mu);
	return NULL;
}

bool
task_queue_add(struct task_queue *q, struct queued_task *task)
{
	bool is_taken;
	int rc = 0;

	mutex_lock(&q->mu);
	if (!q->is_running && !q->has_ended) {
		rc = thread_start(&q->thread, false, run_tasks, q);
		q->is_running = rc == 0;
	}
	is_taken = q->is_running && !q->has_ended;
	if (is_taken) {
		STAILQ_INSERT_TAIL(&q->queue, task, link);
		cond_signal(&q->wake);
	}
	mutex_unlock(&q->mu);
	if (rc < 0)
		log_warn("cannot start a thread: %s", strerror(-rc));
	return is_taken;
}

void
task_queue_end(struct task_queue *q)
{
	bool is_running;

	mutex_lock(&q->mu);
	is_running = q->is_running && !q->has_ended;
	q->has_ended = true;
	cond_signal(&q->wake);
	mutex_unlock(&q->mu);
	if (is_running)
		pthread_join(q->thread, NULL);
}

void
task_queue_fini(struct task_queue *q)
{
	cond_fini(&q->wake);
	mutex_fini(&q->mu);
}
