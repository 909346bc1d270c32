/* SPDX-License-Identifier: ISC */
/*
 * Lines of a kind in a report, of which there may be any number: the first
 * LINE_LIST_MAX are printed, the others counted. Zeroed but for out and
 * prefix, it is empty.
 */
#ifndef KVFS_UTIL_LINE_LIST_H
#define KVFS_UTIL_LINE_LIST_H

#include <stdint.h>
#include <stdio.h>

#define LINE_LIST_MAX 100

struct line_list {
	FILE *out;
	const char *prefix; /* "damage": of each line; constant */
	uint64_t count; /* of all */
};

/* Print "PREFIX: ...", unless there were enough. */
void line_list_add(struct line_list *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "PREFIX: ... and 7 more", where some were not printed. */
void line_list_end(const struct line_list *l);

#endif
