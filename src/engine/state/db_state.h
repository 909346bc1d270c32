/* SPDX-License-Identifier: ISC */
/*
 * The embedded store: what the sources db_*.c, view.c, recover.c and
 * compact_*.c share. Nobody else includes this.
 *
 * A commit takes commit_mu, which orders sequence numbers, the log and the
 * memtable. The state lock mu guards what the tree is made of and who works
 * on it. Readers take neither: they hold a view.
 */
#ifndef KVFS_ENGINE_STATE_DB_STATE_H
#define KVFS_ENGINE_STATE_DB_STATE_H

#include <limits.h>
#include <stdatomic.h>
#include <sys/tree.h>

#include "engine/segment/backoff.h"
#include "engine/cache/block_cache.h"
#include "engine/env/env.h"
#include "engine/tree/manifest.h"
#include "engine/memtable/memtable.h"
#include "engine/segment/segment.h"
#include "engine/env/store_files.h"
#include "engine/state/store_lock.h"
#include "engine/tree/table_cache.h"
#include "engine/tree/version.h"
#include "engine/log/wal.h"
#include "kvfs/store.h"
#include "util/clock.h"
#include "util/event.h"
#include "util/mutex.h"
#include "util/page_pool.h"
#include "util/report.h"
#include "util/stats.h"

/* A batch with this much of them writes them straight to a segment, and
 * only pointers to the log, also where each commit is synced and that makes
 * two files to sync. */
#define SEGMENT_DIRECT_MIN (64u << 10)
/* No segment is larger; small disks have smaller ones (struct room_sizes). */
#define SEGMENT_FILE_MAX (256u << 20)
/* Bounds what recovery must verify in segments. */
#define MEMTABLE_SEGMENT_BYTES (256u << 20)
/* Immutable memtables that may wait for their flush. */
#define IMM_MAX 3
/* Of a table, and how many a level has before they get that large. */
#define TABLE_FILE_BYTES (32u << 20)
#define LEVEL_TABLES 256
#define LEVEL_FANOUT 10
#define L0_COMPACT_FILES 4
#define L0_SLOWDOWN_FILES 8
#define L0_STOP_FILES 20
#define LOG_MIN_BYTES (1u << 20)
#define LOG_LEAST_BYTES (64u << 10) /* where there is no room for more */
#define LOG_MAX_BYTES (16u << 20)
/* With sync=full commits gather in memory for one write(2) before the sync
 * that they all wait for: 46,100 puts a second of 32 threads, 39,400 with a
 * call each; 18,500 and 16,600 of 8. */
#define LOG_GATHER_BYTES (64u << 10)
/*
 * Open tables and segments that are kept; each costs a descriptor. Of those
 * that the process may have, OTHER_FILES stay for logs, the manifest, outputs
 * and the caller; of the rest half is kept, and a fourth is for segments that
 * wait for a sync.
 */
#define OPEN_FILES_MAX 512
#define OTHER_FILES 20
/* The least that the process must be allowed. */
#define PROCESS_FILES_MIN 32
/* Of the cache's bound, indexes and filters take no more than this part:
 * at 1.6 % of a tree of small rows, 16 MiB are enough for 1 GiB. */
#define INDEX_PART 2
/* version_edit.log_number of a store that was closed: no log is needed. */
#define LOG_NONE UINT64_MAX
#define FAULT_BYTES 480
/* After so long without a commit the store tidies up. */
#define IDLE_NS (2 * 1000000000ULL)

/* What a reader sees: constant sets of sources. */
struct view {
	_Atomic unsigned refs;
	struct memtable *mem;
	struct memtable *imm[IMM_MAX + 1]; /* newest first */
	unsigned imm_count;
	struct version *version;
};

/* A log file that is written, or waits for its memtable's flush. */
struct db_log {
	struct wal_writer *writer; /* NULL for one that recovery read */
	uint64_t number;
	uint64_t size;
	_Atomic unsigned refs;
	bool retired; /* no more appends; guarded by commit_mu */
	bool synced; /* retired and durable; guarded by sync (one at a time) */
	bool promised; /* that a later one is durable; guarded like synced */
	struct env_file *file; /* of a spare, until it is opened */
	char path[PATH_MAX];
};

