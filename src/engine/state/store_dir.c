/* SPDX-License-Identifier: ISC */
/*
 * Names in the store's directory. Each file gets a new number. One sync of the
 * directory makes all new names durable.
 */
#include "engine/state/store_dir.h"

#include "engine/env/env.h"
#include "util/atomic_max.h"

uint64_t
store_new_file_number(struct store_dir *d)
{
	return atomic_fetch_add_explicit(&d->next_file, 1,
	    memory_order_relaxed);
}

int
store_sync_names(struct store_dir *d)
{
	uint64_t made = atomic_load_explicit(&d->names_made,
	    memory_order_seq_cst);
	int rc;

	if (atomic_load_explicit(&d->names_synced, memory_order_seq_cst) >=
	    made)
		return 0;
	rc = env_dir_sync(d->dir);
	if (rc == 0)
		atomic_max(&d->names_synced, made);
	return rc;
}
