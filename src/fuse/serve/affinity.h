/* SPDX-License-Identifier: ISC */
/*
 * Serving on the processor of the caller.
 *
 * A program that waits for each answer, and the thread that answers, take
 * turns. On two processors each turn wakes one that has gone idle, twice a
 * request: on a virtual machine that takes several times as long as most
 * requests do. On one processor it is two context switches (why FUSE over
 * io_uring has a queue for each processor, and seccomp a wake-up flag): 18
 * us from one request to the next, against 62.
 *
 * So while requests come one at a time, the leader (worker_pool.h) moves to the processor where the caller runs, and answers with the policy
 * SCHED_IDLE, which it has for just as long: the kernel takes a processor
 * that runs nothing else for an idle one, so it leaves the caller there
 * and lets it run at once. When it sends its next request and waits, the
 * thread goes on where it was.
 *
 * Where the caller runs is found by trying: one that did not take the
 * processor from the thread that answered him runs on another. No file of
 * /proc tells it without danger: Linux reads those of a process under a lock
 * that execve(2) holds while it waits for our answer.
 *
 * With that policy anybody else who wants the processor comes first. The
 * thread holds no lock then; if it is kept waiting, another one replaces it
 * as the leader and gives it its policy back (affinity_lost()), and when that
 * happens often nothing of the kind is tried for a while.
 *
 * Threads: each struct affinity_thread belongs to its thread; what others
 * may touch is atomic, relaxed: hints, all of it.
 */
#ifndef KVFS_FUSE_SERVE_AFFINITY_H
#define KVFS_FUSE_SERVE_AFFINITY_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "fuse/serve/cooldown.h"
#include "util/report.h"
#include "util/stats.h"

struct affinity {
	bool able; /* constant: wanted, and allowed to change policies */
	int policy; /* constant: what threads have otherwise */

	/* The leader's, from one to the next. */
	atomic_bool active; /* callers are followed */
	_Atomic uint32_t alone_in_row; /* requests in a row */
	_Atomic uint32_t cost; /* what speaks against it, in points */
	struct cooldown cooldown;

	/* Of affinity_lost(), which is called under a lock (worker_pool.c). */
	uint64_t lost_window_ns;
	unsigned lost_in_window;

	struct counter served, moves, lost;
};

struct affinity_thread {
	struct affinity *owner;
	int cpu; /* where it is held, or -1 */
	cpu_set_t allowed; /* where it may run otherwise */
	uint32_t caller; /* of the last request */
	bool is_checked; /* preemptions is of just before its answer */
	long preemptions;
	/* How often in a row the caller was not found; requests to pass over
	 * yet before he is sought again, and how many are the next time. */
	unsigned misses, skips, next_skips;
	uint64_t answered_ns; /* when the answer was given, or 0 */
	atomic_bool is_answering; /* it answers just now */
};

/* Finds out whether this process may change policies; else, or when it is
 * not wanted, all others do nothing. */
void affinity_init(struct affinity *a, bool wanted);
void affinity_thread_init(struct affinity_thread *p, struct affinity *a);

/* Are callers followed now? A hint. */
static inline bool
affinity_is_active(const struct affinity *a)
{
	return atomic_load_explicit(&a->active, memory_order_relaxed);
}

/* Is the thread held on the processor of a caller? Then its next request
 * is there already, or far. */
static inline bool
affinity_is_held(const struct affinity_thread *p)
{
	return p->cpu >= 0;
}

/*
 * The leader has got a request of caller (a thread's number, not 0), who
 * waits for the answer. ready: it had been there before we would have slept
 * for it; behind: another one waits already.
 */
void affinity_received(struct affinity_thread *p, uint32_t caller, bool ready,
    bool behind);

/* This thread is not the leader any more: it may run anywhere. */
void affinity_release(struct affinity_thread *p);

/* Serve a request on this thread: affinity_writev() between the two is its
 * answer. */
void affinity_begin(struct affinity_thread *p, uint32_t caller);
/* When it was answered; now, if it was not. */
uint64_t affinity_end(struct affinity_thread *p);
/* writev(2), in such a way that who is woken by it runs here. */
ssize_t affinity_writev(int fd, const struct iovec *iov, int count);

/* p's thread is replaced as the leader, since it got nowhere. True if it was
 * while answering. One caller at a time. */
bool affinity_lost(struct affinity_thread *p, pthread_t thread);

void affinity_report(const struct affinity *a, struct report *r);

#endif
