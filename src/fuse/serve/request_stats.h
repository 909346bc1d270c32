/* SPDX-License-Identifier: ISC */
/*
 * How long requests take, by operation, from the read of a request until it
 * was answered. Answers that are given later by another thread (handle.h)
 * are not measured.
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

/* The operation of a raw request of len bytes, an index of ns[]; OP_OTHER
 * when it is too short to tell. */
enum request_op request_op(const void *request, size_t len);
void request_stats_report(const struct request_stats *s, struct report *r);

#endif
