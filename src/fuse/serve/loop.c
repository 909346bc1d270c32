/* SPDX-License-Identifier: ISC */
/*
 * The threads that serve requests; see loop.h. That one thread leads is
 * for speed alone: two that read requests at once, as can be for a moment
 * when the lead is taken from a thread that just ends its request, do no
 * harm.
 *
 * The lead: taken in take_lead(), given up in give_lead(), taken away in
 * watch().
 */
#include "fuse/serve/loop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/fuse_api.h"
#include "fuse/options/options.h"
#include "fuse/serve/affinity.h"
#include "fuse/serve/overdue.h"
#include "fuse/serve/protocol.h"
#include "fuse/serve/request_stats.h"
#include "fuse/serve/spin.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mutex.h"

/* A request of the leader that takes longer loses it the lead. */
#define WATCH_NS 1000000
#define WATCH_BESIDE_NS 4000000
/* Watching without anything served for so long rests until woken. */
#define REST_TICKS 100

/* Requests in a row that leave another one waiting, until one more thread
 * is worth its wake-up. */
#define BACKLOG_MIN 4

/* So many waits for the disk in a row are handed over once a request of
 * somebody else came during one. */
#define COMPANY_WAITS 64

/* Ends the wait of a thread that is to end. */
#define WAKE_SIGNAL SIGUSR1
#define WAKE_EVERY_NS 10000000

struct worker {
	struct loop *loop;
	pthread_t thread;
	struct fuse_buf buf;
	size_t len; /* of the request in buf */
	struct request_slot *slot; /* the request that it has, since when */
	struct affinity_place place;
	bool helps; /* had the lead once: may read beside the leader */
	/* Who waited for the disk while we kept the lead, if another request
	 * had come by the end of that: his next, or somebody else's. */
	uint32_t alone;
};

struct loop {
	/* Constant. */
	struct fuse_session *se;
	unsigned max_threads;
	uint32_t request_bytes;
	unsigned cpus;
	int done_fd;

	/*
	 * Hints, relaxed: a stale value costs a wake-up or a millisecond.
	 * leader is changed under mu; its own thread reads it without.
	 */
	_Atomic(struct worker *) leader;
	_Atomic uint64_t served;
	atomic_uint active; /* threads that serve a request */
	atomic_bool resting; /* the watcher */
	atomic_bool commits_wait;
	atomic_int error;
	struct spin spin; /* of the leader */
	struct affinity affinity;
	struct request_stats stats;
	struct overdue *overdue;
	atomic_uint backlog; /* requests in a row that were not alone */
	atomic_uint company; /* waits for the disk that are handed over yet */

	struct mutex mu;
	struct cond lead_free; /* one waiter takes the lead or watches */
	struct cond watch_due;
	bool ended GUARDED_BY(mu);
	bool watched GUARDED_BY(mu); /* a thread is in watch() */
	unsigned waiting GUARDED_BY(mu); /* threads in take_lead() */
	struct worker *workers GUARDED_BY(mu);
	unsigned nworkers GUARDED_BY(mu);
};

static void *serve(void *arg);

static int start_locked(struct loop *loop) REQUIRES(&loop->mu);

static int
start_locked(struct loop *loop)
{
	struct worker *w = &loop->workers[loop->nworkers];
	int err;

	if (loop->ended || loop->nworkers == loop->max_threads)
		return 0;
	w->loop = loop;
	w->slot = overdue_slot(loop->overdue, loop->nworkers);
	affinity_place_init(&w->place, &loop->affinity);
	err = pthread_create(&w->thread, NULL, serve, w);
	if (err == 0)
		loop->nworkers++;
	return -err;
}

/* There should be one that watches, if the system has a thread for us by
 * now. */
static void
ensure_watcher(void *arg)
{
	struct loop *loop = arg;

	mutex_lock(&loop->mu);
	if (atomic_load(&loop->leader) != NULL && loop->waiting == 0)
		(void)start_locked(loop);
	mutex_unlock(&loop->mu);
}

static void end_locked(struct loop *loop) REQUIRES(&loop->mu);

static void
end_locked(struct loop *loop)
{
	loop->ended = true;
	cond_broadcast(&loop->lead_free);
	cond_broadcast(&loop->watch_due);
}

