/* SPDX-License-Identifier: ISC */
/*
 * Waits for a condition on atomic variables without a lock (an eventcount, as
 * folly's EventCount). Each woken thread tests the condition itself, so many
 * can wake up without contending for a mutex.
 *
 *	for (;;) {
 *		uint32_t seen = event_seen(e);
 *
 *		if (what is waited for)
 *			break;
 *		event_wait(e, seen);
 *	}
 */
#ifndef KVFS_UTIL_EVENT_H
#define KVFS_UTIL_EVENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Sequentially consistent with what is waited for: who waits raises waiters
 * and then looks at the epoch, who wakes raises the epoch and then looks at
 * waiters, so that one of them sees the other. */
struct event {
	_Atomic uint32_t epoch;
	_Atomic uint32_t waiters;
};

static inline void
event_init(struct event *e)
{
	atomic_init(&e->epoch, 0);
	atomic_init(&e->waiters, 0);
}
/* Call it before testing the condition. */
static inline uint32_t
event_seen(struct event *e)
{
	return atomic_load_explicit(&e->epoch, memory_order_seq_cst);
}
/* Wait until event_wake() is called after event_seen() returned seen. May
 * return earlier. */
void event_wait(struct event *e, uint32_t seen);
/* The same until deadline_ns, on the clock of clock_now_ns(): false when that
 * has passed. */
bool event_wait_until(struct event *e, uint32_t seen, uint64_t deadline_ns);
/* Wake all waiting threads; call it after the condition has changed. */
void event_wake(struct event *e);

#endif
