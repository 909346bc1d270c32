/* SPDX-License-Identifier: ISC */
/*
 * Figures for users and for monitoring. Each has a title and a name, and is
 * printed as a line "Title: value", or in the text format of Prometheus
 * (exposition format 0.0.4) as kvfs_name. A report belongs to one thread.
 */
#ifndef KVFS_UTIL_REPORT_H
#define KVFS_UTIL_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kvfs/report_format.h"
#include "util/stats.h"

struct report {
	FILE *out; /* borrowed; write errors set its error flag */
	enum report_format format;
	const char *family; /* name of the last figure; borrowed */
};

void report_init(struct report *r, FILE *out, enum report_format format);

/* Any text, in REPORT_TEXT only. */
void report_text(struct report *r, const char *title, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A number that only grows while the store is open: kvfs_NAME_total. */
void report_counter(struct report *r, const char *title, const char *name,
    uint64_t v);
struct report_row {
	const char *title, *name;
	const struct counter *counter;
};
void report_counters(struct report *r, const struct report_row *rows,
    size_t count);
/* A number that grows and shrinks: kvfs_NAME. */
void report_gauge(struct report *r, const char *title, const char *name,
    uint64_t v);
void report_ratio(struct report *r, const char *title, const char *name,
    double v);
/* One of several gauges with the same name, told apart by a label such as
 * op="read"; call it for all of them in a row. */
void report_gauge_of(struct report *r, const char *title, const char *name,
    const char *label, uint64_t v);
/* The same for a counter. */
void report_counter_of(struct report *r, const char *title, const char *name,
    const char *label, uint64_t v);
/* Times in nanoseconds: printed as percentiles in microseconds, or as a
 * histogram kvfs_NAME_seconds. label may be NULL. REPORT_TEXT leaves out a
 * histogram without values. */
void report_times(struct report *r, const char *title, const char *name,
    const char *label, const struct histogram *h);
/* The same for numbers without a unit: kvfs_NAME. */
void report_sizes(struct report *r, const char *title, const char *name,
    const struct histogram *h);

#endif
