/* SPDX-License-Identifier: ISC */
/*
 * How long requests take, by operation, from reading one to having answered
 * it. What the daemon answers later, on a thread of its own (handle.h), is
 * not seen.
 */
#ifndef KVFS_FUSE_SERVE_REQUEST_STATS_H
#define KVFS_FUSE_SERVE_REQUEST_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "fuse/serve/opcode.h"
#include "util/report.h"

struct request_stats {
	struct histogram ns[REQUEST_OPS];
};

/* The operation of a raw request of len bytes: an index of ns. */
enum request_op request_op(const void *request, size_t len);
void request_stats_report(const struct request_stats *s, struct report *r);

#endif
