/* SPDX-License-Identifier: ISC */
/* A number that several threads raise and none lowers. */
#ifndef KVFS_UTIL_ATOMIC_MAX_H
#define KVFS_UTIL_ATOMIC_MAX_H

#include <stdatomic.h>
#include <stdint.h>

/* Make *p at least value. Sequentially consistent: callers wake others
 * after it, who look at it. */
static inline void
atomic_max(_Atomic uint64_t *p, uint64_t value)
{
	uint64_t old = atomic_load_explicit(p, memory_order_seq_cst);

	while (old < value &&
	    !atomic_compare_exchange_weak_explicit(p, &old, value,
		memory_order_seq_cst, memory_order_seq_cst))
		;
}

#endif
