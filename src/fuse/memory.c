/* SPDX-License-Identifier: ISC */
/* Keeping to the budget; see memory.h. */
#include "fuse/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "kvfs/kv.h"
#include "util/resident.h"

/* From this size on malloc maps each piece, and gives it back when it is
 * freed. By default malloc raises this limit up to 32 MiB as it goes. Blocks
 * of the cache and chunks are smaller; memtables, buffers and requests
 * larger. */
#define MAP_FROM_BYTES (128 * 1024)
/* Setting the limit above fixes this one too: free memory at the end of a
 * heap goes back from this size on. With less, each large read would give
 * back memory that the next one takes again. */
#define TRIM_FROM_BYTES (2 * 1024 * 1024)
/* So much resident free memory is not worth a trim: this part of the budget,
 * at most KEEP_MAX. */
#define KEEP_PART 32
#define KEEP_MAX (16u << 20)
/* The resident size aimed at is below the budget by this part of it: blocks
 * that were dropped for a memtable are free pieces of the heap, still
 * resident, until the next call. */
#define AIM_PART 16
/* The cache grows again by this part of the budget at a time. */
#define GROW_PART 64
/* The cache keeps at least this part of its usual size. */
#define CACHE_LEAST_PART 4

void
memory_init(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	(void)mallopt(M_ARENA_MAX, cpus > 2 ? (int)cpus : 2);
	(void)mallopt(M_MMAP_THRESHOLD, MAP_FROM_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_FROM_BYTES);
}

/* Have malloc give back whole pages that are free, if there are many. */
static uint64_t
trim_heap(struct memory_keeper *k, uint64_t keep)
{
	struct mallinfo2 info = mallinfo2();
	uint64_t have, resident = process_resident_bytes(&have);

	if (have < k->floor_bytes)
		k->floor_bytes = have;
	/* What the last trim could not give back, another cannot either. */
	if (have <= info.uordblks + info.hblkhd + keep ||
	    have <= k->floor_bytes + keep / 2)
		return resident;
	(void)malloc_trim(0);
	resident = process_resident_bytes(&k->floor_bytes);
	return resident;
}

static void
set_cache(struct memory_keeper *k, uint64_t bytes)
{
	if (bytes < k->cache_bytes / CACHE_LEAST_PART)
		bytes = k->cache_bytes / CACHE_LEAST_PART;
	if (bytes > k->cache_bytes)
		bytes = k->cache_bytes;
	if (bytes != k->cache_now && kv_set_cache(k->kv, bytes) == 0)
		k->cache_now = bytes;
}

bool
memory_keep(struct memory_keeper *k)
{
	uint64_t keep = k->budget_bytes / KEEP_PART, resident, over;
	uint64_t margin = k->budget_bytes / AIM_PART;
	uint64_t aim = k->budget_bytes - margin;

	if (k->cache_now == 0)
		k->cache_now = k->cache_bytes;
	resident = trim_heap(k, keep < KEEP_MAX ? keep : KEEP_MAX);
	if (resident > aim) {
		over = resident - aim;
		set_cache(k, over < k->cache_now ? k->cache_now - over : 0);
		(void)malloc_trim(0);
	} else if (resident < aim - margin) {
		set_cache(k, k->cache_now + k->budget_bytes / GROW_PART);
	}
	return resident > k->budget_bytes / 4 * 3;
}
