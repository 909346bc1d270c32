/* SPDX-License-Identifier: ISC */
/* The parts of the memory budget; see budget.h. */
#include "fuse/options/budget.h"

#include <errno.h>
#include <string.h>

#include "fuse/options/option_size.h"
#include "fuse/options/option_table.h"
#include "fuse/options/options.h"
#include "util/log.h"
#include "util/machine.h"

#define MIB (1ull << 20)
/*
 * Without memory=: a quarter of the machine's memory, within these limits.
 * The upper one has room for four memtables of 64M, as much write-back, 50M of
 * inodes, and a cache that keeps 64M for blocks when all memtables are full.
 */
#define DEFAULT_PART 4
#define DEFAULT_MIN (64 * MIB)
#define DEFAULT_MAX (512 * MIB)

#define SLACK_PERCENT 15
#define INODE_PART 10
#define INODE_MAX (256 * MIB)
#define LISTING_PART 8 /* of the inodes' */
#define WRITEBACK_PART 8
#define WRITEBACK_MAX (64 * MIB)
#define WRITEBACK_LEAST MIB
#define MEMTABLE_MAX (64 * MIB)
#define MEMTABLE_LEAST (64u << 10)
#define CACHE_LEAST MIB
/* The memtable's part of memtable and cache together. The cache then has room
 * for three immutable memtables and for a quarter that stays for blocks. */
#define MEMTABLE_PART 5
#define WAITING_MAX 3

/* The size of a request is chosen so that the 15 % have room for two requests
 * per thread, within these limits. */
#define REQUEST_MIN (64u << 10)
/* More than 256 pages is not possible before libfuse 3.17. */
#define REQUEST_MAX (1u << 20)

static uint64_t
default_budget(void)
{
	uint64_t n = machine_memory(MACHINE_CGROUP_LIST, MACHINE_CGROUP_ROOT) /
	    DEFAULT_PART;

	if (n < DEFAULT_MIN)
		return DEFAULT_MIN;
	return n < DEFAULT_MAX ? n : DEFAULT_MAX;
}

/* Derived sizes are round, so that they can be printed and read again. */
static uint64_t
round_down(uint64_t n)
{
	return n & ~(uint64_t)((64u << 10) - 1);
}

static uint64_t
min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
inode_part(uint64_t total)
{
	return min_of(total / INODE_PART, INODE_MAX);
}

/* The part of a budget for write-back cache, memtable and block cache. */
static uint64_t
parts_of(uint64_t total)
{
	return total - total / 100 * SLACK_PERCENT - inode_part(total);
}

/* The budget whose parts_of() is room, in whole MiB. */
static uint64_t
budget_for(uint64_t room)
{
	uint64_t total = room / MIB * MIB;

	while (parts_of(total) < room) {
		uint64_t step = (room - parts_of(total)) / MIB * MIB;

		total += step != 0 ? step : MIB;
	}
	return total;
}

/* Memory that the store takes at most: the current memtable, and the cache,
 * of which a quarter stays however many memtables are immutable. */
static uint64_t
store_bytes(uint64_t cache, uint64_t memtable)
{
	uint64_t squeezed = cache / 4 + WAITING_MAX * memtable;

	return memtable + (squeezed > cache ? squeezed : cache);
}

/* The largest memtable that leaves room for this cache. */
static uint64_t
memtable_given_cache(uint64_t cache, uint64_t room)
{
	if (room < cache)
		return 0;
	return min_of(room - cache, (room - cache / 4) / (WAITING_MAX + 1));
}

/* The least memory that the store needs with the given parts. */
static uint64_t
store_min_bytes(const struct options *o, unsigned given)
{
	uint64_t cache = CACHE_LEAST, memtable = MEMTABLE_LEAST;

	if ((given & GIVEN_MEMTABLE) != 0)
		memtable = o->kv.memtable_bytes;
	if ((given & GIVEN_CACHE) != 0)
		cache = o->kv.cache_bytes;
	return store_bytes(cache, memtable);
}

