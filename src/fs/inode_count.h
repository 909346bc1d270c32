/* SPDX-License-Identifier: ISC */
/* The number of inodes, exact or an estimate; see inode_count.c. Any thread. */
#ifndef KVFS_FS_INODE_COUNT_H
#define KVFS_FS_INODE_COUNT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fs;
struct kv_snapshot;

struct inode_count {
	_Atomic uint64_t n; /* relaxed: a figure for statfs */
	/* Sequentially consistent: is_exact after n is right; stop is read by
	 * the thread between two rows. */
	_Atomic bool is_exact;
	_Atomic bool stop;
	bool has_thread;
	pthread_t thread; /* counts all rows */
	uint64_t assumed; /* n at the start */
	struct kv_snapshot *snap; /* owned: the rows to count */
};

/* Start with the stored count. If the store was not closed, also start a
 * thread that counts; no operation may run yet. */
int inode_count_start(struct fs *fs);
/* Stop counting, and store the count when it is exact. */
int inode_count_stop(struct fs *fs);
void inode_count_add(struct fs *fs, int64_t n);
uint64_t inode_count_read(struct fs *fs);

#endif
