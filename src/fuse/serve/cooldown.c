/* SPDX-License-Identifier: ISC */
/* See cooldown.h. */
#include "fuse/serve/cooldown.h"

void
cooldown_begin(struct cooldown *p, uint64_t now_ns)
{
	uint64_t until = atomic_load_explicit(&p->until_ns,
	    memory_order_relaxed);
	uint64_t last = atomic_load_explicit(&p->length_ns,
	    memory_order_relaxed);
	uint64_t length = COOLDOWN_MIN_NS;

	if (now_ns < until + last)
		length = last < COOLDOWN_MAX_NS ? 2 * last : last;
	atomic_store_explicit(&p->length_ns, length, memory_order_relaxed);
	atomic_store_explicit(&p->until_ns, now_ns + length,
	    memory_order_relaxed);
}
