/* SPDX-License-Identifier: ISC */
/*
 * Reports requests that are not answered in time. A thread looks at all
 * requests once a second while there are any. For each one that has been
 * waiting for ten seconds it logs a line: the operation, the inode, and what
 * the thread that serves it is waiting for, by /proc/self/task.
 *
 * Each thread that serves requests has a slot, in which it notes its current
 * request. That is its only cost, besides waking the reporting thread when
 * that is asleep. Nobody waits for the reporting thread, which may block:
 * overdue_stop() does not join it.
 */
#ifndef KVFS_FUSE_SERVE_OVERDUE_H
#define KVFS_FUSE_SERVE_OVERDUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/report.h"

/* A request is overdue at this age; how often the thread looks. */
#define OVERDUE_NS 10000000000ull
#define OVERDUE_CHECK_NS 1000000000ull

struct overdue;

/*
 * The current request of one thread, which alone writes it. since_ns is
 * sequentially consistent with the is_asleep of those who look: a thread
 * stores it and then looks whether they sleep, they say so and then look at
 * it. The other members are figures of a message.
 */
struct request_slot {
	/* When the request was received; written last. 0: no request. */
	_Alignas(64) _Atomic uint64_t since_ns;
	_Atomic uint64_t ino;
	_Atomic uint32_t opcode;
	_Atomic pid_t thread;
	/* since_ns of the last request that was reported; it belongs to the
	 * reporting thread. */
	uint64_t reported_ns;
};

/* Start the reporting thread, for this many slots. It calls tick(arg) about
 * once a second while there are requests; not after overdue_stop(). A
 * negative errno on failure. */
int overdue_start(unsigned slots, void (*tick)(void *arg), void *arg,
    struct overdue **op);
/* The i-th slot; valid until overdue_stop(). */
struct request_slot *overdue_slot(struct overdue *o, unsigned i);

/* The thread of the slot has received a request of len bytes. */
void overdue_begin(struct overdue *o, struct request_slot *slot,
    const void *request, size_t len);
/* It has served it. */
static inline void
overdue_end(struct request_slot *slot)
{
	atomic_store_explicit(&slot->since_ns, 0, memory_order_relaxed);
}

/* Returns how many requests are overdue; *oldestp: the age of the oldest
 * request, in nanoseconds. */
unsigned overdue_count(const struct overdue *o, uint64_t now_ns,
    uint64_t *oldestp);
/* How many were reported so far. */
uint64_t overdue_reported(const struct overdue *o);
/* Whether the reporting thread waits for a request. A hint. */
bool overdue_is_asleep(const struct overdue *o);
void overdue_report(struct overdue *o, struct report *r);
/* No thread serves requests any more. Does not wait for the reporting
 * thread, which frees what is left. NULL is accepted. */
void overdue_stop(struct overdue *o);

#endif
