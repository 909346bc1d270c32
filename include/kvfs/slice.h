/* SPDX-License-Identifier: ISC */
/*
 * Borrowed bytes: pointer and length. A slice never owns its bytes, and they
 * are not NUL-terminated. All layers pass bytes in this form.
 */
#ifndef KVFS_SLICE_H
#define KVFS_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const void *data;
	size_t len;
};

static inline struct slice
slice_make(const void *data, size_t len)
{
	return (struct slice){ data, len };
}

static inline struct slice
slice_str(const char *str)
{
	return (struct slice){ str, strlen(str) };
}

/* Compare by bytes; a prefix is less than what it begins. <0, 0 or >0. */
static inline int
slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n != 0 ? memcmp(a.data, b.data, n) : 0;

	if (c != 0)
		return c;
	return a.len < b.len ? -1 : a.len > b.len;
}

static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#endif
