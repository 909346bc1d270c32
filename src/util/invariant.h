/* SPDX-License-Identifier: ISC */
/*
 * Invariants: what is true of a part of the program whenever nobody is in the
 * middle of changing it. Each part that has some states them at a function
 * called *_check(), which its tests call in every build.
 *
 * Builds with checks (KVFS_CHECKS: make CHECKS=1, SAN= or DEBUG=1) call them
 * on the way too, and know who holds which mutex (util/mutex.h).
 */
#ifndef KVFS_UTIL_INVARIANT_H
#define KVFS_UTIL_INVARIANT_H

#include <stdbool.h>

#if defined(KVFS_CHECKS)
#define HAVE_CHECKS true
#else
#define HAVE_CHECKS false
#endif

/* End the process with "kvfs: bug: " and the line that says what is broken;
 * the caller's errors are no reason. */
_Noreturn void invariant_broken(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

#define invariant(holds, ...)                                                  \
	((holds) ? (void)0 : invariant_broken(__VA_ARGS__))

#endif
