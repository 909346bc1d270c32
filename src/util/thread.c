/* SPDX-License-Identifier: ISC */
/* See thread.h. */
#include "util/thread.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

/* Set the processors and the policy of the first thread. POSIX attributes do
 * not accept SCHED_BATCH, so SCHED_OTHER is used in its place. */
static void
set_as_first_thread(pthread_attr_t *attr)
{
	const pid_t first = getpid();
	const int policy = sched_getscheduler(first);
	cpu_set_t set;

	if (policy == SCHED_OTHER || policy == SCHED_BATCH) {
		(void)pthread_attr_setschedpolicy(attr, SCHED_OTHER);
		(void)pthread_attr_setinheritsched(attr,
		    PTHREAD_EXPLICIT_SCHED);
	}
	if (sched_getaffinity(first, sizeof(set), &set) == 0)
		(void)pthread_attr_setaffinity_np(attr, sizeof(set), &set);
}

/* Start a thread with those of the first one, or with inherited ones. A
 * positive errno. */
static int
start_with(pthread_t *threadp, bool is_detached, bool as_first,
    void *(*fn)(void *arg), void *arg)
{
	pthread_attr_t attr;
	int err = pthread_attr_init(&attr);

	if (err != 0)
		return err;
	if (is_detached)
		(void)pthread_attr_setdetachstate(&attr,
		    PTHREAD_CREATE_DETACHED);
	if (as_first)
		set_as_first_thread(&attr);
	err = pthread_create(threadp, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	return err;
}

int
thread_start(pthread_t *threadp, bool is_detached, void *(*fn)(void *arg),
    void *arg)
{
	int err = start_with(threadp, is_detached, true, fn, arg);

	/* A sandbox may forbid to set a policy or processors, even the present
	 * ones. */
	if (err == EPERM)
		err = start_with(threadp, is_detached, false, fn, arg);
	return -err;
}
