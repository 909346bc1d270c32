/* SPDX-License-Identifier: ISC */
/*
 * Mutexes and condition variables with Clang's thread-safety annotations;
 * make lint checks them. Failures of pthreads are our bugs: they abort.
 *
 * Lock order, outermost first; a thread holding one takes only later ones:
 *
 *   fs     orphan reap, rename, the right to change an inode (parent before
 *          child, else by number), inode (live_inode.h), inode table shard,
 *          write-back, orphans
 *   engine commit, sync, state (db), version list, table cache, block
 *          cache shard, segment, warm-up, fault
 *   util   log
 */
#ifndef KVFS_UTIL_MUTEX_H
#define KVFS_UTIL_MUTEX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__clang__)
#define TS_ATTR(x) __attribute__((x))
#else
#define TS_ATTR(x)
#endif
#define CAPABILITY(x) TS_ATTR(capability(x))
#define ACQUIRE(...) TS_ATTR(acquire_capability(__VA_ARGS__))
#define RELEASE(...) TS_ATTR(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) TS_ATTR(try_acquire_capability(__VA_ARGS__))
#define REQUIRES(...) TS_ATTR(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) TS_ATTR(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY TS_ATTR(no_thread_safety_analysis)
/* Nobody else can reach the object yet, or any more. */
#define UNSHARED NO_THREAD_SAFETY
#define ASSERTS_HELD(...) TS_ATTR(assert_capability(__VA_ARGS__))
/* On a member of a C struct, of a mutex that is a member of it. Only clang 19
 * and later can read it there: make lint defines HAVE_GUARDED_BY for it. */
#if defined(HAVE_GUARDED_BY)
#define GUARDED_BY(x) TS_ATTR(guarded_by(&x))
#else
#define GUARDED_BY(x)
#endif

struct CAPABILITY("mutex") mutex {
	pthread_mutex_t m;
};

struct cond {
	pthread_cond_t c; /* on CLOCK_MONOTONIC */
};

void mutex_init(struct mutex *m);
void mutex_fini(struct mutex *m);
void mutex_lock(struct mutex *m) ACQUIRE(m);
bool mutex_trylock(struct mutex *m) TRY_ACQUIRE(true, m);
void mutex_unlock(struct mutex *m) RELEASE(m);
/* Aborts in debug builds when nobody holds m. */
void mutex_assert_held(struct mutex *m) ASSERTS_HELD(m);

void cond_init(struct cond *c);
void cond_fini(struct cond *c);
void cond_wait(struct cond *c, struct mutex *m) REQUIRES(m);
/* False when deadline_ns (clock_now_ns) passed first. */
bool cond_wait_until(struct cond *c, struct mutex *m, uint64_t deadline_ns)
    REQUIRES(m);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);

#endif
