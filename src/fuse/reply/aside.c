/* SPDX-License-Identifier: ISC */
/* Tasks one after the other on a thread of their own; see aside.h. */
#include "fuse/reply/aside.h"

#include <string.h>

#include "util/log.h"

void
aside_init(struct aside *a)
{
	*a = (struct aside){ .is_running = false };
	mutex_init(&a->mu);
	cond_init(&a->wake);
	STAILQ_INIT(&a->queue);
}

static void *
run_tasks(void *arg)
{
	struct aside *a = arg;
	struct aside_task *task;

	mutex_lock(&a->mu);
	for (;;) {
		task = STAILQ_FIRST(&a->queue);
		if (task != NULL) {
			STAILQ_REMOVE_HEAD(&a->queue, link);
			mutex_unlock(&a->mu);
			task->run(task);
			mutex_lock(&a->mu);
		} else if (a->has_ended) {
			break;
		} else {
			cond_wait(&a->wake, &a->mu);
		}
	}
	mutex_unlock(&a->mu);
	return NULL;
}

bool
aside_add(struct aside *a, struct aside_task *task)
{
	bool is_taken;
	int err = 0;

	mutex_lock(&a->mu);
	if (!a->is_running && !a->has_ended) {
		err = pthread_create(&a->thread, NULL, run_tasks, a);
		a->is_running = err == 0;
	}
	is_taken = a->is_running && !a->has_ended;
	if (is_taken) {
		STAILQ_INSERT_TAIL(&a->queue, task, link);
		cond_signal(&a->wake);
	}
	mutex_unlock(&a->mu);
	if (err != 0)
		log_warn("cannot start a thread: %s", strerror(err));
	return is_taken;
}

void
aside_end(struct aside *a)
{
	bool is_running;

	mutex_lock(&a->mu);
	is_running = a->is_running && !a->has_ended;
	a->has_ended = true;
	cond_signal(&a->wake);
	mutex_unlock(&a->mu);
	if (is_running)
		pthread_join(a->thread, NULL);
}

void
aside_fini(struct aside *a)
{
	cond_fini(&a->wake);
	mutex_fini(&a->mu);
}
