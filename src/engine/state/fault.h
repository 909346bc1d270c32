/* SPDX-License-Identifier: ISC */
/*
 * The failure that ends a store's writing: it is read-only from then on, and
 * everyone who waits gets -EIO. Any thread, under any locks of the store but
 * fault_mu.
 */
#ifndef KVFS_ENGINE_STATE_FAULT_H
#define KVFS_ENGINE_STATE_FAULT_H

#include "engine/state/db_state.h"

/* 0, or the error of the first failure. */
static inline int
db_error(struct db *db)
{
	return atomic_load_explicit(&db->error, memory_order_acquire);
}

/* Remember a failure that makes the store read-only, wake all waiters;
 * logs the first, and keeps it as text. Returns -EIO. */
int db_poison(struct db *db, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* See that the store's directory and LOCK are still ours. */
void db_watch_directory(struct db *db);

#endif
