/* SPDX-License-Identifier: ISC */
/*
 * The write-back cache as a whole: which inodes have something to commit,
 * oldest first, how much memory that takes, and the thread that commits it
 * in time.
 *
 * Lock order: writeback.mu is the last one of fs. An inode on the list is
 * referenced by it.
 */
#ifndef KVFS_FS_WRITEBACK_H
#define KVFS_FS_WRITEBACK_H

#include "fs/inode.h"

struct writeback {
	struct mutex mu;
	struct cond wake;
	TAILQ_HEAD(, inode) dirty GUARDED_BY(mu); /* by wb_ticket */
	size_t count GUARDED_BY(mu);
	uint64_t ticket GUARDED_BY(mu); /* the last one given */
	bool is_idle GUARDED_BY(mu); /* the thread waits for a signal */
	bool is_pressed GUARDED_BY(mu); /* commit before its time */
	bool stop GUARDED_BY(mu);
	bool is_failing GUARDED_BY(mu); /* said so in the log */
	bool has_thread;
	pthread_t thread;
	uint64_t limit_bytes; /* constant */
	_Atomic uint32_t age_ms;
	/* Statistics that steer; relaxed. */
	_Atomic size_t bytes; /* memory of dirty buffers */
	_Atomic size_t data_bytes; /* of contents that wait */

	/* What the store has left, looked at now and then; relaxed. */
	_Atomic uint64_t space_free;
	_Atomic uint64_t space_used; /* committed since */
	_Atomic uint64_t space_ns; /* when */
};

int writeback_start(struct fs *fs, const struct fs_options *opts);
void writeback_stop(struct fs *fs);
void writeback_fini(struct fs *fs);
void writeback_set_age(struct fs *fs, uint32_t age_ms);

/* The thread has something to do, as orphan_due_ns() says. */
void writeback_wake(struct fs *fs);

/* in has something to commit; keeps its place when it is on the list. */
void writeback_add(struct fs *fs, struct inode *in) REQUIRES(&in->mu);
/* in is clean. The caller has a reference of its own. */
void writeback_remove(struct fs *fs, struct inode *in) REQUIRES(&in->mu);
/* Memory and contents that wait grew by so much. */
void writeback_account(struct fs *fs, ssize_t mem, ssize_t data);

/* Commit the oldest while there is too much; call without locks, as the next
 * one, and txn_settle() after it. */
int writeback_throttle(struct fs *fs);
/* Commit all that was dirty at the call; the first error. */
int writeback_all(struct fs *fs);

/* ---- For the sources of writeback only ---- */

bool writeback_is_over(struct fs *fs, uint64_t limit);
/* Inodes to commit now, each referenced and marked busy; all of them are
 * due when the cache is pressed. */
size_t writeback_pick(struct fs *fs, struct inode **ins, size_t max,
    bool is_pressed);
void writeback_unpick(struct fs *fs, struct inode **ins, size_t n);
/* To the tail, to be tried again later. */
void writeback_requeue(struct fs *fs, struct inode *in);
/* Say once that commits fail, and once that they work again. */
void writeback_report(struct fs *fs, int rc);
/* Commit what in has: contents, or nothing but its atime. */
int writeback_commit(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);

#endif
