/* SPDX-License-Identifier: ISC */
/* See mutex.h. */
#include "util/mutex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "util/invariant.h"

static void
abort_on_error(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "kvfs: bug: %s: %s\n", what, strerror(rc));
	abort();
}

/* ---- The holder of a mutex, in builds with checks ---- */

#if defined(KVFS_CHECKS)
static uintptr_t
my_mark(void)
{
	static _Thread_local char mark;

	return (uintptr_t)&mark;
}

static uintptr_t
owner_of(const struct mutex *m)
{
	return atomic_load_explicit(&m->owner, memory_order_relaxed);
}

static void
set_owner(struct mutex *m, uintptr_t mark)
{
	atomic_store_explicit(&m->owner, mark, memory_order_relaxed);
}

static void
owner_none(struct mutex *m)
{
	set_owner(m, 0);
}

static void
owner_begin(struct mutex *m)
{
	set_owner(m, my_mark());
}

static void
owner_end(struct mutex *m)
{
	invariant(owner_of(m) == my_mark(),
	    "mutex: let go by a thread that does not hold it");
	set_owner(m, 0);
}

static void
owner_is_not_me(const struct mutex *m)
{
	invariant(owner_of(m) != my_mark(),
	    "mutex: taken by the thread that holds it");
}

void
mutex_assert_held(const struct mutex *m) NO_THREAD_SAFETY
{
	invariant(owner_of(m) == my_mark(),
	    "mutex: the calling thread does not hold it");
}

void
mutex_assert_free(const struct mutex *m)
{
	invariant(owner_of(m) == 0, "mutex: a thread still holds it");
}
#else
#define owner_none(m) ((void)0)
#define owner_begin(m) ((void)0)
#define owner_end(m) ((void)0)
#define owner_is_not_me(m) ((void)0)
#endif

/* ---- Mutexes ---- */

void
mutex_init(struct mutex *m)
{
	pthread_mutexattr_t attr;

	/* Adaptive: most are held for less time than a sleep takes. */
	abort_on_error(pthread_mutexattr_init(&attr), "mutexattr_init");
	abort_on_error(pthread_mutexattr_settype(&attr,
			   PTHREAD_MUTEX_ADAPTIVE_NP),
	    "mutexattr_settype");
	abort_on_error(pthread_mutex_init(&m->m, &attr), "mutex_init");
	abort_on_error(pthread_mutexattr_destroy(&attr), "mutexattr_destroy");
	owner_none(m);
}

void
mutex_fini(struct mutex *m)
{
	mutex_assert_free(m);
	abort_on_error(pthread_mutex_destroy(&m->m), "mutex_fini");
}

void
mutex_lock(struct mutex *m) NO_THREAD_SAFETY
{
	owner_is_not_me(m);
	abort_on_error(pthread_mutex_lock(&m->m), "mutex_lock");
	owner_begin(m);
}

bool
mutex_trylock(struct mutex *m) NO_THREAD_SAFETY
{
	int rc = pthread_mutex_trylock(&m->m);

	if (rc == EBUSY)
		return false;
	abort_on_error(rc, "mutex_trylock");
	owner_begin(m);
	return true;
}

void
mutex_unlock(struct mutex *m) NO_THREAD_SAFETY
{
	owner_end(m);
	abort_on_error(pthread_mutex_unlock(&m->m), "mutex_unlock");
}

/* ---- Conditions ---- */

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
	owner_end(m);
	abort_on_error(pthread_cond_wait(&c->c, &m->m), "cond_wait");
	owner_begin(m);
}

bool
cond_wait_until(struct cond *c, struct mutex *m, uint64_t deadline_ns)
{
	struct timespec ts = { (time_t)(deadline_ns / NS_PER_S),
		(long)(deadline_ns % NS_PER_S) };
	int rc;

	owner_end(m);
	rc = pthread_cond_timedwait(&c->c, &m->m, &ts);
	owner_begin(m);
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
