/* SPDX-License-Identifier: ISC */
/* Starts and ends the threads that serve requests; see loop.h. */
#include "fuse/serve/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/options/options.h"
#include "fuse/serve/loop_state.h"
#include "util/log.h"

/* Interrupts read(2) in a thread that is to end. */
#define WAKE_SIGNAL SIGUSR1
#define WAKE_EVERY_NS 10000000

static void
ignore_signal(int sig)
{
	(void)sig;
}

static void
start_watcher(void *arg)
{
	struct loop *loop = arg;

	worker_pool_start_watcher(&loop->pool);
}

static int
start_threads(struct loop *loop, unsigned max_threads)
{
	int rc;

	loop->pool = (struct worker_pool){
		.loop = loop,
		.affinity = &loop->affinity,
		.hand_over = &loop->hand_over,
		.main = serve_requests,
		.max_threads = max_threads,
	};
	rc = worker_pool_init(&loop->pool);
	if (rc == 0)
		rc = overdue_start(max_threads, start_watcher, loop,
		    &loop->overdue);
	loop->pool.overdue = loop->overdue;
	return rc == 0 ? worker_pool_start_thread(&loop->pool) : rc;
}

int
loop_start(struct fuse_session *se, const struct options *opts, int done_fd,
    struct loop **loopp)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int rc;

	*loopp = NULL;
	if (loop == NULL)
		return -ENOMEM;
	loop->se = se;
	loop->request_bytes = opts->request_bytes;
	loop->done_fd = done_fd;
	/* A read tells whether there is a request; serve.c waits by poll(2). */
	(void)fcntl(fuse_session_fd(se), F_SETFL, O_NONBLOCK);
	spin_init(&loop->spin, opts->spin_us);
	/* It needs a thread that watches the leader. */
	affinity_init(&loop->affinity, opts->affinity && opts->threads > 1);
	hand_over_init(&loop->hand_over,
	    (unsigned)sysconf(_SC_NPROCESSORS_ONLN));
	/* Without SA_RESTART, so that it ends a read(2). */
	sigaction(WAKE_SIGNAL,
	    &(struct sigaction){ .sa_handler = ignore_signal }, NULL);
	/* Set before a thread starts: requests use it. */
	*loopp = loop;
	rc = start_threads(loop, opts->threads);
	if (rc < 0) {
		log_error("threads: cannot start one: %s", strerror(-rc));
		*loopp = NULL;
		loop_stop(loop);
	}
	return rc;
}

void
loop_set_commits_wait(struct loop *loop, bool wait)
{
	atomic_store_explicit(&loop->hand_over.commits_wait, wait,
	    memory_order_relaxed);
}

uint64_t
loop_buffer_bytes(struct loop *loop)
{
	return (uint64_t)worker_pool_count(&loop->pool) * loop->request_bytes;
}

void
loop_report(struct loop *loop, struct report *r)
{
	overdue_report(loop->overdue, r);
	request_stats_report(&loop->stats, r);
	affinity_report(&loop->affinity, r);
}

/*
 * The signal interrupts a thread in read(2). A thread that was about to call
 * it misses the signal, so it is sent again until the thread has ended.
 */
static void
end_thread(pthread_t thread)
{
	struct timespec deadline;

	do {
		pthread_kill(thread, WAKE_SIGNAL);
		clock_gettime(CLOCK_MONOTONIC, &deadline);
		deadline.tv_nsec += WAKE_EVERY_NS;
		if (deadline.tv_nsec >= 1000000000) {
			deadline.tv_nsec -= 1000000000;
			deadline.tv_sec++;
		}
	} while (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC,
		     &deadline) == ETIMEDOUT);
}

int
loop_stop(struct loop *loop) UNSHARED
{
	unsigned n;
	int rc;

	if (loop == NULL)
		return 0;
	fuse_session_exit(loop->se);
	worker_pool_end(&loop->pool);
	/* No thread starts from here on, so the list does not change. */
	n = worker_pool_count(&loop->pool);
	for (unsigned i = 0; i < n; i++)
		end_thread(loop->pool.workers[i].thread);
	overdue_stop(loop->overdue);
	mutex_assert_free(&loop->pool.mu);
	rc = atomic_load_explicit(&loop->error, memory_order_seq_cst);
	worker_pool_fini(&loop->pool);
	free(loop);
	return rc;
}
