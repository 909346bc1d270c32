/* SPDX-License-Identifier: ISC */
/*
 * Reports requests that are not answered in time; see overdue.h.
 *
 * overdue.is_asleep: set in sleep_locked() when no slot has a request;
 * cleared there, and in wake_thread() by the next request.
 */
#include "fuse/serve/overdue.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/fuse.h>

#include "fuse/serve/opcode.h"
#include "fuse/serve/thread_wait.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mutex.h"
#include "util/thread.h"

struct overdue {
	unsigned count; /* constant */
	struct request_slot *slots; /* constant */
	void (*tick)(void *arg);
	void *arg;
	struct counter reported;
	atomic_bool is_asleep; /* sequentially consistent with since_ns */
	/* It was reported that all threads are held up. Belongs to the
	 * reporting thread. */
	bool all;

	struct mutex mu;
	struct cond wake;
	bool stops GUARDED_BY(mu);
	unsigned refs GUARDED_BY(mu); /* reporting thread, overdue_stop() */
};

static void
report_request(const struct request_slot *slot, uint64_t waited_ns)
{
	uint32_t opcode = atomic_load_explicit(&slot->opcode,
	    memory_order_seq_cst);
	uint64_t ino = atomic_load_explicit(&slot->ino, memory_order_seq_cst);
	char where[4352];

	thread_wait_describe(atomic_load_explicit(&slot->thread,
				 memory_order_seq_cst),
	    where, sizeof(where));
	log_warn("request %s (FUSE %u) of inode %" PRIu64 ": no answer for "
		 "%" PRIu64 " s: %s",
	    request_op_name(opcode_get(opcode)->op), opcode, ino,
	    waited_ns / 1000000000, where);
}

unsigned
overdue_count(const struct overdue *o, uint64_t now_ns, uint64_t *oldestp)
{
	unsigned n = 0;

	*oldestp = 0;
	for (unsigned i = 0; i < o->count; i++) {
		uint64_t since = atomic_load_explicit(&o->slots[i].since_ns,
		    memory_order_seq_cst);
		uint64_t age = since != 0 && now_ns > since ? now_ns - since :
							      0;

		if (age >= OVERDUE_NS)
			n++;
		if (age > *oldestp)
			*oldestp = age;
	}
	return n;
}

static void
check_slots(struct overdue *o)
{
	uint64_t now = clock_now_ns(), oldest;
	bool all;

	for (unsigned i = 0; i < o->count; i++) {
		struct request_slot *slot = &o->slots[i];
		uint64_t since = atomic_load_explicit(&slot->since_ns,
		    memory_order_seq_cst);

		if (since == 0 || since == slot->reported_ns ||
		    now < since + OVERDUE_NS)
			continue;
		slot->reported_ns = since;
		counter_add(&o->reported, 1);
		report_request(slot, now - since);
	}
	all = overdue_count(o, now, &oldest) == o->count;
	if (all && !o->all)
		log_error("requests: all %u threads are held up, others wait "
			  "for one of them: see the lines before, or mount "
			  "with more threads=",
		    o->count);
	o->all = all;
}

static bool
is_idle(struct overdue *o)
{
	for (unsigned i = 0; i < o->count; i++) {
		if (atomic_load_explicit(&o->slots[i].since_ns,
			memory_order_seq_cst) != 0)
			return false;
	}
	return true;
}

/* Wait for a request, and then for OVERDUE_CHECK_NS. */
static void sleep_locked(struct overdue *o) REQUIRES(&o->mu);

static void
sleep_locked(struct overdue *o)
{
	uint64_t due;

	mutex_assert_held(&o->mu);
	/* Sequentially consistent with overdue_begin(): either it sees that
	 * this thread is asleep, or this thread sees its request. */
	atomic_store_explicit(&o->is_asleep, true, memory_order_seq_cst);
	while (!o->stops &&
	    atomic_load_explicit(&o->is_asleep, memory_order_seq_cst) &&
	    is_idle(o))
		cond_wait(&o->wake, &o->mu);
	atomic_store_explicit(&o->is_asleep, false, memory_order_seq_cst);
	due = clock_now_ns() + OVERDUE_CHECK_NS;
	while (!o->stops && cond_wait_until(&o->wake, &o->mu, due))
		;
}