/* One segment file, held by tables, memtables and writers that name it. */
struct segment_ref {
	RB_ENTRY(segment_ref) entry; /* in db.segments */
	uint64_t number;
	unsigned refs; /* guarded by segment_mu */
	unsigned users; /* appends and syncs under way: writer stays */
	struct segment_writer *writer; /* until it is sealed and durable */
	uint64_t size; /* when sealed */
	uint64_t live_bytes; /* named by the current version's tables */
	bool sealed;
	bool recovered; /* found by recovery, and synced by it */
	bool damaged; /* a value could not be moved: it stays as it is */
};

RB_HEAD(segment_tree, segment_ref);
RB_PROTOTYPE(segment_tree, segment_ref, entry, segment_ref_cmp)

/* A file that nobody holds any more and that a thread will unlink. */
struct doomed_file {
	struct doomed_file *next;
	enum file_kind kind;
	uint64_t number;
};

struct kv_snapshot {
	struct kv_snapshot *prev, *next;
	uint64_t seq;
	uint64_t taken_ns;
};

/*
 * How large things may become, by the space that there is: the disk's, or
 * max_bytes. What is dead comes back in pieces of these, and some of each
 * are only half used.
 */
struct room_sizes {
	_Atomic uint64_t segment_bytes; /* at which a segment is full */
	_Atomic uint64_t memtable_segment_bytes; /* in segments, by one */
	_Atomic uint64_t table_bytes; /* below level 0: what a merge writes */
	_Atomic uint64_t log_min_bytes, log_max_bytes;
};

#define VIEW_SLOTS 64

struct view_slot {
	/* NULL, a busy mark (odd), or a view with a reference of the slot. */
	_Alignas(64) _Atomic uintptr_t value;
};

/* Of so many gets one is timed: to read the clock takes a tenth as long. */
#define GET_SAMPLE 16

struct db_stats {
	struct counter gets, get_hits, commits, records, scans;
	struct counter user_bytes; /* keys and values committed */
	struct counter log_bytes, flush_bytes, compact_read_bytes,
	    compact_write_bytes, segment_bytes;
	struct counter syncs, sync_waits, stalls, stall_ns, pace_ns;
	struct counter flushes, compactions, moves, relocations;
	struct counter shared_parts; /* of compactions, in other threads */
	/* Of values and log bodies. */
	struct counter compress_tries, compress_skips, compress_saved_bytes;
	struct histogram commit_ns, sync_ns, one_stall_ns, flush_ns, compact_ns;
	struct histogram get_ns; /* of one in GET_SAMPLE */
	struct histogram sync_commits; /* that a sync made durable */
};

struct compact_job;
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
	struct view_slot slots[VIEW_SLOTS];
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
	struct view *view; /* the current one */
	struct manifest *manifest;
	struct db_log **logs; /* oldest first, the last is the current */
	size_t log_count, log_cap;
	struct db_log *spare_log; /* made ahead of use */
	struct db_log *recycled_log; /* to become the next spare */
	bool spare_wanted;
	uint64_t log_bytes_next; /* size of the next log */
	uint64_t first_log; /* the manifest's log_number */
	uint64_t flushed_seq; /* its last_seq: all up to it is in tables */
	struct kv_snapshot snapshots; /* list head, oldest first */
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

/* ---- db.c ---- */

/* kv_open() on any env; tests use it. */
int db_open(struct env *env, const char *dir, const struct kv_options *opts,
    struct kv **kvp);
/* The same in a directory that is open; takes store, also on failure. */
int db_open_in(struct env *env, struct env_dir *store,
    const struct kv_options *opts, struct kv **kvp);
uint64_t db_new_file_number(struct db *db);
static inline int
db_error(struct db *db)
{
	return atomic_load_explicit(&db->error, memory_order_acquire);
}

/* ---- fault.c ---- */

/* Remember a failure that makes the store read-only, wake all waiters;
 * logs the first, and keeps it as text. Returns -EIO. */
