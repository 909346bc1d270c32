/* SPDX-License-Identifier: ISC */
/*
 * The list of dirty inodes, oldest first, and the memory that they take. The
 * list holds a reference to each. writeback.h commits them.
 *
 * Threads: any. dirty_list.mu is taken after an inode's locks and held for
 * short times. It also guards the requests to the write-back thread.
 */
#ifndef KVFS_FS_DIRTY_LIST_H
#define KVFS_FS_DIRTY_LIST_H

#include "fs/live_inode.h"

struct dirty_list {
	struct mutex mu;
	struct cond wake; /* for the write-back thread alone */
	TAILQ_HEAD(, inode) inodes GUARDED_BY(mu); /* in order of tickets */
	size_t count GUARDED_BY(mu);
	uint64_t ticket GUARDED_BY(mu); /* the last one given */
	/* The write-back thread waits for a signal; it is to commit all at
	 * once; it is to end. */
	bool is_idle GUARDED_BY(mu);
	bool is_urgent GUARDED_BY(mu);
	bool stop GUARDED_BY(mu);
	/* Relaxed: they only decide when to commit. */
	_Atomic size_t bytes; /* memory of dirty buffers */
	_Atomic size_t data_bytes; /* dirty contents */
};

void dirty_list_init(struct dirty_list *list);
/* It is empty. */
void dirty_list_fini(struct dirty_list *list);

/* in has something to commit; keeps its place when it is on the list. */
void dirty_list_add(struct dirty_list *list, struct inode *in)
    REQUIRES(&in->mu);
/* in is clean. The caller has another reference. */
void dirty_list_remove(struct dirty_list *list, struct inode *in)
    REQUIRES(&in->mu);
/* Move in to the tail, to be tried again later. */
void dirty_list_requeue(struct dirty_list *list, struct inode *in);

/* The memory of dirty buffers and the dirty contents grew by so many bytes. */
void dirty_list_account(struct dirty_list *list, ssize_t mem, ssize_t data);
/* Is the memory above limit, in bytes? */
bool dirty_list_is_over(struct dirty_list *list, uint64_t limit);

/* Up to max inodes that were added until until_ns, on the clock of
 * clock_now_ns(), and that no thread commits; each is referenced and marked
 * busy. Returns how many. */
size_t dirty_list_pick(struct dirty_list *list, struct inode **ins, size_t max,
    uint64_t until_ns) REQUIRES(&list->mu);
/* They are no longer busy. The caller keeps the references. */
void dirty_list_unpick(struct dirty_list *list, struct inode **ins, size_t n);

/* Wake the write-back thread: orphan_due_ns() or its age_ms has changed. */
void dirty_list_wake(struct dirty_list *list);

#endif
