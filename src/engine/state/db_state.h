/* SPDX-License-Identifier: ISC */
/*
 * The state of an open store, shared by the sources of the rooms above.
 *
 * A commit takes commit_state.mu, which orders sequence numbers, the log and the
 * memtable. The state lock mu guards the parts of the tree and the work on it.
 * Readers take neither: they use a view.
 */
#ifndef KVFS_ENGINE_STATE_DB_STATE_H
#define KVFS_ENGINE_STATE_DB_STATE_H

#include <stdatomic.h>

#include "engine/state/caches.h"
#include "engine/state/commit_state.h"
#include "engine/state/disk_space.h"
#include "engine/state/durability.h"
#include "engine/state/fault.h"
#include "engine/state/log_set.h"
#include "engine/state/segment_set.h"
#include "engine/state/snapshot.h"
#include "engine/state/store_dir.h"
#include "engine/state/store_stats.h"
#include "engine/state/view.h"
#include "engine/state/work_signal.h"
#include "engine/state/write_delay.h"
#include "engine/tree/manifest.h"
#include "kvfs/store.h"
#include "util/mutex.h"

/* What the manifest on disk says; guarded by the state lock. */
struct tree_state {
	struct manifest *manifest;
	bool is_busy; /* an edit is being installed */
	uint64_t first_log; /* the manifest's log_number */
	uint64_t flushed_seq; /* the manifest's last_seq: all up to it is in
	                         tables */
	uint64_t installs; /* how many versions were installed so far */
};

struct db {
	struct kv kv; /* first */

	/* constant after opening */
	struct kv_options opts; /* initial values; some parts have current
	                           ones */
	struct table_options table_opts;
	bool read_only;

	/* Parts; each one says what guards it. */
	struct views views;
	struct db_stats stats;
	struct commit_state commits;
	struct caches caches;
	struct store_dir store;
	struct fault fault;
	struct write_delay delay;
	struct durability dur;
	struct log_set logs;
	struct segment_set segs;
	struct disk_space space;
	struct room_state room;
	struct snapshots snapshots;
	struct tree_state tree;

	struct mutex mu; /* the state lock */
	struct work_state work;
};

static inline struct db *
db_of(struct kv *kv)
{
	return (struct db *)kv;
}

#endif
