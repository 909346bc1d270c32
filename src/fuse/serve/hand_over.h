/* SPDX-License-Identifier: ISC */
/*
 * Decides whether the leader (loop.h) lets another thread read requests
 * before it serves the one that it has. That costs two wake-ups and a thread
 * with cold caches, so it is done only where another program gains by it:
 * for requests that take long, for waits for the disk while other programs
 * are active, and when requests queue.
 *
 * Threads: any. The fields are atomic and relaxed, as hints: a wrong guess
 * costs a wake-up, or a millisecond until the leader is replaced
 * (worker_pool.h).
 */
#ifndef KVFS_FUSE_SERVE_HAND_OVER_H
#define KVFS_FUSE_SERVE_HAND_OVER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "fuse/serve/opcode.h"

/* Relaxed: counts and hints that only decide who reads the next request. */
struct hand_over {
	unsigned cpus; /* constant */
	atomic_bool
	    commits_wait; /* each commit waits for the disk: sync=full */
	atomic_uint active; /* threads that serve a request */
	atomic_uint backlog; /* requests in a row with another behind them */
	/* How many more waits for the disk are handed over, because another
	 * program's request came during one. */
	atomic_uint shared_waits;
};

void hand_over_init(struct hand_over *h, unsigned cpus);

/* Does a request of this kind wait for the disk? */
bool hand_over_waits_for_disk(const struct hand_over *h,
    enum request_kind kind);

/* Another program's request came while the leader waited for the disk. */
void hand_over_note_other(struct hand_over *h);

/* Should the leader, which has a request of this kind, let another thread
 * lead before it serves it? another: one more request waits. */
bool hand_over_is_due(struct hand_over *h, enum request_kind kind,
    bool another);

#endif
