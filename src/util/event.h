/* SPDX-License-Identifier: ISC */
/*
 * Waiting for a condition on atomic variables without a lock (an eventcount,
 * as folly's EventCount): whoever is woken looks for himself, and many wake
 * without queueing for a mutex.
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
/* Take it before looking at the condition. */
static inline uint32_t
event_seen(struct event *e)
{
	return atomic_load(&e->epoch);
}
/* Wait until event_wake() was called after seen was taken; may return
 * without that. */
void event_wait(struct event *e, uint32_t seen);
/* Likewise, but no longer than until deadline_ns (clock_now_ns()): false when
 * it has passed. */
bool event_wait_until(struct event *e, uint32_t seen, uint64_t deadline_ns);
/* After the condition was changed: wake all who wait. */
void event_wake(struct event *e);

#endif
