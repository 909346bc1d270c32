/* SPDX-License-Identifier: ISC */
/* What loop.c and serve.c share, and nobody else sees. */
#ifndef KVFS_FUSE_SERVE_LOOP_STATE_H
#define KVFS_FUSE_SERVE_LOOP_STATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "fuse/serve/affinity.h"
#include "fuse/serve/hand_over.h"
#include "fuse/serve/overdue.h"
#include "fuse/serve/request_stats.h"
#include "fuse/serve/spin.h"
#include "fuse/serve/worker_pool.h"

struct loop {
	/* Constant. */
	struct fuse_session *se;
	uint32_t request_bytes;
	int done_fd;

	/* That broke the connection; read when the threads have ended, which
	 * orders the two. */
	atomic_int error;
	struct worker_pool pool;
	struct spin spin; /* used by the leader */
	struct hand_over hand_over; /* used by the leader */
	struct affinity affinity;
	struct request_stats stats;
	struct overdue *overdue; /* owned */
};

/* The main function of a thread of the pool: serve requests until there are
 * no more. worker is a struct worker. */
void *serve_requests(void *worker);

#endif
