/* SPDX-License-Identifier: ISC */
/* See worker_pool.h. */
#include "fuse/serve/worker_pool.h"

#include <errno.h>
#include <stdlib.h>

#include "util/clock.h"
#include "util/thread.h"

/* A leader whose request takes longer is replaced. */
#define WATCH_NS 1000000
/* The interval while the leader runs on its caller's processor: each wake-up
 * of the watching thread there would disturb both. */
#define WATCH_AFFINE_NS 4000000
/* After so many looks without a request the watching thread sleeps until a
 * request wakes it. */
#define SLEEP_TICKS 100

int
worker_pool_init(struct worker_pool *p) UNSHARED
{
	mutex_init(&p->mu);
	cond_init(&p->lead_free);
	cond_init(&p->watch_due);
	p->workers = calloc(p->max_threads, sizeof(*p->workers));
	return p->workers != NULL ? 0 : -ENOMEM;
}

void
worker_pool_fini(struct worker_pool *p) UNSHARED
{
	cond_fini(&p->watch_due);
	cond_fini(&p->lead_free);
	mutex_fini(&p->mu);
	free(p->workers);
}

static int start_thread_locked(struct worker_pool *p) REQUIRES(&p->mu);

static int
start_thread_locked(struct worker_pool *p)
{
	struct worker *w = &p->workers[p->count];
	int rc;

	mutex_assert_held(&p->mu);
	if (p->has_ended || p->count == p->max_threads)
		return 0;
	w->loop = p->loop;
	w->slot = overdue_slot(p->overdue, p->count);
	affinity_thread_init(&w->affinity, p->affinity);
	rc = thread_start(&w->thread, false, p->main, w);
	if (rc == 0)
		p->count++;
	return rc;
}

int
worker_pool_start_thread(struct worker_pool *p)
{
	int rc;

	mutex_lock(&p->mu);
	rc = start_thread_locked(p);
	mutex_unlock(&p->mu);
	return rc;
}

void
worker_pool_start_watcher(struct worker_pool *p)
{
	mutex_lock(&p->mu);
	if (atomic_load_explicit(&p->leader, memory_order_seq_cst) != NULL &&
	    p->waiting == 0)
		(void)start_thread_locked(p);
	mutex_unlock(&p->mu);
}

static uint64_t
watch_interval_ns(const struct worker_pool *p)
{
	return affinity_is_active(p->affinity) ? WATCH_AFFINE_NS : WATCH_NS;
}

static void replace_leader_locked(struct worker_pool *p, struct worker *leader)
    REQUIRES(&p->mu);

static void
replace_leader_locked(struct worker_pool *p, struct worker *leader)
{
	mutex_assert_held(&p->mu);
	atomic_store_explicit(&p->leader, NULL, memory_order_seq_cst);
	if (!affinity_lost(&leader->affinity, leader->thread))
		hand_over_note_other(p->hand_over);
}

/*
 * Wait until there is no leader. Look every WATCH_NS at its current request:
 * if that takes longer than WATCH_NS, the leader is replaced.
 */
static void watch_locked(struct worker_pool *p) REQUIRES(&p->mu);

static void
watch_locked(struct worker_pool *p)
{
	uint64_t served = atomic_load_explicit(&p->served,
		     memory_order_seq_cst),
		 last;
	struct worker *leader;
	unsigned quiet = 0;

	mutex_assert_held(&p->mu);
	p->is_watched = true;
	while (!p->has_ended &&
	    (leader = atomic_load_explicit(&p->leader, memory_order_seq_cst)) !=
		NULL) {
		uint64_t now = clock_now_ns();
		uint64_t since = atomic_load_explicit(&leader->slot->since_ns,
		    memory_order_seq_cst);

		if (since != 0 && now > since && now - since >= WATCH_NS) {
			replace_leader_locked(p, leader);
			break;
		}
		last = served;
		served = atomic_load_explicit(&p->served, memory_order_seq_cst);
		quiet = served == last && since == 0 ? quiet + 1 : 0;
		if (quiet < SLEEP_TICKS) {
			cond_wait_until(&p->watch_due, &p->mu,
			    now + watch_interval_ns(p));
			continue;
		}
		/* Sequentially consistent with worker_pool_begin_request():
		 * either the leader sees that this thread is asleep, or this
		 * thread sees its request. */
		atomic_store_explicit(&p->is_asleep, true,
		    memory_order_seq_cst);
		if (atomic_load_explicit(&leader->slot->since_ns,
			memory_order_seq_cst) == 0)
			cond_wait(&p->watch_due, &p->mu);
		atomic_store_explicit(&p->is_asleep, false,
		    memory_order_seq_cst);
		quiet = 0;
	}
	p->is_watched = false;
}

bool
worker_pool_lead(struct worker_pool *p, struct worker *w)
{
	bool leads = false;

	mutex_lock(&p->mu);
	p->waiting++;
	while (!p->has_ended &&
	    atomic_load_explicit(&p->leader, memory_order_seq_cst) != NULL) {
		if (!p->is_watched)
			watch_locked(p);
		else
			cond_wait(&p->lead_free, &p->mu);
	}
	p->waiting--;
	if (!p->has_ended) {
		leads = true;
		atomic_store_explicit(&p->leader, w, memory_order_seq_cst);
		/* A thread has to watch from now on. */
		if (p->waiting == 0)
			(void)start_thread_locked(p);
		else if (!p->is_watched)
			cond_signal(&p->lead_free);
	}
	mutex_unlock(&p->mu);
	return leads;
}

void
worker_pool_resign(struct worker_pool *p, struct worker *w)
{
	struct cond *waiter = NULL;

	mutex_lock(&p->mu);
	/* Otherwise it has been replaced. */
	if (atomic_load_explicit(&p->leader, memory_order_seq_cst) == w) {
		atomic_store_explicit(&p->leader, NULL, memory_order_seq_cst);
		/* The watching thread is one of those that wait; prefer one
		 * that does not watch. */
		if (p->waiting > (p->is_watched ? 1 : 0))
			waiter = &p->lead_free;
		else if (p->is_watched)
			waiter = &p->watch_due;
		else
			(void)start_thread_locked(p);
	}
	mutex_unlock(&p->mu);
	/* After the unlock: the woken thread runs at once, and needs mu. */
	if (waiter != NULL)
		cond_signal(waiter);
}

void
worker_pool_begin_request(struct worker_pool *p, struct worker *w)
{
	overdue_begin(p->overdue, w->slot, w->buf.mem, w->len);
	if (!atomic_load_explicit(&p->is_asleep, memory_order_seq_cst))
		return;
	/* The lock keeps the signal from coming between its last look at
	 * since_ns and its sleep. */
	mutex_lock(&p->mu);
	cond_signal(&p->watch_due);
	mutex_unlock(&p->mu);
}

void
worker_pool_end(struct worker_pool *p)
{
	mutex_lock(&p->mu);
	p->has_ended = true;
	cond_broadcast(&p->lead_free);
	cond_broadcast(&p->watch_due);
	mutex_unlock(&p->mu);
}

unsigned
worker_pool_count(struct worker_pool *p)
{
	unsigned n;

	mutex_lock(&p->mu);
	n = p->count;
	mutex_unlock(&p->mu);
	return n;
}