static bool
divide_total(struct options *o, uint64_t total, unsigned given)
{
	uint64_t room = parts_of(total), *writeback = &o->fs.writeback_bytes;
	uint64_t *memtable = &o->kv.memtable_bytes;
	uint64_t *cache = &o->kv.cache_bytes;

	if (store_min_bytes(o, given) > room)
		return false;
	if ((given & GIVEN_WRITEBACK_SIZE) == 0)
		*writeback = round_down(
		    min_of(min_of(total / WRITEBACK_PART, WRITEBACK_MAX),
			room - store_min_bytes(o, given)));
	if (*writeback > room)
		return false;
	room -= *writeback;
	if ((given & GIVEN_MEMTABLE) == 0)
		*memtable = round_down(
		    min_of(room / MEMTABLE_PART, MEMTABLE_MAX));
	if ((given & GIVEN_MEMTABLE) == 0 && (given & GIVEN_CACHE) != 0)
		*memtable = round_down(
		    min_of(*memtable, memtable_given_cache(*cache, room)));
	if ((given & GIVEN_CACHE) == 0)
		*cache = room > *memtable ? round_down(room - *memtable) : 0;
	return *cache >= CACHE_LEAST && *memtable >= MEMTABLE_LEAST &&
	    *writeback >= WRITEBACK_LEAST &&
	    store_bytes(*cache, *memtable) <= room;
}

static int
refuse_parts(const struct options *o, unsigned given)
{
	const struct {
		unsigned bit;
		const char *name;
		uint64_t bytes;
	} parts[] = {
		{ GIVEN_CACHE, "cache", o->kv.cache_bytes },
		{ GIVEN_MEMTABLE, "memtable", o->kv.memtable_bytes },
		{ GIVEN_WRITEBACK_SIZE, "writeback_size",
		    o->fs.writeback_bytes },
	};
	uint64_t need = store_min_bytes(o, given) + WRITEBACK_LEAST;
	char text[256] = "", size[32], memory[32];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if ((given & parts[i].bit) == 0)
			continue;
		option_format_size(parts[i].bytes, size, sizeof(size));
		strlcat(text, text[0] != '\0' ? "," : "", sizeof(text));
		strlcat(text, parts[i].name, sizeof(text));
		strlcat(text, "=", sizeof(text));
		strlcat(text, size, sizeof(text));
	}
	if ((given & GIVEN_WRITEBACK_SIZE) != 0)
		need += o->fs.writeback_bytes - WRITEBACK_LEAST;
	option_format_size(budget_for(need), size, sizeof(size));
	option_format_size(o->memory_bytes, memory, sizeof(memory));
	log_error("-o memory=%s: %s: the parts are larger than the whole: "
		  "give memory=%s at least, or less of them",
	    memory, text, size);
	return -EINVAL;
}

/* Bounds that follow from the budget alone. */
static void
derive_parts(struct options *o)
{
	uint64_t each = o->memory_bytes / 100 * SLACK_PERCENT / 2 / o->threads;

	o->inode_bytes = inode_part(o->memory_bytes);
	o->fs.listing_bytes = o->inode_bytes / LISTING_PART;
	o->inode_bytes -= o->fs.listing_bytes;
	o->request_bytes = REQUEST_MAX;
	while (o->request_bytes > REQUEST_MIN && o->request_bytes > each)
		o->request_bytes /= 2;
}

/* Without memory=: the usual budget, changed by the given parts. */
static void
derive_budget(struct options *o, unsigned given)
{
	uint64_t cache = o->kv.cache_bytes, memtable = o->kv.memtable_bytes;
	uint64_t writeback = o->fs.writeback_bytes;

	o->memory_bytes = default_budget();
	(void)divide_total(o, o->memory_bytes, 0);
	if ((given & GIVEN_CACHE) != 0)
		o->kv.cache_bytes = cache;
	if ((given & GIVEN_MEMTABLE) != 0)
		o->kv.memtable_bytes = memtable;
	if ((given & GIVEN_WRITEBACK_SIZE) != 0)
		o->fs.writeback_bytes = writeback;
	if (given != 0)
		o->memory_bytes = budget_for(
		    store_bytes(o->kv.cache_bytes, o->kv.memtable_bytes) +
		    o->fs.writeback_bytes);
}

int
budget_derive(struct options *o, unsigned given)
{
	if ((given & GIVEN_MEMORY) == 0)
		derive_budget(o, given);
	else if (!divide_total(o, o->memory_bytes, given))
		return refuse_parts(o, given);
	derive_parts(o);
	return 0;
}