static void
note_company(struct loop *loop)
{
	atomic_store_explicit(&loop->company, COMPANY_WAITS,
	    memory_order_relaxed);
}

/* Beside its caller, each look costs the leader its place. */
static uint64_t
watch_ns(const struct loop *loop)
{
	return affinity_is_beside(&loop->affinity) ? WATCH_BESIDE_NS : WATCH_NS;
}

static void take_lead_from(struct loop *loop, struct worker *w)
    REQUIRES(&loop->mu);

static void
take_lead_from(struct loop *loop, struct worker *w)
{
	atomic_store(&loop->leader, NULL);
	if (!affinity_lost(&w->place, w->thread))
		note_company(loop);
}

/*
 * Wait for the lead to be free, and look now and then whether the leader
 * is held up, by whatever, since it received a request; then it is no
 * leader any more.
 */
static void watch(struct loop *loop) REQUIRES(&loop->mu);

static void
watch(struct loop *loop)
{
	uint64_t served = atomic_load(&loop->served), last;
	struct worker *leader;
	unsigned quiet = 0;

	loop->watched = true;
	while (!loop->ended && (leader = atomic_load(&loop->leader)) != NULL) {
		uint64_t now = clock_now_ns();
		uint64_t since = atomic_load(&leader->slot->since_ns);

		if (since != 0 && now > since && now - since >= WATCH_NS) {
			take_lead_from(loop, leader);
			break;
		}
		last = served;
		served = atomic_load(&loop->served);
		quiet = served == last && since == 0 ? quiet + 1 : 0;
		if (quiet < REST_TICKS) {
			cond_wait_until(&loop->watch_due, &loop->mu,
			    now + watch_ns(loop));
			continue;
		}
		/* Sequentially consistent with begin_request(): either it
		 * sees that we rest, or we see that it is busy. */
		atomic_store(&loop->resting, true);
		if (atomic_load(&leader->slot->since_ns) == 0)
			cond_wait(&loop->watch_due, &loop->mu);
		atomic_store(&loop->resting, false);
		quiet = 0;
	}
	loop->watched = false;
}

/* False when the loop has ended. */
static bool
take_lead(struct loop *loop, struct worker *w)
{
	bool leads = false;

	mutex_lock(&loop->mu);
	loop->waiting++;
	while (!loop->ended && atomic_load(&loop->leader) != NULL) {
		if (!loop->watched)
			watch(loop);
		else
			cond_wait(&loop->lead_free, &loop->mu);
	}
	loop->waiting--;
	if (!loop->ended) {
		leads = true;
		atomic_store(&loop->leader, w);
		/* Somebody has to watch from now on. */
		if (loop->waiting == 0)
			(void)start_locked(loop);
		else if (!loop->watched)
			cond_signal(&loop->lead_free);
	}
	mutex_unlock(&loop->mu);
	return leads;
}

static void
give_lead(struct loop *loop, struct worker *w)
{
	struct cond *waiter = NULL;

	mutex_lock(&loop->mu);
	/* Else it has been taken away. */
	if (atomic_load(&loop->leader) == w) {
		atomic_store(&loop->leader, NULL);
		/* The watcher is the one that surely waits, if any does. */
		if (loop->waiting > (loop->watched ? 1 : 0))
			waiter = &loop->lead_free;
		else if (loop->watched)
			waiter = &loop->watch_due;
		else
			(void)start_locked(loop);
	}
	mutex_unlock(&loop->mu);
	/* Who is woken runs at once, and would only wait for mu. */
	if (waiter != NULL)
		cond_signal(waiter);
}

