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

#include "util/report.h"

#define REQUEST_OPS 15

struct request_stats {
	struct histogram ns[REQUEST_OPS];
};

/* The operation of a raw request of len bytes: an index of ns. */
unsigned request_op(const void *request, size_t len);
const char *request_op_name(uint32_t opcode);
void request_stats_report(const struct request_stats *s, struct report *r);

#endif