/* Unlocks mu; the last reference frees o. */
static void unref_locked(struct overdue *o) RELEASE(&o->mu);

static void
unref_locked(struct overdue *o)
{
	bool last = --o->refs == 0;

	mutex_assert_held(&o->mu);
	mutex_unlock(&o->mu);
	if (!last)
		return;
	cond_fini(&o->wake);
	mutex_fini(&o->mu);
	free(o->slots);
	free(o);
}

static void *
overdue_thread(void *arg)
{
	struct overdue *o = arg;

	mutex_lock(&o->mu);
	while (!o->stops) {
		sleep_locked(o);
		if (o->stops)
			break;
		o->tick(o->arg);
		mutex_unlock(&o->mu);
		check_slots(o);
		mutex_lock(&o->mu);
	}
	unref_locked(o);
	return NULL;
}

int
overdue_start(unsigned slots, void (*tick)(void *arg), void *arg,
    struct overdue **op) UNSHARED
{
	struct overdue *o = calloc(1, sizeof(*o));
	size_t bytes = slots * sizeof(*o->slots);
	pthread_t thread;
	int rc;

	*op = NULL;
	if (o == NULL)
		return -ENOMEM;
	o->slots = aligned_alloc(_Alignof(struct request_slot), bytes);
	if (o->slots == NULL) {
		free(o);
		return -ENOMEM;
	}
	memset(o->slots, 0, bytes);
	o->count = slots;
	o->tick = tick;
	o->arg = arg;
	o->refs = 2;
	mutex_init(&o->mu);
	cond_init(&o->wake);
	rc = thread_start(&thread, true, overdue_thread, o);
	if (rc < 0) {
		mutex_lock(&o->mu);
		o->refs = 1;
		unref_locked(o);
		return rc;
	}
	*op = o;
	return 0;
}

struct request_slot *
overdue_slot(struct overdue *o, unsigned i)
{
	return &o->slots[i];
}

static void
wake_thread(struct overdue *o)
{
	mutex_lock(&o->mu);
	atomic_store_explicit(&o->is_asleep, false, memory_order_seq_cst);
	cond_signal(&o->wake);
	mutex_unlock(&o->mu);
}

void
overdue_begin(struct overdue *o, struct request_slot *slot, const void *request,
    size_t len)
{
	const struct fuse_in_header *in = request;

	if (len >= sizeof(*in)) {
		atomic_store_explicit(&slot->ino, in->nodeid,
		    memory_order_relaxed);
		atomic_store_explicit(&slot->opcode, in->opcode,
		    memory_order_relaxed);
	}
	atomic_store_explicit(&slot->since_ns, clock_now_ns(),
	    memory_order_seq_cst);
	if (atomic_load_explicit(&o->is_asleep, memory_order_seq_cst))
		wake_thread(o);
}

uint64_t
overdue_reported(const struct overdue *o)
{
	return counter_read(&o->reported);
}

bool
overdue_is_asleep(const struct overdue *o)
{
	return atomic_load_explicit(&o->is_asleep, memory_order_seq_cst);
}

void
overdue_report(struct overdue *o, struct report *r)
{
	uint64_t oldest;
	unsigned now = overdue_count(o, clock_now_ns(), &oldest);

	report_counter(r, "Requests unanswered for 10 seconds",
	    "requests_overdue", overdue_reported(o));
	report_gauge(r, "Requests unanswered for 10 seconds by now",
	    "requests_overdue_now", now);
	report_gauge(r, "Oldest unanswered request seconds",
	    "request_oldest_seconds", oldest / 1000000000);
}

void
overdue_stop(struct overdue *o)
{
	if (o == NULL)
		return;
	mutex_lock(&o->mu);
	o->stops = true;
	cond_signal(&o->wake);
	unref_locked(o);
}
