/* SPDX-License-Identifier: ISC */
/*
 * Mutexes and condition variables with Clang's thread-safety annotations, which
 * make lint checks. An error of a pthread function is a bug, and aborts.
 *
 * Lock order, outermost first: a thread that holds one takes only later ones.
 * tests/style/locks.sh checks that each mutex is listed here.
 *
 *   fuse/control/control.h change_mu    one change of options at a time
 *   fuse/control/control.h mu           options in force, jobs
 *   fuse/control/control_node.h mu      nodes of control files
 *   fuse/request/adapt_dir.c mu         one reader of an open directory
 *   fuse/serve/overdue.c mu             requests and their times
 *   fuse/serve/worker_pool.h mu         threads that serve
 *   fuse/prune.c mu                     when names are dropped
 *   fuse/lane/lane_socket.h mu          clients of the socket
 *   fuse/reply/task_queue.h mu          a queue
 *   fuse/reply/kernel_cache.h mu        a queue
 *   fuse/reply/handle.h mu              open handles
 *   fs/orphan.h reap_mu                 one deletion of rows at a time
 *   fs/fs_state.h rename_mu             the shape of the tree
 *   fs/live_inode.h change_mu           the right to change an inode: the
 *                                       parent before the child, else by
 *                                       number
 *   fs/live_inode.h mu                  an inode: in the same order
 *   fs/inode_table.h mu                 a shard of the inode table
 *   fs/dirty_list.h mu                  what is dirty
 *   fs/orphan.h mu                      inodes without a name
 *   fs/patch_list.h mu                  inodes with patches
 *   fs/new_inode.h mu                   the next inode number
 *   fs/txn.h mu                         transactions kept for reuse
 *   engine/store/backup.h mu            the file that a backup reads
 *   engine/state/work_signal.h reclaim_mu  one writer looks for room
 *   engine/state/commit_state.h mu      order of commits, log, memtable
 *   engine/state/db_state.h mu          what the store is made of
 *   engine/state/sync_timer.h mu        what the timer waits for
 *   engine/state/segment_set.h mu       the set of segments
 *   engine/segment/segment_writer.c mu  one sync of a segment
 *   engine/state/obsolete.h remove_mu   one remover of files at a time
 *   engine/state/obsolete.h mu          files to remove
 *   engine/state/work_signal.h slack_mu the file that keeps room
 *   engine/store/db_warm.c mu           the warm-up's end
 *   engine/tree/table_handle.h mu       open tables
 *   engine/cache/block_shard.h mu       a shard of the block cache
 *   engine/state/fault.h mu             why writing has ended
 *   util/page_pool.h mu                 pages for memtables
 *   util/log_queue.c mu                 lines for the log
 */
#ifndef KVFS_UTIL_MUTEX_H
#define KVFS_UTIL_MUTEX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__clang__)
#define TS_ATTR(x) __attribute__((x))
#else
#define TS_ATTR(x)
#endif
#define CAPABILITY(x) TS_ATTR(capability(x))
#define ACQUIRE(...) TS_ATTR(acquire_capability(__VA_ARGS__))
#define RELEASE(...) TS_ATTR(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) TS_ATTR(try_acquire_capability(__VA_ARGS__))
#define REQUIRES(...) TS_ATTR(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) TS_ATTR(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY TS_ATTR(no_thread_safety_analysis)
/* No other thread can reach the object yet, or any more. */
#define UNSHARED NO_THREAD_SAFETY
#define ASSERTS_HELD(...) TS_ATTR(assert_capability(__VA_ARGS__))
/* On a member of a C struct, of a mutex that is a member of it. Only clang 19
 * and later can read it there: make lint defines HAVE_GUARDED_BY for it. */
#if defined(HAVE_GUARDED_BY)
#define GUARDED_BY(x) TS_ATTR(guarded_by(&x))
#else
#define GUARDED_BY(x)
#endif

struct CAPABILITY("mutex") mutex {
	pthread_mutex_t m;
#if defined(KVFS_CHECKS)
	/* Identifies the thread that holds it. Relaxed: a thread compares it
	 * with its own value only, which no other thread writes. */
	_Atomic uintptr_t owner;
#endif
};

struct cond {
	pthread_cond_t c; /* on CLOCK_MONOTONIC */
};

void mutex_init(struct mutex *m);
void mutex_fini(struct mutex *m);
void mutex_lock(struct mutex *m) ACQUIRE(m);
bool mutex_trylock(struct mutex *m) TRY_ACQUIRE(true, m);
void mutex_unlock(struct mutex *m) RELEASE(m);

/*
 * In builds with checks (util/invariant.h) these abort, and say why, when
 * what they are called after is not so; elsewhere they are nothing. For the
 * analysis the first says that m is held from here on. Each function called
 * *_locked, and each that is exempt from the analysis, has one of them, or
 * begins or ends the mutex: tests/style/locks.sh holds that.
 */
#if defined(KVFS_CHECKS)
/* The calling thread holds m. */
void mutex_assert_held(const struct mutex *m) ASSERTS_HELD(m);
/* No thread holds m. */
void mutex_assert_free(const struct mutex *m);
#else
static inline void
mutex_assert_held(const struct mutex *m) ASSERTS_HELD(m)
{
	(void)m;
}

static inline void
mutex_assert_free(const struct mutex *m)
{
	(void)m;
}
#endif

void cond_init(struct cond *c);
void cond_fini(struct cond *c);
void cond_wait(struct cond *c, struct mutex *m) REQUIRES(m);
/* False when deadline_ns (clock_now_ns) passed first. */
bool cond_wait_until(struct cond *c, struct mutex *m, uint64_t deadline_ns)
    REQUIRES(m);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);

#endif
