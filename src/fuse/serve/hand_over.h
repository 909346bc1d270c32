/* SPDX-License-Identifier: ISC */
/*
 * Whether the leader (loop.h) lets another thread wait for the next request
 * before it serves the one that it has: two wake-ups and a cold thread, so
 * only where somebody gains by it.
 *
 * Hints, relaxed: a wrong guess costs a wake-up, or a millisecond until the
 * leader is replaced (worker_pool.h).
 */
#ifndef KVFS_FUSE_SERVE_HAND_OVER_H
#define KVFS_FUSE_SERVE_HAND_OVER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "fuse/serve/opcode.h"

struct hand_over {
	unsigned cpus; /* constant */
	atomic_bool commits_wait; /* for the disk: sync=full */
	atomic_uint active; /* threads that serve a request */
	atomic_uint backlog; /* requests in a row that were not alone */
	/* So many waits for the disk are handed over yet, since a request of
	 * another program came during one. */
	atomic_uint shared_waits;
};

void hand_over_init(struct hand_over *h, unsigned cpus);

/* Does a request of that kind wait for the disk? */
bool hand_over_waits_for_disk(const struct hand_over *h,
    enum request_kind kind);

/* Another program's request came during a wait for the disk. */
void hand_over_note_other(struct hand_over *h);

/* The leader has a request of that kind; another: one more is there. */
bool hand_over_is_due(struct hand_over *h, enum request_kind kind,
    bool another);

#endif
