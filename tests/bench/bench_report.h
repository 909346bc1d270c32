/* SPDX-License-Identifier: ISC */
/*
 * What was measured: collected by profile, step and metric, printed as
 * tables of medians, and written as a file for programs.
 */
#ifndef KVFS_BENCH_REPORT_H
#define KVFS_BENCH_REPORT_H

#include <stdio.h>

#include "bench/bench_run.h"

#define REPORT_STORES_MAX 8
#define REPORT_ROUNDS_MAX 32

/* The first is compared with the others. Borrows the names for good. */
void report_start(const char *const *stores, size_t count);
/* One more round's value. profile is borrowed for good. */
void report_add(const char *profile, size_t store,
    const struct bench_record *rec);
void report_print(FILE *out, const char *profile, const char *durability);
/* A line for each profile, step, metric and store: see its first line. */
void report_write_tsv(const char *path);

#endif
