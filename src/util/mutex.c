/* SPDX-License-Identifier: ISC */
/* Annotated locks; see mutex.h for the lock order. */
#include "util/mutex.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"

static void
abort_on_error(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "kvfs: bug: %s: %s\n", what, strerror(rc));
	abort();
}

void
mutex_init(struct mutex *m)
{
	pthread_mutexattr_t attr;

	/* Most are held for less than a sleep takes. */
	abort_on_error(pthread_mutexattr_init(&attr), "mutexattr_init");
	abort_on_error(pthread_mutexattr_settype(&attr,
			   PTHREAD_MUTEX_ADAPTIVE_NP),
	    "mutexattr_settype");
	abort_on_error(pthread_mutex_init(&m->m, &attr), "mutex_init");
	abort_on_error(pthread_mutexattr_destroy(&attr), "mutexattr_destroy");
}

void
mutex_fini(struct mutex *m)
{
	abort_on_error(pthread_mutex_destroy(&m->m), "mutex_fini");
}

void
mutex_lock(struct mutex *m) NO_THREAD_SAFETY
{
	abort_on_error(pthread_mutex_lock(&m->m), "mutex_lock");
}

bool
mutex_trylock(struct mutex *m) NO_THREAD_SAFETY
{
	int rc = pthread_mutex_trylock(&m->m);

	if (rc == EBUSY)
		return false;
	abort_on_error(rc, "mutex_trylock");
	return true;
}

void
mutex_unlock(struct mutex *m) NO_THREAD_SAFETY
{
	abort_on_error(pthread_mutex_unlock(&m->m), "mutex_unlock");
}

void
mutex_assert_held(struct mutex *m) NO_THREAD_SAFETY
{
#ifndef NDEBUG
	int rc = pthread_mutex_trylock(&m->m);

	assert(rc == EBUSY);
#else
	(void)m;
#endif
}

void
cond_init(struct cond *c)
{
	pthread_condattr_t attr;

	abort_on_error(pthread_condattr_init(&attr), "condattr_init");
	abort_on_error(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC),
	    "setclock");
	abort_on_error(pthread_cond_init(&c->c, &attr), "cond_init");
	abort_on_error(pthread_condattr_destroy(&attr), "condattr_destroy");
}

void
cond_fini(struct cond *c)
{
	abort_on_error(pthread_cond_destroy(&c->c), "cond_fini");
}

void
cond_wait(struct cond *c, struct mutex *m)
{
	abort_on_error(pthread_cond_wait(&c->c, &m->m), "cond_wait");
}

bool
cond_wait_until(struct cond *c, struct mutex *m, uint64_t deadline_ns)
{
	struct timespec ts = { (time_t)(deadline_ns / NS_PER_S),
		(long)(deadline_ns % NS_PER_S) };
	int rc = pthread_cond_timedwait(&c->c, &m->m, &ts);

	if (rc == ETIMEDOUT)
		return false;
	abort_on_error(rc, "cond_wait_until");
	return true;
}

void
cond_signal(struct cond *c)
{
	abort_on_error(pthread_cond_signal(&c->c), "cond_signal");
}

void
cond_broadcast(struct cond *c)
{
	abort_on_error(pthread_cond_broadcast(&c->c), "cond_broadcast");
}
