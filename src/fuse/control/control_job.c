/* SPDX-License-Identifier: ISC */
/* See control_job.h. */
#include "fuse/control/control_job.h"

#include <errno.h>
#include <pthread.h>

#include "fuse/control/control.h"
#include "util/thread.h"

static unsigned
kind_bit(const struct control_job *job)
{
	return 1u << job->kind;
}

static void
end_thread(struct control *c)
{
	mutex_lock(&c->mu);
	c->job_threads--;
	cond_broadcast(&c->idle);
	mutex_unlock(&c->mu);
}

static void *
run_job(void *arg)
{
	struct control_job *job = arg;
	struct control *c = job->c;

	job->run(job);
	end_thread(c);
	return NULL;
}

int
control_job_start(struct control_job *job)
{
	struct control *c = job->c;
	pthread_t thread;
	bool busy;
	int rc;

	mutex_lock(&c->mu);
	busy = (c->jobs & kind_bit(job)) != 0;
	if (!busy) {
		c->jobs |= kind_bit(job);
		c->job_threads++;
	}
	mutex_unlock(&c->mu);
	if (busy)
		return -EBUSY;
	rc = thread_start(&thread, true, run_job, job);
	if (rc < 0) {
		control_job_finish(job);
		end_thread(c);
	}
	return rc;
}

void
control_job_finish(struct control_job *job)
{
	struct control *c = job->c;

	mutex_lock(&c->mu);
	c->jobs &= ~kind_bit(job);
	mutex_unlock(&c->mu);
}

void
control_job_await_all(struct control *c)
{
	mutex_lock(&c->mu);
	while (c->job_threads != 0)
		cond_wait(&c->idle, &c->mu);
	mutex_unlock(&c->mu);
}
