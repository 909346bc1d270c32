/* SPDX-License-Identifier: ISC */
/* See worker_pool.h. */
#include "fuse/serve/worker_pool.h"

#include <errno.h>
#include <stdlib.h>

#include "util/clock.h"

/* A leader whose request takes longer is replaced. */
#define WATCH_NS 1000000
/* While it answers on the processor of its caller, each look may cost it
 * that place. */
#define WATCH_AFFINE_NS 4000000
/* Who watches without anything served for so long sleeps until woken. */
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
	int err;

	if (p->has_ended || p->count == p->max_threads)
		return 0;
	w->loop = p->loop;
	w->slot = overdue_slot(p->overdue, p->count);
	affinity_thread_init(&w->affinity, p->affinity);
	err = pthread_create(&w->thread, NULL, p->main, w);
	if (err == 0)
		p->count++;
	return -err;
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
	if (atomic_load(&p->leader) != NULL && p->waiting == 0)
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
	atomic_store(&p->leader, NULL);
	if (!affinity_lost(&leader->affinity, leader->thread))
		hand_over_note_other(p->hand_over);
}

/*
 * Wait until there is no leader, and look now and then whether it is held
 * up, by whatever, since it received a request; then it is none any more.
 */
static void watch_locked(struct worker_pool *p) REQUIRES(&p->mu);

static void
watch_locked(struct worker_pool *p)
{
	uint64_t served = atomic_load(&p->served), last;
	struct worker *leader;
	unsigned quiet = 0;

	p->is_watched = true;
	while (!p->has_ended && (leader = atomic_load(&p->leader)) != NULL) {
		uint64_t now = clock_now_ns();
		uint64_t since = atomic_load(&leader->slot->since_ns);

		if (since != 0 && now > since && now - since >= WATCH_NS) {
			replace_leader_locked(p, leader);
			break;
		}
		last = served;
		served = atomic_load(&p->served);
		quiet = served == last && since == 0 ? quiet + 1 : 0;
		if (quiet < SLEEP_TICKS) {
			cond_wait_until(&p->watch_due, &p->mu,
			    now + watch_interval_ns(p));
			continue;
		}
		/* Sequentially consistent with worker_pool_begin_request():
		 * either it sees that we rest, or we see that it is busy. */
		atomic_store(&p->is_asleep, true);
		if (atomic_load(&leader->slot->since_ns) == 0)
			cond_wait(&p->watch_due, &p->mu);
		atomic_store(&p->is_asleep, false);
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
	while (!p->has_ended && atomic_load(&p->leader) != NULL) {
		if (!p->is_watched)
			watch_locked(p);
		else
			cond_wait(&p->lead_free, &p->mu);
	}
	p->waiting--;
	if (!p->has_ended) {
		leads = true;
		atomic_store(&p->leader, w);
		/* Somebody has to watch from now on. */
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
	/* Else it has been replaced. */
	if (atomic_load(&p->leader) == w) {
		atomic_store(&p->leader, NULL);
		/* The watcher is the one that surely waits, if any does. */
		if (p->waiting > (p->is_watched ? 1 : 0))
			waiter = &p->lead_free;
		else if (p->is_watched)
			waiter = &p->watch_due;
		else
			(void)start_thread_locked(p);
	}
	mutex_unlock(&p->mu);
	/* Who is woken runs at once, and would only wait for mu. */
	if (waiter != NULL)
		cond_signal(waiter);
}

void
worker_pool_begin_request(struct worker_pool *p, struct worker *w)
{
	overdue_begin(p->overdue, w->slot, w->buf.mem, w->len);
	if (!atomic_load(&p->is_asleep))
		return;
	/* Not between its last look at since_ns and its sleep. */
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
