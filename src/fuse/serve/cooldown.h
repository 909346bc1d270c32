/* SPDX-License-Identifier: ISC */
/*
 * What has failed is not tried again for a while, which doubles, from one
 * second to 32, when it fails again soon. Any thread; relaxed, a hint.
 */
#ifndef KVFS_FUSE_SERVE_COOLDOWN_H
#define KVFS_FUSE_SERVE_COOLDOWN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* All zero: none yet. */
struct cooldown {
	_Atomic uint64_t until_ns, length_ns;
};

void cooldown_begin(struct cooldown *p, uint64_t now_ns);

static inline bool
cooldown_is_over(const struct cooldown *p, uint64_t now_ns)
{
	return now_ns >=
	    atomic_load_explicit(&p->until_ns, memory_order_relaxed);
}

#endif
