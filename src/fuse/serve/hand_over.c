/* SPDX-License-Identifier: ISC */
/* See hand_over.h. */
#include "fuse/serve/hand_over.h"

/* After so many requests in a row with another one behind them, one more
 * thread is worth its wake-up. */
#define BACKLOG_MIN 4

/* So many further waits for the disk are handed over once another program's
 * request came during one. */
#define SHARED_WAITS 64

void
hand_over_init(struct hand_over *h, unsigned cpus)
{
	h->cpus = cpus;
	atomic_init(&h->commits_wait, false);
	atomic_init(&h->active, 0);
	atomic_init(&h->backlog, 0);
	atomic_init(&h->shared_waits, 0);
}

bool
hand_over_waits_for_disk(const struct hand_over *h, enum request_kind kind)
{
	return kind == REQUEST_SYNC ||
	    (kind == REQUEST_COMMIT &&
		atomic_load_explicit(&h->commits_wait, memory_order_relaxed));
}

void
hand_over_note_other(struct hand_over *h)
{
	atomic_store_explicit(&h->shared_waits, SHARED_WAITS,
	    memory_order_relaxed);
}

/* Is another program's request likely to come while this one waits for the
 * disk? A program that is alone gains nothing by handing over. */
static bool
expects_other(struct hand_over *h, bool another)
{
	unsigned n = atomic_load_explicit(&h->shared_waits,
	    memory_order_relaxed);

	if (another)
		n = SHARED_WAITS;
	else if (n > 0)
		n--;
	atomic_store_explicit(&h->shared_waits, n, memory_order_relaxed);
	return n > 0;
}

bool
hand_over_is_due(struct hand_over *h, enum request_kind kind, bool another)
{
	unsigned backlog;

	if (kind == REQUEST_BRIEF)
		return false;
	if (kind == REQUEST_SLOW)
		return true;
	if (hand_over_waits_for_disk(h, kind))
		return expects_other(h, another);
	/* More busy threads than processors gain nothing. */
	if (atomic_load_explicit(&h->active, memory_order_relaxed) >= h->cpus)
		return false;
	if (!another) {
		atomic_store_explicit(&h->backlog, 0, memory_order_relaxed);
		return false;
	}
	backlog = atomic_fetch_add_explicit(&h->backlog, 1,
	    memory_order_relaxed);
	return (backlog + 1) % BACKLOG_MIN == 0;
}
