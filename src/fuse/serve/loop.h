/* SPDX-License-Identifier: ISC */
/*
 * The threads that serve requests.
 *
 * One thread at a time, the leader, waits for requests (worker_pool.h). It
 * serves a request itself and stays the leader when the request is likely to
 * be short and no other waits: so a program that does one thing after the
 * other is served by one thread, warm, without a wake-up in between. Else it
 * lets another thread lead first (hand_over.h); a wait for the disk counts
 * as short as long as no other program's request came during such a wait
 * lately. If a request takes long against expectation, the leader is
 * replaced. Threads start as needed, up to a bound, and stay.
 *
 * Before it goes to sleep the leader looks for the next request for some
 * microseconds, as long as that has paid off lately (as KVM does before it
 * halts a processor): to be woken takes longer than most requests. While
 * requests come one at a time, it does better: affinity.h.
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
 * Start serving se. done_fd, an eventfd, is written to when the connection
 * has ended by itself (unmounted). *loopp is set before the first request is
 * served, and is NULL after a failure. Of opts: threads, request_bytes,
 * affinity, and spin_us, which as 0 never looks, always sleeps.
 */
int loop_start(struct fuse_session *se, const struct options *opts, int done_fd,
    struct loop **loopp);

/* Does every commit wait for the disk (sync=full)? A hint. */
void loop_set_commits_wait(struct loop *loop, bool wait);

/* What the threads' requests take at most, replies not counted. */
uint64_t loop_buffer_bytes(struct loop *loop);

/* How long requests took (request_stats.h). */
void loop_report(struct loop *loop, struct report *r);

/*
 * Let each thread finish the request that it has, and end them all. NULL
 * is accepted. Returns the error that broke the connection, or 0.
 */
int loop_stop(struct loop *loop);

#endif
