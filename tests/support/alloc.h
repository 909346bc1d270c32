/* SPDX-License-Identifier: ISC */
/*
 * Counts the allocations of a test program, and makes some fail. The Makefile
 * links such programs with --wrap options.
 */
#ifndef KVFS_TESTS_SUPPORT_ALLOC_H
#define KVFS_TESTS_SUPPORT_ALLOC_H

#include <stddef.h>

/* Allocations of this thread so far, failed ones included. */
extern _Thread_local unsigned alloc_count;
/* The n-th allocation of this thread from now on fails; 0: none does. */
extern _Thread_local unsigned alloc_fails_in;
/* How many were made to fail, in all threads. */
extern unsigned alloc_refused;

/* malloc(3), not counted and never made to fail. */
void *alloc_plain(size_t n);

#endif
