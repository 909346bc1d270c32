/* SPDX-License-Identifier: ISC */
/*
 * The threads that serve requests, from start to end.
 *
 * Problem: to hand a request from the thread that reads it to another one
 * costs two wake-ups and cold caches, more than most requests take; but a
 * thread that serves what it reads lets others wait.
 *
 * Method: one thread at a time, the leader, reads requests (worker_pool.h).
 * It serves a request itself while it stays the leader if the request is
 * likely to be short and no other one waits. Otherwise it first lets another
 * thread become the leader (hand_over.h). So a program that does one thing
 * after the other is served by one thread without a wake-up. Before the
 * leader sleeps it polls for a while (spin.h); while requests come one at a
 * time it runs on the caller's processor (affinity.h).
 *
 * Bounds: a leader whose request takes more than a millisecond is replaced,
 * so a wrong guess delays others by no more. Threads start as needed, up to
 * threads=, and stay until loop_stop(). Each has one request buffer.
 */
#ifndef KVFS_FUSE_SERVE_LOOP_H
#define KVFS_FUSE_SERVE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct fuse_session;
struct loop;
struct options;
struct report;

/*
 * Start threads that serve se, which is borrowed until loop_stop(). done_fd,
 * an eventfd, is written to when the connection has ended by itself
 * (unmounted). *loopp is set before the first request is served, and is NULL
 * after a failure; loop_stop() frees it. Of opts it uses threads,
 * request_bytes, affinity and spin_us. A negative errno on failure.
 */
int loop_start(struct fuse_session *se, const struct options *opts, int done_fd,
    struct loop **loopp);

/* Does every commit wait for the disk (sync=full)? A hint. */
void loop_set_commits_wait(struct loop *loop, bool wait);

/* Memory that the threads' request buffers take at most; replies are not
 * counted. */
uint64_t loop_buffer_bytes(struct loop *loop);

/* Times of requests (request_stats.h), those overdue, and affinity.h. */
void loop_report(struct loop *loop, struct report *r);

/*
 * Let each thread finish its request, end them all and free the loop. NULL
 * is accepted. Returns the error that broke the connection, or 0.
 */
int loop_stop(struct loop *loop);

#endif
