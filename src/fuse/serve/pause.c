/* SPDX-License-Identifier: ISC */
/* Pauses that double; see pause.h. */
#include "fuse/serve/pause.h"

#define PAUSE_MIN_NS 1000000000ull
#define PAUSE_MAX_NS 32000000000ull

void
pause_begin(struct pause *p, uint64_t now_ns)
{
	uint64_t until = atomic_load_explicit(&p->until_ns,
	    memory_order_relaxed);
	uint64_t last = atomic_load_explicit(&p->length_ns,
	    memory_order_relaxed);
	uint64_t length = PAUSE_MIN_NS;

	if (now_ns < until + last)
		length = last < PAUSE_MAX_NS ? 2 * last : last;
	atomic_store_explicit(&p->length_ns, length, memory_order_relaxed);
	atomic_store_explicit(&p->until_ns, now_ns + length,
	    memory_order_relaxed);
}
