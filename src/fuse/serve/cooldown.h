/* SPDX-License-Identifier: ISC */
/*
 * Exponential backoff: what has failed is not tried again for one second,
 * and for twice as long as the last time, up to 32 seconds, if it fails
 * again soon. Any thread; relaxed, since it is a hint.
 */
#ifndef KVFS_FUSE_SERVE_COOLDOWN_H
#define KVFS_FUSE_SERVE_COOLDOWN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define COOLDOWN_MIN_NS 1000000000ull
#define COOLDOWN_MAX_NS 32000000000ull

/* All zero: nothing has failed yet. Times are of clock_now_ns(). */
struct cooldown {
	_Atomic uint64_t until_ns, length_ns;
};

/* It has failed now. */
void cooldown_begin(struct cooldown *p, uint64_t now_ns);

static inline bool
cooldown_is_over(const struct cooldown *p, uint64_t now_ns)
{
	return now_ns >=
	    atomic_load_explicit(&p->until_ns, memory_order_relaxed);
}

#endif
