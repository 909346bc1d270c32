/* SPDX-License-Identifier: ISC */
/*
 * Threads that are started on demand. A new thread inherits the processors
 * and the scheduling policy of the one that starts it, which may be bound to
 * a processor for a while (fuse/serve/affinity.h). One that is started here
 * gets those of the first thread of the process instead.
 */
#ifndef KVFS_UTIL_THREAD_H
#define KVFS_UTIL_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Start a thread that runs fn(arg). *threadp is not for use if it is
 * detached. A negative errno. Any thread. */
int thread_start(pthread_t *threadp, bool is_detached, void *(*fn)(void *arg),
    void *arg);

#endif
