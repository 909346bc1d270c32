/* SPDX-License-Identifier: ISC */
/* Busy polling before a sleep; see spin.h. */
#include "fuse/serve/spin.h"

#include <poll.h>
#include <stdbool.h>
#include <sched.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/mutex.h"

#define SCORE_MAX 16
#define SCORE_MIN (-16)
/* A window without a request costs this much; a request that came soon gains
 * 1. So polling goes on only where most windows see a request. */
#define SCORE_MISSED 4
/* After a sleep, a gap up to this many windows counts as short: the time to
 * wake up is part of it, and polling would have saved that. */
#define ASLEEP_FACTOR 3
/* sched_yield(2) took this long: another thread wanted the processor, and
 * will again. That costs a time slice, so polling stops for a while. */
#define CONTENDED_NS 200000

void
spin_init(struct spin *s, unsigned window_us)
{
	bool is_single = sysconf(_SC_NPROCESSORS_ONLN) < 2;

	s->window_ns = is_single ? 0 : window_us * 1000ull;
	atomic_init(&s->began_ns, 0);
	atomic_init(&s->score, 0);
	s->cooldown = (struct cooldown){ 0 };
}

static int
get_score(_Atomic int *score)
{
	return atomic_load_explicit(score, memory_order_relaxed);
}

static void
set_score(_Atomic int *score, int value)
{
	atomic_store_explicit(score, value, memory_order_relaxed);
}

void
spin_before_wait(struct spin *s, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t began, now;
	int score = get_score(&s->score);

	if (s->window_ns == 0)
		return;
	began = clock_now_ns();
	atomic_store_explicit(&s->began_ns, began, memory_order_relaxed);
	if (score <= 0 || !cooldown_is_over(&s->cooldown, began))
		return;
	for (;;) {
		if (poll(&p, 1, 0) != 0)
			return;
		now = clock_now_ns();
		if (now - began >= s->window_ns) {
			set_score(&s->score, score - SCORE_MISSED);
			return;
		}
		(void)sched_yield();
		if (clock_now_ns() - now >= CONTENDED_NS) {
			cooldown_begin(&s->cooldown, now);
			return;
		}
	}
}

void
spin_after_wait(struct spin *s)
{
	uint64_t gap;
	int score = get_score(&s->score);

	if (s->window_ns == 0)
		return;
	gap = clock_now_ns() -
	    atomic_load_explicit(&s->began_ns, memory_order_relaxed);
	if (gap < ASLEEP_FACTOR * s->window_ns)
		score = score < SCORE_MAX ? score + 1 : score;
	else if (score > SCORE_MIN)
		score--;
	set_score(&s->score, score);
}
