/* SPDX-License-Identifier: ISC */
/* Latencies by operation; see request_stats.h. */
#include "fuse/serve/request_stats.h"

#include <stdio.h>

#include <linux/fuse.h>

enum request_op
request_op(const void *request, size_t len)
{
	const struct fuse_in_header *in = request;

	return len >= sizeof(*in) ? opcode_get(in->opcode)->op : OP_OTHER;
}

void
request_stats_report(const struct request_stats *s, struct report *r)
{
	char title[40], label[32];

	for (unsigned i = 0; i < REQUEST_OPS; i++) {
		const char *name = request_op_name(i);

		snprintf(label, sizeof(label), "op=\"%s\"", name);
		snprintf(title, sizeof(title), "Request %s", name);
		report_times(r,
		    r->format == REPORT_TEXT ? title : "Requests by operation",
		    "request", label, &s->ns[i]);
	}
}
