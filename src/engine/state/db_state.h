/* SPDX-License-Identifier: ISC */
/*
 * The embedded store while it is open: what its sources share.
 *
 * A commit takes commit_mu, which orders sequence numbers, the log and the
 * memtable. The state lock mu guards what the tree is made of and who works
 * on it. Readers take neither: they hold a view.
 */
#ifndef KVFS_ENGINE_STATE_DB_STATE_H
#define KVFS_ENGINE_STATE_DB_STATE_H

#include <stdatomic.h>

#include "engine/cache/block_cache.h"
#include "engine/env/env.h"
#include "engine/segment/backoff.h"
#include "engine/state/disk_space.h"
#include "engine/state/segment_set.h"
#include "engine/state/snapshot.h"
#include "engine/state/store_lock.h"
#include "engine/state/store_stats.h"
#include "engine/state/view.h"
#include "engine/tree/manifest.h"
#include "engine/tree/table_cache.h"
#include "kvfs/store.h"
#include "util/event.h"
#include "util/mutex.h"
#include "util/page_pool.h"

#define FAULT_BYTES 480

struct compact_job;
struct db_log;
struct doomed_file;
struct segment_ref;
struct warm_up;

struct db {
	struct kv kv; /* first */

	/* constant after opening */
	struct env *env;
	struct env_dir *store; /* all files are reached from it */
	const char *dir; /* its path, for messages */
	struct kv_options opts; /* but for the live ones below */
	struct table_options table_opts;
	struct block_cache *cache;
	struct table_cache *tables;
	struct store_lock lock;
	bool read_only;
	bool log_may_fill; /* a log that was made ahead may find no room */
	unsigned segment_writers_max; /* open at once */
	struct warm_up *warm_up; /* NULL: none wanted */

	/* own synchronisation */
	_Atomic uint64_t last_seq; /* newest visible commit; release */
	_Atomic uint64_t durable_seq;
	_Atomic uint64_t durable_at_ns; /* when that was reached */
	_Atomic int error; /* sticky: read-only since then */
	_Atomic uint64_t locks_lost; /* LOCK was gone, and written anew */
	_Atomic uint64_t next_file;
	_Atomic uint64_t delay_ns_per_kib; /* writers' slowdown */
	_Atomic uint64_t last_commit_ns;
	_Atomic int sync_mode; /* live */
	_Atomic uint32_t sync_commits, sync_ms; /* live */
	_Atomic uint64_t wal_buffer_bytes; /* live, from the next log on */
	_Atomic uint64_t commit_count; /* since opening; under commit_mu */
	_Atomic uint64_t durable_commits; /* of them */
	_Atomic bool closing;
	_Atomic bool abandon; /* compactions stop: the store closes */
	_Atomic bool tidy_wanted; /* a scan walked over many dead keys */
	/* Names made in the directory, and how many of them are durable. */
	_Atomic uint64_t names_made, names_synced;
	_Atomic bool sync_pending; /* the timer knows of unsynced commits */
	_Atomic bool mark_owed; /* it is to leave a mark in the log */
	_Atomic uint64_t delay_debt_ns; /* slowdown not slept yet */
	_Atomic uint64_t slow_at_ns; /* when it is to begin; compact_pace.c */
	_Atomic uint32_t user_syncs; /* since the last log was made */
	_Atomic bool pressed; /* for room: compact as when idle */
	/* A writer waits for room: segments with less than this part live, in
	 * percent, are emptied for him; 0: nobody. */
	_Atomic unsigned desperate;
	_Atomic int64_t room_left; /* bytes, until the disk is asked again */
	_Atomic uint64_t max_bytes; /* live; 0: no bound */
	struct room_sizes sizes;
	_Atomic bool removed_files; /* the disk need not show it yet */
	_Atomic uint64_t settled_bytes; /* of those written: it shows them */
	/* Counted against the cache's bound; relaxed, statistics. */
	_Atomic uint64_t waiting_bytes; /* memtables that are full */
	_Atomic uint64_t work_bytes; /* of flushes and compactions */
	struct page_pool pages; /* for memtables */
	struct views views;
	struct db_stats stats;
	struct backoff backoff; /* of compression */

