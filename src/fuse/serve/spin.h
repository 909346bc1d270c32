/* SPDX-License-Identifier: ISC */
/*
 * Busy polling before a sleep.
 *
 * Problem: a program that waits for each answer sends its next request
 * within microseconds, while to sleep and be woken takes tens of them, more
 * on a virtual machine.
 *
 * Method: before the leader sleeps in read(2) it polls the descriptor for a
 * window of some microseconds (as KVM does before it halts a processor). A
 * score counts how often this would have paid off lately; it polls only
 * while the score is positive.
 *
 * Bounds: at most one window of processor time per request, and none on a
 * machine with one processor. Polling offers the processor to others all the
 * time; if one of them takes it, polling stops for 1 to 32 seconds
 * (cooldown.h).
 */
#ifndef KVFS_FUSE_SERVE_SPIN_H
#define KVFS_FUSE_SERVE_SPIN_H

#include <stdatomic.h>
#include <stdint.h>

#include "fuse/serve/cooldown.h"

/* Used by the leader. Two threads may lead for a moment (worker_pool.h), so
 * the fields are atomic, relaxed: at worst the score is off by one. */
struct spin {
	uint64_t window_ns; /* 0: never poll */
	_Atomic uint64_t began_ns; /* the last spin_before_wait() */
	_Atomic int score; /* poll while it is positive */
	struct cooldown cooldown;
};

/* window_us: the longest time to poll; 0 never polls. It is ignored on a
 * machine with one processor. */
void spin_init(struct spin *s, unsigned window_us);
/* Poll until fd is readable or the window is over; or return at once. */
void spin_before_wait(struct spin *s, int fd);
/* A request has come: adjust the score by how long that took. */
void spin_after_wait(struct spin *s);

#endif
