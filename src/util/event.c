/* SPDX-License-Identifier: ISC */
/* Eventcounts on futex(2); see event.h. */
#include "util/event.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

/* Wait until the absolute time, if it is not NULL. */
static int
wait_for_epoch(struct event *e, uint32_t seen, const struct timespec *until)
{
	long rc;

	/* Sequentially consistent, as in event_wake(): either that sees this
	 * waiter, or the kernel sees the new epoch. */
	atomic_fetch_add_explicit(&e->waiters, 1, memory_order_seq_cst);
	/* The kernel compares the epoch, so no wake-up after event_seen() is
	 * missed. A signal or a new epoch ends the wait. */
	rc = syscall(SYS_futex, &e->epoch,
	    FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen, until, NULL,
	    FUTEX_BITSET_MATCH_ANY);
	if (rc != 0)
		rc = -errno;
	atomic_fetch_sub_explicit(&e->waiters, 1, memory_order_seq_cst);
	return (int)rc;
}

void
event_wait(struct event *e, uint32_t seen)
{
	(void)wait_for_epoch(e, seen, NULL);
}

bool
event_wait_until(struct event *e, uint32_t seen, uint64_t deadline_ns)
{
	const struct timespec until = { (time_t)(deadline_ns / NS_PER_S),
		(long)(deadline_ns % NS_PER_S) };

	return wait_for_epoch(e, seen, &until) != -ETIMEDOUT;
}

void
event_wake(struct event *e)
{
	atomic_fetch_add_explicit(&e->epoch, 1, memory_order_seq_cst);
	if (atomic_load_explicit(&e->waiters, memory_order_seq_cst) != 0)
		(void)syscall(SYS_futex, &e->epoch, FUTEX_WAKE_PRIVATE, INT_MAX,
		    NULL, NULL, 0);
}
