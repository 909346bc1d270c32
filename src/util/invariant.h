/* SPDX-License-Identifier: ISC */
/*
 * Invariants: what is true of a part of the program whenever no thread is
 * changing it. A part with invariants has a function *_check() that tests
 * them; the part's unit tests call it in every build.
 *
 * Builds with checks (KVFS_CHECKS: make CHECKS=1, SAN= or DEBUG=1) also call
 * it at run time, and know which thread holds a mutex (util/mutex.h).
 */
#ifndef KVFS_UTIL_INVARIANT_H
#define KVFS_UTIL_INVARIANT_H

#include <stdbool.h>

#if defined(KVFS_CHECKS)
#define HAVE_CHECKS true
#else
#define HAVE_CHECKS false
#endif

/* End the process, after a line "kvfs: bug: " that says what is broken. It is
 * for bugs only, not for errors of callers. */
_Noreturn void invariant_broken(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

#define invariant(holds, ...)                                                  \
	((holds) ? (void)0 : invariant_broken(__VA_ARGS__))

#endif
