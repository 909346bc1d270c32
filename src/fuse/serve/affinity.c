/* SPDX-License-Identifier: ISC */
/*
 * Serving on the processor of the caller; see affinity.h.
 *
 * affinity.active: set in affinity_note_queue(), when requests have come one
 * at a time for a while; cleared there when it no longer pays off, and in
 * affinity_lost().
 */
#include "fuse/serve/affinity.h"

#include <string.h>
#include <sys/resource.h>

#include "util/clock.h"

/* A caller that runs for longer than this after its answer: the leader is
 * away for others meanwhile, and the wake-ups saved are a small part. */
#define LONG_NS 500000
/* After a longer absence the policy is not kept: others may want the
 * processor, and a change of policy is a small part of that time. */
#define SHORT_NS 50000
#define SKIPS_MAX 16

/* The state of this thread while it serves a request that is to be answered
 * under SCHED_IDLE; else NULL. */
static _Thread_local struct affinity_thread *serving;

/* ---- Policies ---- */

static int
set_policy(pthread_t thread, int policy)
{
	const struct sched_param none = { 0 };

	return -pthread_setschedparam(thread, policy, &none);
}

/* A thread that has SCHED_IDLE may not be allowed to leave it: try it with a
 * thread that is not needed. */
static void *
try_policy(void *arg)
{
	const int *policy = arg;

	if (set_policy(pthread_self(), SCHED_IDLE) == 0 &&
	    set_policy(pthread_self(), *policy) == 0)
		return arg;
	return NULL;
}

static bool
may_change_policy(int *policy)
{
	struct sched_param param;
	pthread_t thread;
	void *result = NULL;

	if (pthread_getschedparam(pthread_self(), policy, &param) != 0 ||
	    (*policy != SCHED_OTHER && *policy != SCHED_BATCH))
		return false;
	if (pthread_create(&thread, NULL, try_policy, policy) != 0)
		return false;
	pthread_join(thread, &result);
	return result != NULL;
}

/* Set SCHED_IDLE, until the thread leaves it by itself or is replaced. */
static void
become_idle(struct affinity_thread *p)
{
	if (atomic_load_explicit(&p->has_idle_policy, memory_order_relaxed))
		return;
	/* If affinity_lost() comes between the two, it has given the normal
	 * policy back too early. */
	atomic_store_explicit(&p->has_idle_policy, true, memory_order_seq_cst);
	(void)set_policy(pthread_self(), SCHED_IDLE);
	if (!atomic_load_explicit(&p->has_idle_policy, memory_order_seq_cst))
		(void)set_policy(pthread_self(), p->owner->policy);
}

void
affinity_leave_idle(struct affinity_thread *p)
{
	if (atomic_exchange_explicit(&p->has_idle_policy, false,
		memory_order_seq_cst))
		(void)set_policy(pthread_self(), p->owner->policy);
}

/* ---- Life ---- */

void
affinity_init(struct affinity *a, bool wanted)
{
	cpu_set_t set;

	memset(a, 0, sizeof(*a));
	a->able = wanted && sched_getaffinity(0, sizeof(set), &set) == 0 &&
	    CPU_COUNT(&set) > 1 && may_change_policy(&a->policy);
}

void
affinity_thread_init(struct affinity_thread *p, struct affinity *a)
{
	memset(p, 0, sizeof(*p));
	p->owner = a;
	p->cpu = -1;
}

/* ---- Where the caller runs ---- */

