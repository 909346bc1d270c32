/* SPDX-License-Identifier: ISC */
/*
 * Requests that are not answered in time: a thread looks once a second, as
 * long as there are requests, and for each one that has been waiting for
 * ten seconds a line goes to the log: what, which inode, and what the
 * thread that serves it is waiting for, by what the kernel knows of it.
 *
 * Each thread that serves has a slot, in which it notes the request that it
 * has; that is all it ever does for this, but for waking who looks. Nobody
 * waits for the thread that looks, not even at the end.
 */
#ifndef KVFS_FUSE_SERVE_OVERDUE_H
#define KVFS_FUSE_SERVE_OVERDUE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/report.h"

struct overdue;

/* What one thread does. Written by it alone. */
struct request_slot {
	/* When the request was received, last to be written; 0: none. */
	_Alignas(64) _Atomic uint64_t since_ns;
	_Atomic uint64_t ino;
	_Atomic uint32_t opcode;
	_Atomic pid_t thread;
	uint64_t reported_ns; /* of who looks: since_ns of what it told of */
};

/* For so many slots. tick(arg) is called now and then while there are
 * requests; not after overdue_stop(). */
int overdue_start(unsigned slots, void (*tick)(void *arg), void *arg,
    struct overdue **op);
struct request_slot *overdue_slot(struct overdue *o, unsigned i);

/* The thread of the slot has got a request, of len bytes. */
void overdue_begin(struct overdue *o, struct request_slot *slot,
    const void *request, size_t len);
static inline void
overdue_end(struct request_slot *slot)
{
	atomic_store_explicit(&slot->since_ns, 0, memory_order_relaxed);
}

void overdue_report(struct overdue *o, struct report *r);
/* No thread serves any more. NULL is accepted. */
void overdue_stop(struct overdue *o);

#endif
