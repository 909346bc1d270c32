/* SPDX-License-Identifier: ISC */
/* See alloc.h. */
#include "support/alloc.h"

#include <errno.h>
#include <stdbool.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);

_Thread_local unsigned alloc_count, alloc_fails_in;
unsigned alloc_refused;

void *
alloc_plain(size_t n)
{
	return __real_malloc(n);
}

static bool
is_refused(void)
{
	alloc_count++;
	if (alloc_fails_in == 0 || --alloc_fails_in != 0)
		return false;
	alloc_refused++;
	errno = ENOMEM;
	return true;
}

void *
__wrap_malloc(size_t n)
{
	return is_refused() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return is_refused() ? NULL : __real_realloc(p, n);
}

void *
__wrap_aligned_alloc(size_t alignment, size_t n)
{
	return is_refused() ? NULL : __real_aligned_alloc(alignment, n);
}
