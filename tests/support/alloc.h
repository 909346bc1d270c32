/* SPDX-License-Identifier: ISC */
/*
 * Allocations of a test program, counted and refused. It is to be linked with
 * the --wrap options that the Makefile has for such programs.
 */
#ifndef KVFS_TESTS_SUPPORT_ALLOC_H
#define KVFS_TESTS_SUPPORT_ALLOC_H

#include <stddef.h>

/* Of this thread: so far, refused ones too. */
extern _Thread_local unsigned alloc_count;
/* Of this thread: allocations until one fails; 0: none does. */
extern _Thread_local unsigned alloc_fails_in;
/* How many were refused, of any thread. */
extern unsigned alloc_refused;

/* malloc(3), neither counted nor refused. */
void *alloc_plain(size_t n);

#endif
