/* SPDX-License-Identifier: ISC */
/*
 * Figures for people and for monitors: each is stated once, by a title and
 * a name, and printed as a line "Title: value", or in the text format of
 * Prometheus (exposition format 0.0.4) as kvfs_name. A report belongs to
 * one thread.
 */
#ifndef KVFS_UTIL_REPORT_H
#define KVFS_UTIL_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kvfs/report_format.h"
#include "util/stats.h"

struct report {
	FILE *out; /* borrowed; its error flag tells of failures */
	enum report_format format;
	const char *family; /* of the last figure; borrowed */
};

void report_init(struct report *r, FILE *out, enum report_format format);

/* What is only for people, and may be any text. */
void report_text(struct report *r, const char *title, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What only grows while the store is open: kvfs_NAME_total. */
void report_counter(struct report *r, const char *title, const char *name,
    uint64_t v);
struct report_row {
	const char *title, *name;
	const struct counter *counter;
};
void report_counters(struct report *r, const struct report_row *rows,
    size_t count);
/* What goes up and down: kvfs_NAME. */
void report_gauge(struct report *r, const char *title, const char *name,
    uint64_t v);
void report_ratio(struct report *r, const char *title, const char *name,
    double v);
/* A gauge of several: label is op="read", say, and name the same for all,
 * one after the other. */
void report_gauge_of(struct report *r, const char *title, const char *name,
    const char *label, uint64_t v);
/* The same of counters. */
void report_counter_of(struct report *r, const char *title, const char *name,
    const char *label, uint64_t v);
/* Nanoseconds: percentiles in microseconds, or a histogram
 * kvfs_NAME_seconds. label may be NULL. One without values is left out of
 * the lines for people. */
void report_times(struct report *r, const char *title, const char *name,
    const char *label, const struct histogram *h);
/* The same of plain numbers: kvfs_NAME. */
void report_sizes(struct report *r, const char *title, const char *name,
    const struct histogram *h);

#endif
