/* SPDX-License-Identifier: ISC */
/*
 * Not to try something again for a while, which doubles, from one second to
 * 32, when it happens again soon. Any thread; relaxed, a hint.
 */
#ifndef KVFS_FUSE_SERVE_PAUSE_H
#define KVFS_FUSE_SERVE_PAUSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* All zero: none yet. */
struct pause {
	_Atomic uint64_t until_ns, length_ns;
};

void pause_begin(struct pause *p, uint64_t now_ns);

static inline bool
pause_is_over(const struct pause *p, uint64_t now_ns)
{
	return now_ns >=
	    atomic_load_explicit(&p->until_ns, memory_order_relaxed);
}

#endif
