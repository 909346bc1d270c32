/* SPDX-License-Identifier: ISC */
/*
 * The fault of a store: after it the store is read-only, and all waiters get
 * -EIO.
 * Threading: any thread, under any locks of the store but its own.
 */
#ifndef KVFS_ENGINE_STATE_FAULT_H
#define KVFS_ENGINE_STATE_FAULT_H

#include <stdatomic.h>

#include "util/mutex.h"

#define FAULT_BYTES 480

struct db;

struct fault {
	_Atomic int error; /* the first one stays; release: text is written
	                      before, and acquire in fault_error() */
	_Atomic uint64_t
	    locks_lost; /* relaxed: how often LOCK was missing and was
	                                written again */
	struct mutex mu; /* serialises threads that fail at the same time */
	char text[FAULT_BYTES]; /* the reason; constant once error is set */
};

/* 0, or the error of the first fault. */
static inline int
fault_error(const struct fault *f)
{
	return atomic_load_explicit(&f->error, memory_order_acquire);
}

/* Record a fault: the store becomes read-only, and all waiters wake. Logs the
 * first one, and keeps it as text. Returns -EIO. */
int db_poison(struct db *db, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Check that the store's directory and LOCK still belong to this process; if
 * not, record a fault. */
void db_watch_directory(struct db *db);

#endif
