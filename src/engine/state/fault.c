/* SPDX-License-Identifier: ISC */
/*
 * The fault that ends all writing to a store: a failure after which the
 * contents of the disk are unknown, or another program in the store's
 * directory.
 */
#include "engine/state/fault.h"

#include <errno.h>
#include <stdarg.h>

#include "engine/state/db_state.h"
#include "engine/state/store_lock.h"
#include "util/event.h"
#include "util/log.h"

/* What the user can do. */
static const char *
advice_for(int rc)
{
	switch (rc) {
	case -EIO:
	case -EROFS:
	case -ENXIO:
		return "look for errors of the disk in the system's log, then "
		       "unmount and mount again";
	case -EBUSY:
		return "end the other program, unmount, and run kvfsctl check";
	default:
		return "unmount and mount again";
	}
}

int
db_poison(struct db *db, int rc, const char *fmt, ...)
{
	va_list ap;
	char what[FAULT_BYTES / 2];
	bool first;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	mutex_lock(&db->fault.mu);
	first = fault_error(&db->fault) == 0;
	if (first) {
		snprintf(db->fault.text, sizeof(db->fault.text), "%s: %s; %s",
		    what, strerror(-rc), advice_for(rc));
		/* Release: a thread that reads the error may read the text. */
		atomic_store_explicit(&db->fault.error, rc,
		    memory_order_release);
	}
	mutex_unlock(&db->fault.mu);
	if (first)
		log_error("%s: read-only from now on: %s", db->store.path,
		    db->fault.text);
	/*
	 * Wake all waiters, so that they see the error. The conditions are
	 * signalled without their locks, since the caller may hold them.
	 * Waiters for the disk are woken by the thread that syncs, and the
	 * background threads by their timeout.
	 */
	cond_broadcast(&db->work.progress);
	event_wake(&db->dur.done);
	cond_broadcast(&db->work.wanted);
	return -EIO;
}

void
db_watch_directory(struct db *db)
{
	int rc = fault_error(&db->fault) < 0 ?
	    0 :
	    store_lock_check(&db->store.lock);

	if (rc == 1) {
		atomic_fetch_add_explicit(&db->fault.locks_lost, 1,
		    memory_order_relaxed);
		log_warn("%s/LOCK: somebody removed or replaced it; written "
			 "anew: leave it alone",
		    db->store.path);
	} else if (rc == -ENOENT) {
		db_poison(db, rc, "the store's directory was removed");
	} else if (rc == -EBUSY) {
		db_poison(db, rc,
		    "another program has opened the store with a LOCK of its "
		    "own");
	}
}