	/* Group commit; see durability.c. The role is taken and given up with
	 * sequential consistency, against sync_done; the rest are hints on when
	 * a sync is worth most, in any order. */
	_Atomic uintptr_t sync_role; /* of syncing for all: who has it */
	_Atomic uint64_t sync_took_ns; /* the last one */
	_Atomic uint64_t planned_seq, planned_commits; /* covered by the last */
	_Atomic uint32_t crowd_served; /* who wanted the last one */
	_Atomic uint32_t crowd_next; /* who want the next, so far */
	_Atomic uint32_t crowd_size; /* so many are worth waiting for */
	struct event sync_done; /* the role was given up, or the store failed */

	/* guarded by reclaim_mu */
	struct mutex reclaim_mu; /* one writer looks for room at a time */
	uint64_t reclaim_late_ns; /* when one gave up for want of time */

	/* guarded by commit_mu */
	struct mutex commit_mu;
	struct db_log *log;
	uint32_t recovered_chain; /* where the first log goes on */
	uint64_t marked_seq; /* what the last mark in a log said */
	struct memtable *mem; /* held; the current view's */

	/* guarded by sync_mu */
	struct mutex sync_mu;
	struct cond sync_wanted; /* the timer has something to do */
	bool timer_stop;
	uint64_t first_unsynced_ns; /* 0: nothing waits */
	uint64_t mark_due_ns; /* 0: no mark is owed */

	/* guarded by mu */
	struct mutex mu;
	struct cond work; /* for the background threads */
	struct cond progress; /* a flush or compaction ended */
	struct manifest *manifest;
	struct db_log **logs; /* oldest first, the last is the current */
	size_t log_count, log_cap;
	struct db_log *spare_log; /* made ahead of use */
	struct db_log *recycled_log; /* to become the next spare */
	bool spare_wanted;
	uint64_t log_bytes_next; /* size of the next log */
	uint64_t first_log; /* the manifest's log_number */
	uint64_t flushed_seq; /* its last_seq: all up to it is in tables */
	struct snapshots snapshots;
	unsigned flushing;
	unsigned compacting; /* jobs running */
	bool l0_compacting;
	struct compact_job *shared_job; /* has parts for other threads */
	bool tidying; /* compact as when idle, until nothing is left to do */
	uint64_t tidied_ns; /* when that began last */
	uint64_t flush_began_ns; /* of the one that runs; 0: none does */
	uint64_t flush_took_ns; /* the last one */
	uint64_t flushed_ns; /* when the last flush ended; 0: none */
	uint64_t flush_interval_ns; /* lately, between two */
	bool manifest_busy;
	bool stop;
	bool compact_all; /* kvfsctl compact */
	uint64_t moving_bytes; /* by the compactions under way */
	uint64_t compact_rests; /* how often there was nothing to compact */
	uint64_t installs; /* of versions of the tree, so far */
	int background_error; /* of the last flush */
	uint64_t flush_tries; /* so far */
	int compact_error; /* of the last compaction that failed */

	/* guarded by segment_mu */
	struct mutex segment_mu;
	struct segment_tree segments;
	struct segment_ref *active_segment; /* held */

	struct mutex fault_mu;
	char fault[FAULT_BYTES]; /* why; constant once error is set */

	/* guarded by slack_mu */
	struct mutex slack_mu;
	uint64_t slack_number; /* of the file that keeps room; 0: none */

	/* Who has it sees gone what was doomed before: before doomed_mu. */
	struct mutex remove_mu;

	/* guarded by doomed_mu */
	struct mutex doomed_mu;
	struct doomed_file *doomed;

	pthread_t flush_thread, sync_thread;
	pthread_t *compact_threads;
	unsigned compact_thread_count;
	bool flush_started, sync_started;
};

static inline struct db *
db_of(struct kv *kv)
{
	return (struct db *)kv;
}

#endif
