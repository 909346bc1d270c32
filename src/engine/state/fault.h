/* SPDX-License-Identifier: ISC */
/*
 * The failure that ends a store's writing: it is read-only from then on, and
 * everyone who waits gets -EIO. Any thread, under any locks of the store but
 * its own.
 */
#ifndef KVFS_ENGINE_STATE_FAULT_H
#define KVFS_ENGINE_STATE_FAULT_H

#include <stdatomic.h>

#include "util/mutex.h"

#define FAULT_BYTES 480

struct db;

struct fault {
	_Atomic int error; /* sticky; release: text was written before */
	_Atomic uint64_t locks_lost; /* LOCK was gone, and written anew */
	struct mutex mu; /* of those who fail at once */
	char text[FAULT_BYTES]; /* why; constant once error is set */
};

/* 0, or the error of the first failure. */
static inline int
fault_error(const struct fault *f)
{
	return atomic_load_explicit(&f->error, memory_order_acquire);
}

/* Remember a failure that makes the store read-only, wake all waiters;
 * logs the first, and keeps it as text. Returns -EIO. */
int db_poison(struct db *db, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* See that the store's directory and LOCK are still ours. */
void db_watch_directory(struct db *db);

#endif
