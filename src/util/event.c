/* SPDX-License-Identifier: ISC */
/* Eventcounts on futex(2); see event.h. */
#include "util/event.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

void
event_wait(struct event *e, uint32_t seen)
{
	/* Sequentially consistent, as in event_wake(): either that sees us
	 * wait, or the kernel sees the new epoch. */
	atomic_fetch_add(&e->waiters, 1);
	/* It compares, so that no wake between the look and the wait is
	 * missed. A signal or a change meanwhile ends it early. */
	(void)syscall(SYS_futex, &e->epoch, FUTEX_WAIT_PRIVATE, seen, NULL,
	    NULL, 0);
	atomic_fetch_sub(&e->waiters, 1);
}

void
event_wake(struct event *e)
{
	atomic_fetch_add(&e->epoch, 1);
	if (atomic_load(&e->waiters) != 0)
		(void)syscall(SYS_futex, &e->epoch, FUTEX_WAKE_PRIVATE, INT_MAX,
		    NULL, NULL, 0);
}
