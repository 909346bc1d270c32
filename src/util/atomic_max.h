/* SPDX-License-Identifier: ISC */
/* A number that several threads raise and none lowers. */
#ifndef KVFS_UTIL_ATOMIC_MAX_H
#define KVFS_UTIL_ATOMIC_MAX_H

#include <stdatomic.h>
#include <stdint.h>

/* Make *p at least value. Sequentially consistent. */
static inline void
atomic_max(_Atomic uint64_t *p, uint64_t value)
{
	uint64_t old = atomic_load(p);

	while (old < value && !atomic_compare_exchange_weak(p, &old, value))
		;
}

#endif