static bool
another_waits(struct loop *loop)
{
	struct pollfd p = { .fd = fuse_session_fd(loop->se), .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/*
 * Is a request likely to come while this one waits for the disk? For a
 * program that is alone, handing over is two wake-ups and a cold thread for
 * nothing; watch() bounds what a wrong guess costs.
 */
static bool
has_company(struct loop *loop, bool another)
{
	unsigned n = atomic_load_explicit(&loop->company, memory_order_relaxed);

	if (another)
		n = COMPANY_WAITS;
	else if (n > 0)
		n--;
	atomic_store_explicit(&loop->company, n, memory_order_relaxed);
	return n > 0;
}

static bool
waits_for_disk(struct loop *loop, enum request_kind kind)
{
	return kind == REQUEST_SYNC ||
	    (kind == REQUEST_COMMIT &&
		atomic_load_explicit(&loop->commits_wait,
		    memory_order_relaxed));
}

/* another: one more request waits. */
static bool
should_hand_over(struct loop *loop, enum request_kind kind, bool another)
{
	if (kind == REQUEST_BRIEF)
		return false;
	if (kind == REQUEST_SLOW)
		return true;
	if (waits_for_disk(loop, kind))
		return has_company(loop, another);
	/* More threads than processors would only take turns. */
	if (atomic_load_explicit(&loop->active, memory_order_relaxed) >=
	    loop->cpus)
		return false;
	if (!another) {
		loop->backlog = 0;
		return false;
	}
	return ++loop->backlog % BACKLOG_MIN == 0;
}

static void
wake_watcher(struct loop *loop)
{
	/* Not between its last look at busy_since and its sleep. */
	mutex_lock(&loop->mu);
	cond_signal(&loop->watch_due);
	mutex_unlock(&loop->mu);
}

/* Get a request. False when there will be no more; w->len is 0 when there
 * was none this time. */
static bool
receive(struct loop *loop, struct worker *w)
{
	int n = fuse_session_receive_buf(loop->se, &w->buf);

	w->len = n > 0 ? (size_t)n : 0;
	if (n > 0 || n == -EINTR || n == -EAGAIN)
		return true;
	if (n < 0) {
		atomic_store(&loop->error, n);
		fuse_session_exit(loop->se);
	}
	return false;
}

/* A request was received: from here on the lead can be taken away. */
static void
begin_request(struct loop *loop, struct worker *w)
{
	overdue_begin(loop->overdue, w->slot, w->buf.mem, w->len);
	if (atomic_load(&loop->resting))
		wake_watcher(loop);
}

/* caller: who waits for the answer, or 0. */
static void
process(struct loop *loop, struct worker *w, uint32_t caller)
{
	unsigned op = request_op(w->buf.mem, w->len);
	uint64_t start = atomic_load_explicit(&w->slot->since_ns,
	    memory_order_relaxed);

	atomic_fetch_add_explicit(&loop->served, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&loop->active, 1, memory_order_relaxed);
	affinity_begin(&w->place, caller);
	fuse_session_process_buf(loop->se, &w->buf);
	histogram_add(&loop->stats.ns[op], affinity_end(&w->place) - start);
	atomic_fetch_sub_explicit(&loop->active, 1, memory_order_relaxed);
	overdue_end(w->slot);
}

/* Both: serve one request; false when there are no more. */
static bool
serve_as_leader(struct loop *loop, struct worker *w)
{
	bool beside = affinity_is_held(&w->place), ready = false, another;
	enum request_kind kind;
	uint32_t caller;

	if (beside)
		ready = another_waits(loop);
	else
		spin_before_wait(&loop->spin, fuse_session_fd(loop->se));
	if (!receive(loop, w))
		return false;
	if (w->len == 0)
		return true;
	begin_request(loop, w);
	if (!beside)
		spin_after_wait(&loop->spin);
	kind = protocol_peek(w->buf.mem, w->len);
	caller = protocol_caller(w->buf.mem, w->len);
	if (w->alone != 0 && caller != 0 && caller != w->alone)
		note_company(loop);
	w->alone = 0;
	/* Of a caller in another PID namespace the number is 0. */
	another = (kind != REQUEST_BRIEF || caller != 0) && another_waits(loop);
	if (caller != 0)
		affinity_received(&w->place, caller, ready, another);
	if (should_hand_over(loop, kind, another)) {
		give_lead(loop, w);
		process(loop, w, caller);
		return true;
	}
	process(loop, w, caller);
	if (waits_for_disk(loop, kind) && another_waits(loop))
		w->alone = caller;
	return true;
}

static bool
serve_as_helper(struct loop *loop, struct worker *w)
{
	if (!receive(loop, w))
		return false;
	if (w->len == 0)
		return true;
	begin_request(loop, w);
	(void)protocol_peek(w->buf.mem, w->len);
	process(loop, w, protocol_caller(w->buf.mem, w->len));
	return true;
}

/* The leader goes on without a lock; so does who helps it, as long as
 * requests are waiting. */
static bool
serve_one(struct loop *loop, struct worker *w)
{
	if (atomic_load_explicit(&loop->leader, memory_order_relaxed) == w)
		return serve_as_leader(loop, w);
	affinity_release(&w->place);
	if (w->helps && another_waits(loop))
		return serve_as_helper(loop, w);
	w->helps = true;
	return take_lead(loop, w) && serve_as_leader(loop, w);
}

static void *
serve(void *arg)
{
	struct worker *w = arg;
	struct loop *loop = w->loop;
	const uint64_t one = 1;
	ssize_t n;

	atomic_store(&w->slot->thread, gettid());
	while (!fuse_session_exited(loop->se) && serve_one(loop, w))
		;
	mutex_lock(&loop->mu);
	end_locked(loop);
	mutex_unlock(&loop->mu);
	n = write(loop->done_fd, &one, sizeof(one));
	(void)n;
	free(w->buf.mem);
	return NULL;
}

static void
be_woken(int sig)
{
	(void)sig;
}

int
loop_start(struct fuse_session *se, const struct options *opts, int done_fd,
    struct loop **loopp)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int rc;

	*loopp = NULL;
	if (loop == NULL)
		return -ENOMEM;
	loop->se = se;
	loop->max_threads = opts->threads;
	loop->request_bytes = opts->request_bytes;
	loop->cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	loop->done_fd = done_fd;
	spin_init(&loop->spin, opts->spin_us);
	affinity_init(&loop->affinity, opts->affinity);
	mutex_init(&loop->mu);
	cond_init(&loop->lead_free);
	cond_init(&loop->watch_due);
	/* Without SA_RESTART, so that it ends a read(2). */
	sigaction(WAKE_SIGNAL, &(struct sigaction){ .sa_handler = be_woken },
	    NULL);
	loop->workers = calloc(loop->max_threads, sizeof(*loop->workers));
	rc = overdue_start(loop->max_threads, ensure_watcher, loop,
	    &loop->overdue);
	if (rc == 0 && loop->workers == NULL)
		rc = -ENOMEM;
	if (rc == 0) {
		mutex_lock(&loop->mu);
		rc = start_locked(loop);
		mutex_unlock(&loop->mu);
	}
	if (rc < 0) {
		log_error("threads: cannot start one: %s", strerror(-rc));
		loop_stop(loop);
		return rc;
	}
	*loopp = loop;
	return 0;
}

void
loop_set_commits_wait(struct loop *loop, bool wait)
{
	atomic_store_explicit(&loop->commits_wait, wait, memory_order_relaxed);
}

uint64_t
loop_buffer_bytes(struct loop *loop)
{
	uint64_t n;

	mutex_lock(&loop->mu);
	n = loop->nworkers;
	mutex_unlock(&loop->mu);
	return n * loop->request_bytes;
}

void
loop_report(struct loop *loop, struct report *r)
{
	overdue_report(loop->overdue, r);
	request_stats_report(&loop->stats, r);
	affinity_report(&loop->affinity, r);
}

/*
 * A thread that waits in read(2) is interrupted; one that was about to
 * misses that, and is interrupted again.
 */
static void
end_thread(pthread_t thread)
{
	struct timespec deadline;

	do {
		pthread_kill(thread, WAKE_SIGNAL);
		clock_gettime(CLOCK_MONOTONIC, &deadline);
		deadline.tv_nsec += WAKE_EVERY_NS;
		if (deadline.tv_nsec >= 1000000000) {
			deadline.tv_nsec -= 1000000000;
			deadline.tv_sec++;
		}
	} while (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC,
		     &deadline) == ETIMEDOUT);
}

int
loop_stop(struct loop *loop)
{
	unsigned n;
	int rc;

	if (loop == NULL)
		return 0;
	fuse_session_exit(loop->se);
	mutex_lock(&loop->mu);
	end_locked(loop);
	n = loop->nworkers;
	mutex_unlock(&loop->mu);
	/* No thread starts from here on, so the list stands still. */
	for (unsigned i = 0; i < n; i++)
		end_thread(loop->workers[i].thread);
	overdue_stop(loop->overdue);
	rc = atomic_load(&loop->error);
	cond_fini(&loop->watch_due);
	cond_fini(&loop->lead_free);
	mutex_fini(&loop->mu);
	free(loop->workers);
	free(loop);
	return rc;
}
