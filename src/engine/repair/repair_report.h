/* SPDX-License-Identifier: ISC */
/*
 * What a repair tells: each loss and each note is one line. Keys go to the
 * caller of kv_repair(), who may know a better name for them. One thread.
 */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_REPORT_H
#define KVFS_ENGINE_REPAIR_REPAIR_REPORT_H

#include <stdio.h>

#include "kvfs/kv.h"
#include "kvfs/store.h"
#include "util/line_list.h"

struct repair_report {
	struct line_list lost, notes; /* on the caller's file */
	kv_lost_fn lost_key; /* NULL: lines as the others */
	void *lost_arg;
	int losses;
};

/* One loss, one line. */
void repair_lost(struct repair_report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The loss of the value of user, and why. */
void repair_lost_value(struct repair_report *r, struct slice user,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What there was of user keys from one to another is lost, and why. */
void repair_lost_range(struct repair_report *r, struct slice from,
    struct slice to, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* What is no loss, but may surprise. */
void repair_note(struct repair_report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
