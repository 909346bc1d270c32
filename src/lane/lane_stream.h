/* SPDX-License-Identifier: ISC */
/*
 * One side of a lane: a socket, with what was received and not taken yet, and
 * what is to be sent. Memory stays within a few messages. One thread.
 */
#ifndef KVFS_LANE_LANE_STREAM_H
#define KVFS_LANE_LANE_STREAM_H

#include <stdatomic.h>

#include "lane/lane.h"

struct lane_stream {
	int fd; /* borrowed */
	struct buf in, out;
	size_t at; /* of in: taken until here */
	int error; /* the stream has ended */
	/* Called when the other side does not take what is sent, but sends
	 * something itself: takes a message. NULL: wait for it to read. */
	int (*take)(void *arg, uint32_t type, struct slice m);
	void *arg;
};

void lane_stream_init(struct lane_stream *s, int fd);
void lane_stream_fini(struct lane_stream *s);

/* Messages were appended to out: send them, if they are many, or in any case.
 * 0 or a negative errno. */
int lane_send(struct lane_stream *s);
int lane_flush(struct lane_stream *s);
/* Send all that is waiting, then take the next message, which is valid until
 * the next call. -ECONNRESET: the other side has ended. */
int lane_receive(struct lane_stream *s, uint32_t *typep, struct slice *mp);

#endif