int db_poison(struct db *db, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* See that the store's directory and LOCK are still ours. */
void db_watch_directory(struct db *db);

static inline bool
db_is_idle(struct db *db)
{
	return clock_now_ns() - atomic_load(&db->last_commit_ns) > IDLE_NS;
}

/* A hint. */
static inline bool
db_is_slowed(const struct db *db)
{
	return atomic_load_explicit(&db->delay_ns_per_kib,
		   memory_order_relaxed) != 0;
}

/* ---- view.c ---- */

/* The current view, held until view_release(): two atomic operations on a
 * cache line of this thread's (RocksDB's thread-local SuperVersion). */
struct view *view_acquire(struct db *db);
void view_release(struct db *db, struct view *v);
struct view *view_current_locked(struct db *db) REQUIRES(&db->mu);
void view_unref(struct view *v);
/* Make the current view of these parts (borrowed); imm newest first.
 * -ENOMEM leaves the old one. */
int view_install_locked(struct db *db, struct memtable *mem,
    struct memtable *const *imm, unsigned imm_count, struct version *version)
    REQUIRES(&db->mu);
/* Drop what the slots cache; for closing. */
void view_clear_slots(struct db *db);

/* ---- db_read.c ---- */

int db_get(struct kv *kv, const struct kv_key *key, struct kv_snapshot *snap,
    struct kv_value *valuep);
/* Newest deletion of the group of user, not newer than seq; 0: none. */
int view_group_deletion(struct db *db, const struct view *v, struct slice user,
    uint64_t seq, uint64_t *seqp);

/* ---- db_iter.c ---- */

int db_iter_open(struct kv *kv, const struct kv_key *from, enum kv_scope scope,
    struct kv_snapshot *snap, struct kv_iter **iterp);
int db_iter_next(struct kv_iter *it);
struct kv_key db_iter_key(const struct kv_iter *it);
int db_iter_value(struct kv_iter *it, struct slice *valuep);
void db_iter_close(struct kv_iter *it);

/* ---- commit.c ---- */

int db_commit(struct kv *kv, struct kv_batch *batch, uint64_t *seqp);
/* Start a new memtable and log; what was written waits for its flush.
 * Waits while too many wait already. */
int db_rotate(struct db *db);
/* Bytes that all threads keep for their next commit. */
uint64_t db_commit_buffers(void);
/* Set the writers' delay from the shape of the tree. */
void db_update_delay_locked(struct db *db) REQUIRES(&db->mu);

/* ---- room.c ---- */

/* Choose sizes by the space that there is. */
void db_room_init(struct db *db);
/* Another bound of all files, 0 for none. */
void db_room_set_max(struct db *db, uint64_t max_bytes);
/* What the store's files take. */
uint64_t db_disk_bytes(struct db *db);
/* The disk's space, within max_bytes. */
int db_space(struct db *db, struct env_space *spacep);
/* What commits may still add in such a space. */
uint64_t db_room(struct db *db, const struct env_space *space);
/* The same as it is now. */
int db_room_look(struct db *db, enum kv_room kind, uint64_t *roomp);
/* Bytes in memory that a flush will have to write. */
uint64_t db_memory_to_flush(struct db *db);
/* -ENOSPC when the batch would take what the store needs for itself, or
 * another error; batches that delete always pass. May flush, and wait. */
int db_room_take(struct db *db, const struct kv_batch *batch);
/* The share-th part of a space of so many bytes, within bounds. */
uint64_t db_room_part(uint64_t total, uint64_t share, uint64_t least,
    uint64_t most);
/* Whether a batch may use what is kept free: it deletes, or was asked for. */
bool db_room_may_pass(const struct kv_batch *batch);
int db_reserve(struct kv *kv, enum kv_room kind, uint64_t bytes);
/* Others may have filled the disk meanwhile: look anew. */
void db_room_forget(struct db *db);

/* ---- slack.c ---- */

/* Have the file that keeps room, if there is room for it. */
void db_slack_keep(struct db *db);
/* Give that room up: false when there is none. No lock is held. */
bool db_slack_spend(struct db *db);
/* The store closes: the file stays only where room is short. */
void db_slack_close(struct db *db);

/* ---- reclaim.c ---- */

/* What the memtable that is written to may let go of when it is flushed, if
 * each of its entries hides one as large. */
uint64_t db_memtable_hides_locked(struct db *db) REQUIRES(&db->mu);

/* Have what is dead make room for so many bytes, and wait for it, for some
 * seconds: 0 and the room there is then, -ENOSPC or another error. No lock
 * is held. */
int db_reclaim(struct db *db, enum kv_room kind, uint64_t bytes,
    uint64_t *roomp);

/* ---- db_compress.c ---- */

/* segment_value_encode() and wal_body_encode(), compressing what lately got
 * smaller by it. user: a key of the group that most of the payload is of, or
 * empty. */
int db_value_encode(struct db *db, struct segment_value *v, struct slice user,
    struct slice raw);
int db_body_encode(struct db *db, struct wal_body *body, struct slice payload,
    struct slice user);

/* ---- memory_use.c: memory that shrinks the cache while it is used ---- */

/* A memtable became immutable: until it is freed it counts. */
void db_memory_count(struct db *db, struct memtable *m);
void db_memory_uncount(struct db *db, struct memtable *m);
/* Memory to merge so many sources of keys in all, of bytes in all (tables
 * of it): what it will take, until db_memory_end_work(). */
uint64_t db_memory_begin_work(struct db *db, size_t sources, uint64_t keys,
    uint64_t bytes);
void db_memory_end_work(struct db *db, uint64_t taken);
/* Have large pages there, as part of what the memtable may still take; drops
 * mu meanwhile. */
void db_memory_prepare_locked(struct db *db) REQUIRES(&db->mu);
void db_memory(struct kv *kv, struct kv_memory *memoryp);

/* ---- log_set.c: log files, from making ahead to recycling ---- */

/* Retire the current log and begin one that holds at least need bytes. */
int db_log_switch(struct db *db, uint64_t need) REQUIRES(&db->commit_mu);
/* Is each commit synced, or nearly? */
bool db_is_synced_often(struct db *db);
/* Make the next log ahead of its use; drops mu while it works. */
void db_log_prepare_locked(struct db *db) REQUIRES(&db->mu);
/* Recycle or remove logs that no memtable needs any more. */
void db_log_release_locked(struct db *db, uint64_t first_needed)
    REQUIRES(&db->mu);
void db_log_put(struct db *db, struct db_log *log);
/* Remove the logs that were made ahead of use. */
void db_log_drop_spares_locked(struct db *db) REQUIRES(&db->mu);
/* Register a log that recovery has read and that must stay. */
int db_log_keep(struct db *db, uint64_t number, uint64_t size);

/* ---- durability.c ---- */

/* Commits up to seq, the commits-th since opening, are durable now. */
void db_now_durable(struct db *db, uint64_t seq, uint64_t commits);

int db_sync(struct kv *kv, uint64_t seq);
int db_settle(struct kv *kv, uint64_t seq);
/* One disk sync of everything that is committed. */
int db_sync_all(struct db *db);
/* Make all names durable that were made before the call. */
int db_sync_names(struct db *db);
/* Make a log file's name and what it holds so far durable. */
int db_sync_log(struct db *db, struct db_log *log);
/*
 * For background work between two pieces of its own: let the disk sync that is
 * under way end first, unless writers are slowed down because that work lags
 * behind.
 */
void db_yield_to_sync(struct db *db);
/* After a commit that nobody waits for: have it synced in time, if the sync
 * mode asks for that. */
void db_sync_in_time(struct db *db, enum kv_sync_mode mode);
/* After the commit-th commit since opening, whose last change is seq: wait for
 * whatever the sync mode asks of it. */
int db_sync_after_commit(struct db *db, enum kv_sync_mode mode, uint64_t seq,
    uint64_t commit);

/* ---- sync_timer.c ---- */

/* A commit was made that nobody waits for: have it synced in time. */
void db_timer_arm(struct db *db);
/* After a sync: leave a mark in the log, unless a commit comes first. */
void db_timer_owe_mark(struct db *db);
void *db_sync_thread(void *arg);

/* ---- segment_set.c ---- */

struct segment_ref *segment_get(struct db *db, uint64_t number);
void segment_put(struct db *db, struct segment_ref *s);
/* Append values to the active segment, which changes when it is full; the
 * caller gets a reference to the one used. */
int db_segment_append(struct db *db, const struct segment_value *v,
    size_t count, struct segment_pointer *pointers, struct segment_ref **sp);
/* Values of a segment cannot be read: do not try to move them again. */
void segment_set_damaged(struct db *db, uint64_t number);
/* Take no more appends to the active segment. */
void segment_seal_active(struct db *db);
/* Hold the segments that f names; count its bytes live (or not). */
int segment_hold_uses(struct db *db, struct table_file *f);
void segment_count_uses(struct db *db, const struct table_file *f, bool live);
void segment_drop_uses(struct db *db, struct table_file *f);
/* Make m hold s, so that s outlives its pointers. */
int memtable_hold_segment(struct db *db, struct memtable *m,
    struct segment_ref *s);
/* memtable_create() that lets go of segments when it is freed. */
struct memtable *db_memtable_create(struct db *db, uint64_t first_log);
/* Sync the active segment. */
int db_segment_sync(struct db *db);

/* ---- flush.c ---- */

void *db_flush_thread(void *arg);
/* Soon remove what is deleted: scans suffer from it. */
void db_want_tidy(struct db *db);
/* Flush the oldest immutable memtable, of which there is one. */
int db_flush_oldest_locked(struct db *db) REQUIRES(&db->mu);
/* Wait for progress of a flush: 0 after some, -ENOSPC when one that ran since
 * tries (db.flush_tries at the start) found no room, -EIO. */
int db_await_flush_locked(struct db *db, uint64_t tries) REQUIRES(&db->mu);
/* All that is committed now to tables. -ENOSPC when the last try of a flush
 * found no room; the logs keep it. Waits. */
int db_flush_all(struct db *db);
/* Unlink what nobody holds any more. */
void db_remove_doomed(struct db *db);
void db_doom(struct db *db, enum file_kind kind, uint64_t number);
/* Write m to a level 0 table (none when nothing is left of it) and add it
 * to e. */
int db_write_memtable(struct db *db, struct memtable *m,
    struct version_edit *e);

/* ---- install.c: from one version to the next ---- */

/* Write an edit to the manifest and apply it to the tree, less the memtable
 * that it replaces (or NULL); drops mu while it writes. Empties e. */
int db_install_locked(struct db *db, struct version_edit *e,
    struct memtable *flushed) REQUIRES(&db->mu);
/* Begin a new manifest that holds the whole state. mu is not held; one
 * caller at a time. */
int db_manifest_renew(struct db *db);
/* Undo what an edit that will not be installed has made. */
void db_edit_abandon(struct db *db, struct version_edit *e);
/* table_file_drop_fn of all versions. */
void db_table_dropped(void *arg, struct table_file *f);

/* ---- compact_pick.c ---- */

/* The keys of a job in [from, to); without a length: from the first, up to
 * the last. */
struct compact_part {
	uint8_t from[KEY_PREFIX_LEN], to[KEY_PREFIX_LEN];
	size_t from_len, to_len;
	/* Of the thread that runs it, then of the job's. */
	struct version_edit edit;
	uint64_t bytes_written;
	int rc;
};

/* How far a job is; see compact_pace.c. */
struct compact_pace {
	/* constant */
	bool is_off; /* at full speed */
	uint64_t start_ns;
	uint64_t total; /* uncompressed bytes of its inputs */
	/* own synchronisation */
	_Atomic uint64_t done; /* of them; relaxed */
};

struct compact_job {
	int level, output_level;
	struct table_file **inputs[2]; /* of level, of output_level */
	size_t input_count[2];
	bool in_place; /* rewrite one table where it is */
	bool move; /* hand the table down unread */
	uint64_t relocate[8]; /* segments whose values move */
	size_t relocate_count;
	struct version *version; /* held */
	uint64_t *snapshots; /* in use when it began */
	size_t snapshot_count;
	struct compact_part *parts;
	size_t part_count;
	size_t parts_taken, parts_done; /* guarded by mu */
	uint64_t input_bytes, input_entries;
	uint64_t reclaim_bytes; /* that its inputs say they free */
	uint64_t moving_bytes; /* the most that it moves out of segments */
	struct compact_pace pace;
};

/* The most urgent job, its inputs marked, or NULL. */
struct compact_job *compact_pick_locked(struct db *db) REQUIRES(&db->mu);
void compact_job_finish_locked(struct db *db, struct compact_job *job)
    REQUIRES(&db->mu);
/* Size goals of the levels and the first one below level 0 in use. */
int compact_targets(const struct db *db, const struct version *v,
    uint64_t targets[LEVELS]);
/* Bytes that wait to be compacted. */
uint64_t compact_debt(const struct db *db, const struct version *v);

/* ---- compact_split.c ---- */

/* Give a job its parts: one, or up to one for each thread when it is large. */
int compact_split(struct db *db, struct compact_job *job);

/* ---- compact_pace.c ---- */

/* A flush has been installed. */
void compact_pace_flushed_locked(struct db *db) REQUIRES(&db->mu);
/* The job begins. */
void compact_pace_begin_locked(struct db *db, struct compact_job *job)
    REQUIRES(&db->mu);
/* So many more bytes have been merged: sleep until it is time for the next.
 * Any of the job's threads. */
void compact_pace(struct db *db, struct compact_pace *p, uint64_t bytes);

/* ---- compact_run.c ---- */

void *db_compact_thread(void *arg);

/* ---- snapshot.c ---- */

int db_snapshot(struct kv *kv, struct kv_snapshot **snapp);
void db_snapshot_release(struct kv *kv, struct kv_snapshot *snap);
/* Sequence numbers in use, oldest first; the caller frees. */
int db_snapshot_list_locked(struct db *db, uint64_t **seqsp, size_t *countp)
    REQUIRES(&db->mu);

/* ---- recover.c ---- */

/* Build the state from what is on disk, or make a new store; called once,
 * before any thread. */
int db_recover(struct db *db);

/* ---- db_control.c ---- */

int db_check(struct kv *kv, enum kv_check_depth depth, FILE *out);
int db_flush(struct kv *kv);
int db_compact(struct kv *kv);
int db_set_sync(struct kv *kv, enum kv_sync_mode mode, uint32_t commits,
    uint32_t ms);
int db_set_wal_buffer(struct kv *kv, uint64_t bytes);
int db_set_cache(struct kv *kv, uint64_t bytes);
int db_set_max_size(struct kv *kv, uint64_t bytes);
int db_usage(struct kv *kv, struct kv_usage *usagep);

/* ---- db_warm.c: the cache, warm again after opening ---- */

/* Begin to read back what was hot when the store was closed. What fails is
 * only slower. */
void db_warm_start(struct db *db);
/* End that, at once; a second call is harmless. */
void db_warm_stop(struct db *db);
/* After the last change: write down what is hot now. What fails costs the
 * next opening its warm-up, and nothing else. */
void db_warm_save(struct db *db);
void db_warm_free(struct db *db);
void db_warm_report(struct db *db, struct report *r);

/* ---- db_report.c ---- */

int db_report(struct kv *kv, enum kv_report_format format, FILE *out);
/* The options with those that were changed meanwhile. */
void db_live_options(struct db *db, struct kv_options *opts);

/* ---- backup.c, backup_read.c ---- */

/* kv_backup_open() and its kin. */
int db_backup_open(struct kv *kv, struct kv_backup **backupp);
ssize_t db_backup_read(struct kv_backup *b, void *buf, size_t len,
    uint64_t off);
void db_backup_close(struct kv_backup *b);

/* ---- repair.c ---- */

/* kv_repair() on any env; tests use it. */
int db_repair(struct env *env, const char *dir, const char *dest,
    kv_lost_fn lost, void *arg, FILE *report);

#endif
