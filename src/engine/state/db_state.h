/* SPDX-License-Identifier: ISC */
/*
 * The state of an open store, shared by the sources of the rooms above.
 *
 * A commit takes commit_mu, which orders sequence numbers, the log and the
 * memtable. The state lock mu guards the parts of the tree and the work on it.
 * Readers take neither: they use a view.
 */
#ifndef KVFS_ENGINE_STATE_DB_STATE_H
#define KVFS_ENGINE_STATE_DB_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/cache/block_cache.h"
#include "engine/segment/backoff.h"
#include "engine/state/disk_space.h"
#include "engine/state/obsolete.h"
#include "engine/state/durability.h"
#include "engine/state/fault.h"
#include "engine/state/log_set.h"
#include "engine/state/memory_use.h"
#include "engine/state/segment_set.h"
#include "engine/state/snapshot.h"
#include "engine/state/store_dir.h"
#include "engine/state/store_stats.h"
#include "engine/state/sync_timer.h"
#include "engine/state/view.h"
#include "engine/state/work_signal.h"
#include "engine/state/write_delay.h"
#include "engine/tree/manifest.h"
#include "engine/tree/table_cache.h"
#include "kvfs/store.h"
#include "util/mutex.h"

struct warm_up;

/* What the manifest on disk says; guarded by the state lock. */
struct tree_state {
	struct manifest *manifest;
	bool is_busy; /* an edit is being installed */
	uint64_t first_log; /* the manifest's log_number */
	uint64_t flushed_seq; /* the manifest's last_seq: all up to it is in
	                         tables */
	uint64_t installs; /* how many versions were installed so far */
};

/* Used by the thread that opens and closes the store. */
struct db_threads {
	pthread_t flush, sync;
	pthread_t *compact;
	unsigned compact_count;
	bool has_flush, has_sync;
};

struct db {
	struct kv kv; /* first */

	/* constant after opening */
	struct env *env;
	struct kv_options opts; /* initial values; some parts have current
	                           ones */
	struct table_options table_opts;
	struct block_cache *cache;
	struct table_cache *tables;
	bool read_only;
	struct warm_up *warm_up; /* NULL: not wanted */

	/* own synchronisation */
	_Atomic uint64_t last_seq; /* newest visible change; release */
	_Atomic uint64_t commit_count; /* since opening; written under
	                                  commit_mu */
	_Atomic bool closing;
	struct views views;
	struct db_stats stats;
	struct backoff backoff; /* of compression */

	/* Parts; each one says what guards it. */
	struct store_dir store;
	struct fault fault;
	struct write_delay delay;
	struct durability dur;
	struct sync_timer timer;
	struct log_set logs;
	struct segment_set segs;
	struct obsolete_files obsolete;
	struct disk_space space;
	struct room_state room;
	struct memory_use memory;
	struct snapshots snapshots;
	struct tree_state tree;
	struct flush_state flush;
	struct compact_state compact;
	struct tidy_state tidy;
	struct db_threads threads;

	/* guarded by commit_mu */
	struct mutex commit_mu;
	struct memtable *mem; /* referenced; the current view's */

	/* guarded by mu */
	struct mutex mu;
	struct cond work; /* wakes the background threads */
	struct cond progress; /* a flush or compaction has ended */
	bool stop;
};

static inline struct db *
db_of(struct kv *kv)
{
	return (struct db *)kv;
}

#endif
