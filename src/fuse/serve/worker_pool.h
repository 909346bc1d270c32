/* SPDX-License-Identifier: ISC */
/*
 * The threads that serve requests, and which of them is the leader: the one
 * that waits for requests, alone (the pattern is known as Leader/Followers).
 * A thread that waits to be the leader watches it meanwhile: if the leader
 * is held up in a request, it is replaced. Threads start as needed, up to a
 * bound, and stay.
 *
 * That there is one leader is for speed alone: two that read requests at
 * once, as can be for a moment when one is replaced that just ends its
 * request, do no harm.
 *
 * worker_pool.leader: set in worker_pool_lead(), cleared in
 * worker_pool_resign() and, by the thread that watches, in watch_locked().
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

/* One thread; its own, but for the slot. */
struct worker {
	struct loop *loop;
	pthread_t thread;
	struct fuse_buf buf;
	size_t len; /* of the request in buf */
	struct request_slot *slot; /* the request that it has, since when */
	struct affinity_thread affinity;
	bool has_led; /* may read while requests are waiting */
	/* Whose request waited for the disk while this thread stayed the
	 * leader, if another had come by the end of that: the next of the
	 * same program, or another's. 0: no such. */
	uint32_t waited_for;
};

struct worker_pool {
	/* Constant while threads run. */
	struct loop *loop; /* borrowed, as are the next three */
	struct overdue *overdue;
	struct affinity *affinity;
	struct hand_over *hand_over;
	void *(*main)(void *worker); /* of each thread */
	unsigned max_threads;

	/*
	 * Changed under mu; its own thread reads it without, relaxed: whoever
	 * reads it stale reads a request more.
	 */
	_Atomic(struct worker *) leader;
	/* Requests. Relaxed: it is only looked at whether it moves. */
	_Atomic uint64_t served;
	/* The thread that watches sleeps until it is woken. Sequentially
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

/* The pool is zero, but for its constant fields. -ENOMEM. */
int worker_pool_init(struct worker_pool *p);
/* No thread runs any more. */
void worker_pool_fini(struct worker_pool *p);

/* One thread more, if the bound lets one in. A negative errno. */
int worker_pool_start_thread(struct worker_pool *p);
/* One thread more if there is none that watches the leader: the system had
 * no thread for us then, and may have one now. */
void worker_pool_start_watcher(struct worker_pool *p);

/* Return when w is the leader; false when the pool has ended. */
bool worker_pool_lead(struct worker_pool *p, struct worker *w);
/* Let another thread lead, unless w has been replaced already. */
void worker_pool_resign(struct worker_pool *p, struct worker *w);
/* Is w, the thread that calls, the leader? */
static inline bool
worker_pool_is_led_by(const struct worker_pool *p, const struct worker *w)
{
	return atomic_load_explicit(&p->leader, memory_order_relaxed) == w;
}

/* w has got a request: from now on it may be replaced. */
void worker_pool_begin_request(struct worker_pool *p, struct worker *w);

/* No more requests: who waits to lead returns, and no thread starts. */
void worker_pool_end(struct worker_pool *p);
/* Threads that were started; after worker_pool_end() it stays. */
unsigned worker_pool_count(struct worker_pool *p);

#endif
