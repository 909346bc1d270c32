/* SPDX-License-Identifier: ISC */
/*
 * The budget of memory as the system sees it. Each user of memory keeps to
 * its part (budget.h); what they take in all, with what the C library keeps
 * back, is looked at here now and then: what is free goes back to the
 * system, and when that is not enough the cache becomes smaller for a while.
 */
#ifndef KVFS_FUSE_MEMORY_H
#define KVFS_FUSE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct kv;

/* Before the first thread: few arenas, since each keeps its own, and large
 * pieces by themselves, so that they go back when they are freed. */
void memory_init(void);

/* One thread's; zero but for what the caller sets. */
struct memory_keeper {
	/* constant */
	struct kv *kv;
	uint64_t budget_bytes;
	uint64_t cache_bytes; /* of the cache, when all is well */
	/* insides */
	uint64_t cache_now;
	uint64_t floor_bytes; /* what the last trim has left resident */
};

/* Look, and do what is due. Returns whether to look again soon. */
bool memory_keep(struct memory_keeper *k);

#endif
