/* SPDX-License-Identifier: ISC */
/*
 * The list of inodes with something to commit, oldest first, and how much
 * memory that takes; who commits them is in writeback.h. An inode on the list
 * is referenced by it.
 *
 * Threads: any. dirty_list.mu is taken after any inode's locks, and held for
 * moments; it also guards what the committer is asked to do.
 */
#ifndef KVFS_FS_DIRTY_LIST_H
#define KVFS_FS_DIRTY_LIST_H

#include "fs/live_inode.h"

struct dirty_list {
	struct mutex mu;
	struct cond wake; /* for the committer alone */
	TAILQ_HEAD(, inode) inodes GUARDED_BY(mu); /* by ticket */
	size_t count GUARDED_BY(mu);
	uint64_t ticket GUARDED_BY(mu); /* the last one given */
	/* Of the committer: it waits for a signal; it is to commit before
	 * the time; it is to end. */
	bool is_idle GUARDED_BY(mu);
	bool is_urgent GUARDED_BY(mu);
	bool stop GUARDED_BY(mu);
	/* Statistics that steer; relaxed. */
	_Atomic size_t bytes; /* memory of dirty buffers */
	_Atomic size_t data_bytes; /* of contents that wait */
};

void dirty_list_init(struct dirty_list *list);
/* It is empty. */
void dirty_list_fini(struct dirty_list *list);

/* in has something to commit; keeps its place when it is on the list. */
void dirty_list_add(struct dirty_list *list, struct inode *in)
    REQUIRES(&in->mu);
/* in is clean. The caller has a reference of its own. */
void dirty_list_remove(struct dirty_list *list, struct inode *in)
    REQUIRES(&in->mu);
/* To the tail, to be tried again later. */
void dirty_list_requeue(struct dirty_list *list, struct inode *in);

/* Memory and contents that wait grew by so many bytes. */
void dirty_list_account(struct dirty_list *list, ssize_t mem, ssize_t data);
/* Whether the memory is above limit, in bytes. */
bool dirty_list_is_over(struct dirty_list *list, uint64_t limit);

/* Inodes added until then, by clock_now_ns(), that nobody commits: at most
 * max, each referenced and marked busy. */
size_t dirty_list_pick(struct dirty_list *list, struct inode **ins, size_t max,
    uint64_t until_ns) REQUIRES(&list->mu);
/* They are not busy any more; the references stay the caller's. */
void dirty_list_unpick(struct dirty_list *list, struct inode **ins, size_t n);

/* The committer has something to do: orphan_due_ns() says so, or its age has
 * changed. */
void dirty_list_wake(struct dirty_list *list);

#endif
