/* SPDX-License-Identifier: ISC */
/*
 * Prints lines of one kind in a report: the first LINE_LIST_MAX of them; the
 * others are counted. A struct that is zero except for out and prefix is empty.
 * One thread.
 */
#ifndef KVFS_UTIL_LINE_LIST_H
#define KVFS_UTIL_LINE_LIST_H

#include <stdint.h>
#include <stdio.h>

#define LINE_LIST_MAX 100

struct line_list {
	FILE *out;
	const char *prefix; /* of each line, such as "damage"; constant */
	uint64_t count; /* all lines, printed or not */
};

/* Print "PREFIX: ..." if fewer than LINE_LIST_MAX were printed. */
void line_list_add(struct line_list *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Print "PREFIX: ... and 7 more" if some were not printed. */
void line_list_end(const struct line_list *l);

#endif
