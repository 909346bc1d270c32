/* SPDX-License-Identifier: ISC */
/* A thread that serves requests, one after the other; see loop.h. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/serve/loop_state.h"
#include "fuse/serve/protocol.h"
#include "util/log.h"

/* A leader on its caller's processor checks only after each eighth request
 * whether another one waits, unless one did the last time: mostly that caller
 * is alone. */
#define LOOK_EVERY 8

/* Wait until there is a request, or a signal has come; -1: without limit. */
static bool
poll_requests(struct loop *loop, int timeout_ms)
{
	struct pollfd p = { .fd = fuse_session_fd(loop->se), .events = POLLIN };

	return poll(&p, 1, timeout_ms) > 0;
}

static bool
another_waits(struct loop *loop)
{
	return poll_requests(loop, 0);
}

/* Read a request into w->buf. False when there will be no more; w->len is 0
 * when there is none now. */
static bool
receive_request(struct loop *loop, struct worker *w)
{
	int n = fuse_session_receive_buf(loop->se, &w->buf);

	w->len = n > 0 ? (size_t)n : 0;
	if (n > 0 || n == -EINTR || n == -EAGAIN)
		return true;
	if (n < 0) {
		log_error("/dev/fuse: cannot read a request: %s: the daemon "
			  "ends",
		    strerror(-n));
		atomic_store_explicit(&loop->error, n, memory_order_seq_cst);
		fuse_session_exit(loop->se);
	}
	return false;
}

/* caller: the thread that waits for the answer, or 0. */
static void
process_request(struct loop *loop, struct worker *w, uint32_t caller)
{
	unsigned op = request_op(w->buf.mem, w->len);
	uint64_t start = atomic_load_explicit(&w->slot->since_ns,
	    memory_order_relaxed);

	atomic_fetch_add_explicit(&loop->pool.served, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&loop->hand_over.active, 1,
	    memory_order_relaxed);
	affinity_begin(&w->affinity, caller);
	fuse_session_process_buf(loop->se, &w->buf);
	histogram_add(&loop->stats.ns[op], affinity_end(&w->affinity) - start);
	atomic_fetch_sub_explicit(&loop->hand_over.active, 1,
	    memory_order_relaxed);
	/* A thread under SCHED_IDLE may be kept from the processor, so it is
	 * watched until it has its next request or sleeps. */
	if (!affinity_is_idle(&w->affinity))
		overdue_end(w->slot);
}

/* Wait for a request and read it. *readyp: it was there already. False when
 * there will be no more. */
static bool
await_and_receive(struct loop *loop, struct worker *w, bool *readyp)
{
	bool is_held = affinity_is_held(&w->affinity);

	if (!receive_request(loop, w))
		return false;
	*readyp = w->len != 0;
	if (*readyp)
		return true;
	affinity_leave_idle(&w->affinity);
	overdue_end(w->slot);
	if (!is_held)
		spin_before_wait(&loop->spin, fuse_session_fd(loop->se));
	(void)poll_requests(loop, -1);
	if (!receive_request(loop, w))
		return false;
	if (w->len != 0 && !is_held)
		spin_after_wait(&loop->spin);
	return true;
}

/* Does another request wait behind the one that the leader has read? */
static bool
look_behind(struct loop *loop, struct worker *w, enum request_kind kind,
    uint32_t caller)
{
	bool another;

	if (affinity_is_held(&w->affinity) && !w->saw_another &&
	    ++w->since_look % LOOK_EVERY != 0)
		return false;
	/* A caller in another PID namespace has the number 0. */
	if (kind == REQUEST_BRIEF && caller == 0)
		return false;
	another = another_waits(loop);
	w->saw_another = another;
	if (caller != 0)
		affinity_note_queue(&loop->affinity, another);
	return another;
}

/* Read and serve one request. False when there will be no more. */
static bool
serve_as_leader(struct loop *loop, struct worker *w)
{
	bool ready, another;
	enum request_kind kind;
	uint32_t caller;

	if (!await_and_receive(loop, w, &ready))
		return false;
	if (w->len == 0)
		return true;
	worker_pool_begin_request(&loop->pool, w);
	kind = protocol_peek(w->buf.mem, w->len);
	caller = protocol_caller(w->buf.mem, w->len);
	if (w->waited_for != 0 && caller != 0 && caller != w->waited_for)
		hand_over_note_other(&loop->hand_over);
	w->waited_for = 0;
	another = look_behind(loop, w, kind, caller);
	if (caller != 0)
		affinity_received(&w->affinity, caller, ready);
	/* From then on nobody watches this thread, so it answers with its
	 * normal policy. */
	if (hand_over_is_due(&loop->hand_over, kind, another)) {
		affinity_leave_idle(&w->affinity);
		worker_pool_resign(&loop->pool, w);
		process_request(loop, w, 0);
		return true;
	}
	process_request(loop, w, caller);
	if (hand_over_waits_for_disk(&loop->hand_over, kind) &&
	    another_waits(loop))
		w->waited_for = caller;
	return true;
}

/* The same for a thread that is not the leader, if a request is there;
 * otherwise w->len is 0. */
static bool
serve_as_helper(struct loop *loop, struct worker *w)
{
	if (!receive_request(loop, w))
		return false;
	if (w->len == 0)
		return true;
	worker_pool_begin_request(&loop->pool, w);
	(void)protocol_peek(w->buf.mem, w->len);
	process_request(loop, w, protocol_caller(w->buf.mem, w->len));
	return true;
}

/* A leader goes on without taking a lock, and so does a thread that has been
 * the leader, as a helper, as long as requests wait. */
static bool
serve_one(struct loop *loop, struct worker *w)
{
	if (worker_pool_is_led_by(&loop->pool, w))
		return serve_as_leader(loop, w);
	affinity_release(&w->affinity);
	overdue_end(w->slot);
	if (w->has_led) {
		if (!serve_as_helper(loop, w))
			return false;
		if (w->len != 0)
			return true;
	}
	w->has_led = true;
	return worker_pool_lead(&loop->pool, w) && serve_as_leader(loop, w);
}

void *
serve_requests(void *arg)
{
	struct worker *w = arg;
	struct loop *loop = w->loop;
	const uint64_t one = 1;
	ssize_t n;

	atomic_store_explicit(&w->slot->thread, gettid(), memory_order_seq_cst);
	while (!fuse_session_exited(loop->se) && serve_one(loop, w))
		;
	worker_pool_end(&loop->pool);
	n = write(loop->done_fd, &one, sizeof(one));
	(void)n;
	free(w->buf.mem);
	return NULL;
}