/* How often another thread got the processor while this one could run. */
static long
count_preemptions(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

int
affinity_next_cpu(const cpu_set_t *set, int cpu)
{
	do
		cpu = (cpu + 1) % CPU_SETSIZE;
	while (!CPU_ISSET(cpu, set));
	return cpu;
}

/* Bind this thread to the next processor that it may run on. */
static void
move_to_next_cpu(struct affinity_thread *p)
{
	cpu_set_t set;
	int cpu;

	if (p->cpu < 0 &&
	    sched_getaffinity(0, sizeof(p->allowed), &p->allowed) < 0)
		return;
	cpu = affinity_next_cpu(&p->allowed,
	    p->cpu < 0 ? sched_getcpu() : p->cpu);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (cpu == p->cpu || sched_setaffinity(0, sizeof(set), &set) < 0)
		return;
	p->cpu = cpu;
	counter_add(&p->owner->moves, 1);
}

void
affinity_release(struct affinity_thread *p)
{
	cpu_set_t set;

	affinity_leave_idle(p);
	if (p->cpu < 0)
		return;
	/* Unless somebody else has set it meanwhile (taskset). */
	if (sched_getaffinity(0, sizeof(set), &set) == 0 &&
	    CPU_COUNT(&set) == 1 && CPU_ISSET(p->cpu, &set))
		(void)sched_setaffinity(0, sizeof(p->allowed), &p->allowed);
	p->cpu = -1;
	p->is_checked = false;
	p->misses = p->skips = p->next_skips = 0;
}

/* The caller runs on another processor: try the next one. */
static void
note_missed_caller(struct affinity_thread *p)
{
	move_to_next_cpu(p);
	/* All were tried: it migrates, or does not run at once. */
	if (++p->misses > (unsigned)CPU_COUNT(&p->allowed)) {
		p->misses = 0;
		if (p->next_skips < SKIPS_MAX)
			p->next_skips = 2 * p->next_skips + 1;
		p->skips = p->next_skips;
	}
}

/*
 * A caller that ran on this processor after its answer has preempted this
 * thread, or has sent its next request already (ready). Otherwise it runs
 * elsewhere. getrusage(2) is called only when the request was not ready.
 */
static void
follow_caller(struct affinity_thread *p, uint32_t caller, bool ready)
{
	bool same = caller == p->caller, is_checked = p->is_checked;

	p->caller = caller;
	p->is_checked = false;
	if (p->cpu >= 0 && ready) {
		p->misses = p->next_skips = 0;
		if (same)
			return;
	} else if (p->skips > 0) {
		p->skips--;
		return;
	} else if (p->cpu < 0) {
		note_missed_caller(p);
	} else if (is_checked && same) {
		if (count_preemptions() == p->preemptions)
			note_missed_caller(p);
		else
			p->misses = p->next_skips = 0;
	}
	p->is_checked = true;
	p->preemptions = count_preemptions();
}

/* ---- Whether it pays off ---- */

static uint32_t
get_relaxed(const _Atomic uint32_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static void
set_relaxed(_Atomic uint32_t *v, uint32_t n)
{
	atomic_store_explicit(v, n, memory_order_relaxed);
}

static void
set_active(struct affinity *a, bool active)
{
	set_relaxed(&a->alone_in_row, 0);
	set_relaxed(&a->cost, 0);
	atomic_store_explicit(&a->active, active, memory_order_relaxed);
}

void
affinity_note_queue(struct affinity *a, bool is_behind)
{
	uint32_t cost = get_relaxed(&a->cost);

	if (!a->able)
		return;
	if (affinity_is_active(a)) {
		if (is_behind)
			cost += AFFINITY_COST_STEP;
		else if (cost > 0)
			cost--;
		set_relaxed(&a->cost, cost);
		if (cost > AFFINITY_COST_MAX)
			set_active(a, false);
		return;
	}
	if (is_behind) {
		set_relaxed(&a->alone_in_row, 0);
		return;
	}
	set_relaxed(&a->alone_in_row, get_relaxed(&a->alone_in_row) + 1);
	if (get_relaxed(&a->alone_in_row) >= AFFINITY_ALONE_MIN &&
	    cooldown_is_over(&a->cooldown, clock_now_ns()))
		set_active(a, true);
}

void
affinity_received(struct affinity_thread *p, uint32_t caller, bool ready)
{
	if (!p->owner->able)
		return;
	atomic_store_explicit(&p->is_lost, false, memory_order_relaxed);
	if (affinity_is_active(p->owner))
		follow_caller(p, caller, ready);
	else
		affinity_release(p);
}

bool
affinity_lost(struct affinity_thread *p, pthread_t thread)
{
	struct affinity *a = p->owner;
	uint64_t now;

	atomic_store_explicit(&p->is_lost, true, memory_order_relaxed);
	if (!atomic_exchange_explicit(&p->has_idle_policy, false,
		memory_order_seq_cst))
		return false;
	/* So that it competes for the processor again. */
	(void)set_policy(thread, a->policy);
	counter_add(&a->lost, 1);
	now = clock_now_ns();
	if (now - a->lost_window_ns > AFFINITY_LOST_WITHIN_NS) {
		a->lost_window_ns = now;
		a->lost_in_window = 0;
	}
	if (++a->lost_in_window >= AFFINITY_LOST_MAX) {
		a->lost_in_window = 0;
		cooldown_begin(&a->cooldown, now);
		set_active(a, false);
	}
	return true;
}

/* ---- Answering ---- */

void
affinity_begin(struct affinity_thread *p, uint32_t caller)
{
	p->answered_ns = 0;
	serving = p->cpu >= 0 && caller != 0 ? p : NULL;
}

uint64_t
affinity_end(struct affinity_thread *p)
{
	uint64_t now = clock_now_ns();
	uint64_t answered = p->answered_ns;

	serving = NULL;
	if (answered == 0)
		return now;
	if (now > answered + SHORT_NS)
		affinity_leave_idle(p);
	if (now > answered + LONG_NS)
		set_relaxed(&p->owner->cost,
		    get_relaxed(&p->owner->cost) + AFFINITY_COST_STEP);
	return answered;
}

ssize_t
affinity_writev(int fd, const struct iovec *iov, int count)
{
	struct affinity_thread *p = serving;

	serving = NULL;
	/* A thread that was replaced is not watched. */
	if (p == NULL ||
	    atomic_load_explicit(&p->is_lost, memory_order_relaxed))
		return writev(fd, iov, count);
	become_idle(p);
	p->answered_ns = clock_now_ns();
	counter_add(&p->owner->served, 1);
	return writev(fd, iov, count);
}

void
affinity_report(const struct affinity *a, struct report *r)
{
	const struct report_row rows[] = {
		{ "Requests answered beside the caller", "requests_beside",
		    &a->served },
		{ "Moves to a caller's processor", "affinity_moves",
		    &a->moves },
		{ "Answers that were kept waiting there", "affinity_lost",
		    &a->lost },
	};

	report_counters(r, rows, sizeof(rows) / sizeof(rows[0]));
}
