/* SPDX-License-Identifier: ISC */
/*
 * The threads that serve requests, and which of them is the leader: the one
 * thread that reads requests (the pattern is known as Leader/Followers). Of
 * the threads that wait to lead, one watches the leader and replaces it when
 * its request takes too long. Threads start as needed, up to max_threads,
 * and stay.
 *
 * One leader is a matter of speed, not of correctness: two threads may read
 * requests for a moment, when a leader is replaced just as it has finished
 * its request.
 *
 * worker_pool.leader: set in worker_pool_lead(); cleared in
 * worker_pool_resign() and, by the watching thread, in
 * replace_leader_locked().
 */
#ifndef KVFS_FUSE_SERVE_WORKER_POOL_H
#define KVFS_FUSE_SERVE_WORKER_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuse/fuse_api.h"
#include "fuse/serve/affinity.h"
#include "fuse/serve/hand_over.h"
#include "fuse/serve/overdue.h"
#include "util/mutex.h"

struct loop;

/* One thread. The thread alone uses it, except for slot and affinity, which
 * the watching thread reads. */
struct worker {
	struct loop *loop;
	pthread_t thread;
	struct fuse_buf buf;
	size_t len; /* of the request in buf */
	struct request_slot *slot; /* its current request, for overdue.h */
	struct affinity_thread affinity;
	bool saw_another; /* when it last looked for one */
	unsigned since_look; /* requests, as serve.c counts them */
	bool has_led; /* it may read requests as a helper */
	/* The caller whose request this thread, as the leader, waited for the
	 * disk with, if another request had come by the end: if the next one
	 * is of another caller, that one had to wait. 0: none. */
	uint32_t waited_for;
};

struct worker_pool {
	/* Constant while threads run. */
	struct loop *loop; /* borrowed, as are the next three */
	struct overdue *overdue;
	struct affinity *affinity;
	struct hand_over *hand_over;
	void *(*main)(void *worker); /* what each thread runs */
	unsigned max_threads;

	/*
	 * Changed under mu, sequentially consistent, which mu alone would make
	 * needless. A thread that asks whether it is the leader itself reads
	 * it without mu, relaxed: by a stale value it reads one request more.
	 */
	_Atomic(struct worker *) leader;
	/* Requests. Relaxed: only whether it changes is of interest. */
	_Atomic uint64_t served;
	/* The watching thread sleeps until a request wakes it. Sequentially
	 * consistent with request_slot.since_ns. */
	atomic_bool is_asleep;

	struct mutex mu;
	struct cond lead_free; /* one waiter becomes leader or watches */
	struct cond watch_due;
	bool has_ended GUARDED_BY(mu);
	bool is_watched GUARDED_BY(mu); /* a thread is in watch_locked() */
	unsigned waiting GUARDED_BY(mu); /* threads in worker_pool_lead() */
	struct worker *workers GUARDED_BY(mu); /* owned */
	unsigned count GUARDED_BY(mu);
};

/* The caller has set the constant fields; all others are zero. 0 or
 * -ENOMEM. */
int worker_pool_init(struct worker_pool *p);
/* The caller has joined all threads. */
void worker_pool_fini(struct worker_pool *p);

/* Start one more thread; does nothing at max_threads. A negative errno. */
int worker_pool_start_thread(struct worker_pool *p);
/* Start one more thread if none watches the leader: pthread_create(3) may
 * have failed when one was needed. */
void worker_pool_start_watcher(struct worker_pool *p);

/* Wait until w is the leader; false when the pool has ended. */
bool worker_pool_lead(struct worker_pool *p, struct worker *w);
/* Let another thread lead, unless w has been replaced already. */
void worker_pool_resign(struct worker_pool *p, struct worker *w);
/* Is w, the thread that calls, the leader? */
static inline bool
worker_pool_is_led_by(const struct worker_pool *p, const struct worker *w)
{
	return atomic_load_explicit(&p->leader, memory_order_relaxed) == w;
}

/* w has received a request: from now on it may be replaced. */
void worker_pool_begin_request(struct worker_pool *p, struct worker *w);

/* No more requests: threads in worker_pool_lead() return, and no thread
 * starts any more. */
void worker_pool_end(struct worker_pool *p);
/* How many threads were started; constant after worker_pool_end(). */
unsigned worker_pool_count(struct worker_pool *p);

#endif
