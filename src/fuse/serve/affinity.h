/* SPDX-License-Identifier: ISC */
/*
 * Serving a request on the processor where its caller runs.
 *
 * Problem: a program that waits for each answer, and the thread that answers
 * it, run in turns. On two processors each turn wakes one that has gone
 * idle, twice a request; on a virtual machine this costs more than most
 * requests: 62 us from one request to the next. On one processor a turn is a
 * context switch: 18 us. (FUSE over io_uring has a queue for each processor,
 * and seccomp a wake-up flag, for the same reason.)
 *
 * Method: while requests come one at a time, the leader (worker_pool.h)
 * moves to the caller's processor, and answers under the policy SCHED_IDLE.
 * The kernel treats a processor that runs only such threads as idle, so it
 * leaves the woken caller there and runs it at once. When the caller has sent
 * its next request and waits, the leader goes on. It keeps the policy as long
 * as the next request is there when it asks: a request then takes two system
 * calls (read, writev), of 1.3 us each on the machine that was measured, where
 * a change of the policy takes 2.4.
 *
 * The caller's processor is found by trial: a caller that did not preempt
 * the thread that answered it runs elsewhere, so the leader tries the next
 * processor. /proc is not asked: Linux reads the files of a process under a
 * lock that execve(2) holds while it waits for an answer of ours.
 *
 * Bounds: under that policy any other thread that wants the processor runs
 * first, for as long as it likes. So the leader leaves the policy before it
 * sleeps or waits for the disk. A leader that was kept from the processor for
 * some milliseconds is replaced by the thread that watches it, and gets its
 * normal policy back (affinity_lost()), so no thread waits longer for a lock
 * that it holds. After AFFINITY_LOST_MAX of these within a second nothing is
 * tried for 1 to 32 seconds (cooldown.h). It also ends when requests queue.
 *
 * Threads: each struct affinity_thread belongs to its thread. What others may
 * read or write is atomic, and relaxed but for has_idle_policy: hints.
 */
#ifndef KVFS_FUSE_SERVE_AFFINITY_H
#define KVFS_FUSE_SERVE_AFFINITY_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "fuse/serve/affinity_limits.h"
#include "fuse/serve/cooldown.h"
#include "util/report.h"
#include "util/stats.h"

struct affinity {
	bool able; /* constant: wanted, and this process may set policies */
	int policy; /* constant: the normal policy of threads */

	/* Written by the leader; a new leader goes on with them. */
	atomic_bool active; /* the leader moves to callers' processors */
	_Atomic uint32_t alone_in_row; /* requests with none behind them */
	_Atomic uint32_t cost; /* points against it: see AFFINITY_COST_MAX */
	struct cooldown cooldown;

	/* Of affinity_lost(), whose caller has a lock (worker_pool.c). */
	uint64_t lost_window_ns; /* when the current second began */
	unsigned lost_in_window; /* answers held up in it */

	struct counter served, moves, lost;
};

struct affinity_thread {
	struct affinity *owner;
	int cpu; /* the one that the thread is bound to, or -1 */
	cpu_set_t allowed; /* where it may run when it is not bound */
	uint32_t caller; /* of the last request */
	bool is_checked; /* preemptions was read before its answer */
	long preemptions;
	/* How often in a row the caller was not found; how many requests to
	 * skip before the next search, and how many after that one. */
	unsigned misses, skips, next_skips;
	uint64_t answered_ns; /* when the answer was written, or 0 */
	/* The thread has SCHED_IDLE. The thread that clears this gives it its
	 * normal policy back. Sequentially consistent: see become_idle(). */
	atomic_bool has_idle_policy;
	atomic_bool is_lost; /* since its last request as the leader */
};

/* Try whether this process may change policies. If not, or if wanted is
 * false, all other functions do nothing. */
void affinity_init(struct affinity *a, bool wanted);
void affinity_thread_init(struct affinity_thread *p, struct affinity *a);

/* Does the leader move to callers' processors now? A hint. */
static inline bool
affinity_is_active(const struct affinity *a)
{
	return atomic_load_explicit(&a->active, memory_order_relaxed);
}

/* Is the thread bound to the processor of a caller? Then the caller ran
 * before it: its next request has come already, or takes a while. */
static inline bool
affinity_is_held(const struct affinity_thread *p)
{
	return p->cpu >= 0;
}

/* The leader has checked whether another request waits behind the one that it
 * has received. */
void affinity_note_queue(struct affinity *a, bool is_behind);
/*
 * The leader has received a request of caller (a thread's number, not 0),
 * which waits for the answer. ready: the request was there before the leader
 * had to sleep.
 */
void affinity_received(struct affinity_thread *p, uint32_t caller, bool ready);

/* Does the calling thread have the policy SCHED_IDLE? */
static inline bool
affinity_is_idle(const struct affinity_thread *p)
{
	return atomic_load_explicit(&p->has_idle_policy, memory_order_relaxed);
}
/* Give the calling thread its normal policy: it is about to sleep, or no
 * longer watched. */
void affinity_leave_idle(struct affinity_thread *p);

/* This thread is no longer the leader: let it run anywhere. */
void affinity_release(struct affinity_thread *p);

/* This thread begins and ends to serve a request of caller; the call of
 * affinity_writev() between the two is the answer. */
void affinity_begin(struct affinity_thread *p, uint32_t caller);
/* Returns when it was answered, on the clock of clock_now_ns(); now, if it
 * was not. */
uint64_t affinity_end(struct affinity_thread *p);
/* writev(2); the thread that it wakes runs on this processor. The calling
 * thread has the policy SCHED_IDLE from then on. */
ssize_t affinity_writev(int fd, const struct iovec *iov, int count);

/* p's thread is replaced as the leader, since it was held up. True if it had
 * the policy SCHED_IDLE; then it has its normal policy back. One caller at a
 * time. */
bool affinity_lost(struct affinity_thread *p, pthread_t thread);

/* The processor after cpu in set, which is not empty; the first follows the
 * last. */
int affinity_next_cpu(const cpu_set_t *set, int cpu);

void affinity_report(const struct affinity *a, struct report *r);

#endif
