/* SPDX-License-Identifier: ISC */
/*
 * Keeps the resident memory of the process within the budget. Each part of
 * the program bounds its own memory (budget.h); but malloc keeps freed
 * memory, so the process may take more. Here the resident size is read now
 * and then: free pages go back to the system, and if that is not enough the
 * block cache is made smaller for a while.
 */
#ifndef KVFS_FUSE_MEMORY_H
#define KVFS_FUSE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct kv;

/* Set up malloc, before the first thread: few arenas, since each keeps
 * freed memory of its own, and large pieces are mapped, so that free(3)
 * gives them back to the system. */
void memory_init(void);

/* Used by one thread; zero except for what the caller sets. */
struct memory_keeper {
	/* constant */
	struct kv *kv;
	uint64_t budget_bytes;
	uint64_t cache_bytes; /* the cache's usual size */
	/* private */
	uint64_t cache_now; /* its size now; 0 before the first call */
	uint64_t floor_bytes; /* what the last trim has left resident */
};

/* Read the resident size and act on it. True: call again soon. */
bool memory_keep(struct memory_keeper *k);

#endif
