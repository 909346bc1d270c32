/* SPDX-License-Identifier: ISC */
/*
 * Busy polling: looking for the next request before going to sleep, while
 * that pays.
 *
 * A program that waits for each answer sends its next request within
 * microseconds; to put a thread to sleep and wake it takes tens of them,
 * more on a virtual machine. The score counts how often looking would have
 * paid lately, and looking stops when it does not, or when the processor
 * is wanted by others.
 */
#ifndef KVFS_FUSE_SERVE_SPIN_H
#define KVFS_FUSE_SERVE_SPIN_H

#include <stdatomic.h>
#include <stdint.h>

#include "fuse/serve/cooldown.h"

/* One thread at a time; another may come in between now and then, so the
 * fields are atomic, relaxed: at worst the score is off by one. */
struct spin {
	uint64_t window_ns; /* 0: never */
	_Atomic uint64_t began_ns;
	_Atomic int score; /* look while it is positive */
	struct cooldown cooldown;
};

/* window_us is ignored on a machine with one processor. */
void spin_init(struct spin *s, unsigned window_us);
/* Look until fd is readable, or for the window, or not at all. */
void spin_before_wait(struct spin *s, int fd);
/* A request has come: learn from how long it took. */
void spin_after_wait(struct spin *s);

#endif
