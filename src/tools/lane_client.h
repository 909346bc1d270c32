/* SPDX-License-Identifier: ISC */
/*
 * A command's side of a lane (lane/lane.h). Failures of single entries are
 * reported as they come, a line each. One thread.
 */
#ifndef KVFS_TOOLS_LANE_CLIENT_H
#define KVFS_TOOLS_LANE_CLIENT_H

#include "lane/lane_stream.h"
#include "tools/target.h"

struct lane_client {
	const char *name; /* of the store, for messages */
	int fd;
	struct lane_stream stream;
	/* What LANE_FAILED is called in its line; NULL: its path. */
	void (*print_failed)(const struct lane_result *r);
	uint64_t failures; /* that were reported */
	bool returns_failed; /* lane_client_receive() returns after each */
	/* The last LANE_DONE. */
	bool is_done;
	struct lane_result done;
};

/* Begin work in the directory base. Reports failures itself: 0 or 1. */
int lane_client_open(struct lane_client *c, const char *name, struct target *t,
    const struct lane_hello *h);
/* The same, with fd from target_lane(). */
int lane_client_begin(struct lane_client *c, const char *name,
    const struct lane_hello *h);
void lane_client_close(struct lane_client *c);

/* Messages were appended to stream.out: send them when they are many. A
 * negative errno when the work has ended. */
int lane_client_send(struct lane_client *c);
/* Take the next message that is not LANE_FAILED. */
int lane_client_receive(struct lane_client *c, uint32_t *typep,
    struct slice *mp);
/* Send LANE_COMMIT, and wait for its answer: 0, or a negative errno. */
int lane_client_commit(struct lane_client *c);
/* Print why the work has ended; returns 1. */
int lane_client_report(const struct lane_client *c, int rc);
/* The reason in words. */
const char *lane_client_reason(int rc);

#endif
