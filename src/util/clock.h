/* SPDX-License-Identifier: ISC */
/*
 * The clock for deadlines and durations: it never jumps, and is not the time of
 * day. Any thread.
 */
#ifndef KVFS_UTIL_CLOCK_H
#define KVFS_UTIL_CLOCK_H

#include <stdint.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t clock_now_ns(void);

#endif
