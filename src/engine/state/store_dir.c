/* SPDX-License-Identifier: ISC */
/*
 * Names in the store's directory. Each file gets a new number. One sync of the
 * directory makes all new names durable.
 */
#include "engine/state/store_dir.h"

#include "engine/env/env.h"
#include "engine/state/db_state.h"
#include "util/atomic_max.h"

uint64_t
db_new_file_number(struct db *db)
{
	return atomic_fetch_add_explicit(&db->store.next_file, 1,
	    memory_order_relaxed);
}

int
db_sync_names(struct db *db)
{
	uint64_t made = atomic_load_explicit(&db->store.names_made,
	    memory_order_seq_cst);
	int rc;

	if (atomic_load_explicit(&db->store.names_synced,
		memory_order_seq_cst) >= made)
		return 0;
	rc = env_dir_sync(db->store.dir);
	if (rc == 0)
		atomic_max(&db->store.names_synced, made);
	return rc;
}
