/* SPDX-License-Identifier: ISC */
/*
 * The report of a repair: one line for each loss and each note. Keys go to the
 * caller of kv_repair(), who may know a better name for them.
 * Threading: one thread.
 */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_REPORT_H
#define KVFS_ENGINE_REPAIR_REPAIR_REPORT_H

#include <stdio.h>

#include "kvfs/kv.h"
#include "kvfs/store.h"
#include "util/line_list.h"

struct repair_report {
	struct line_list lost, notes; /* written to the caller's file */
	kv_lost_fn lost_key; /* NULL: keys are written as lines, too */
	void *lost_arg;
	int losses;
};

/* Report one loss as one line. */
void repair_lost(struct repair_report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Report that the value of user is lost, and why. */
void repair_lost_value(struct repair_report *r, struct slice user,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Report that all user keys from from up to to are lost, and why. */
void repair_lost_range(struct repair_report *r, struct slice from,
    struct slice to, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Report what is not a loss but may surprise the user. */
void repair_note(struct repair_report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
