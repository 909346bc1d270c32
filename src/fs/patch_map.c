/* SPDX-License-Identifier: ISC */
/* See patch_map.h. */
#include "fs/patch_map.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fs/iname.h"

_Static_assert(PATCH_ROWS_MAX <= 32, "a bit for each patch of a chunk");

static int
patch_chunk_cmp(struct patch_chunk *a, struct patch_chunk *b)
{
	return a->index < b->index ? -1 : a->index > b->index;
}

RB_GENERATE(patch_tree, patch_chunk, link, patch_chunk_cmp)

/* Relaxed: it only decides when to merge. */
static _Atomic size_t total_bytes;

/* Memory was allocated, or, with a negative size, freed. */
static void
map_account(ssize_t bytes)
{
	bytes += bytes < 0 ? -(ssize_t)ALLOC_OVERHEAD : (ssize_t)ALLOC_OVERHEAD;
	/* A negative difference wraps around. */
	atomic_fetch_add_explicit(&total_bytes, (size_t)bytes,
	    memory_order_relaxed);
}

size_t
patch_map_bytes(void)
{
	return atomic_load_explicit(&total_bytes, memory_order_relaxed);
}

static void
delete_chunk(struct patch_map *map, struct patch_chunk *pc)
{
	RB_REMOVE(patch_tree, &map->chunks, pc);
	map_account(-(ssize_t)sizeof(*pc));
	free(pc);
}

static struct patch_chunk *
add_chunk(struct patch_map *map, uint64_t index)
{
	struct patch_chunk *pc = calloc(1, sizeof(*pc));

	if (pc != NULL) {
		pc->index = index;
		RB_INSERT(patch_tree, &map->chunks, pc);
		map_account(sizeof(*pc));
	}
	return pc;
}

struct patch_map *
patch_map_create(void)
{
	struct patch_map *map = calloc(1, sizeof(*map));

	if (map != NULL) {
		RB_INIT(&map->chunks);
		map_account(sizeof(*map));
	}
	return map;
}

void
patch_map_destroy(struct patch_map *map)
{
	struct patch_chunk *pc;

	if (map == NULL)
		return;
	while ((pc = RB_ROOT(&map->chunks)) != NULL)
		delete_chunk(map, pc);
	map_account(-(ssize_t)sizeof(*map));
	free(map);
}

/* The entry of a chunk, patched or not; NULL when there is none. */
static struct patch_chunk *
find_entry(struct patch_map *map, uint64_t index)
{
	struct patch_chunk key = { .index = index };

	return RB_FIND(patch_tree, &map->chunks, &key);
}

int
patch_map_load(struct patch_map *map, const struct patch_key *place)
{
	struct patch_chunk *pc = RB_MAX(patch_tree, &map->chunks);

	if (pc == NULL || pc->index != place->index) {
		pc = add_chunk(map, place->index);
		if (pc == NULL)
			return -ENOMEM;
		map->count++;
	}
	if (pc->count == PATCH_ROWS_MAX)
		return -KVFS_ECORRUPT;
	pc->bytes += place->len;
	pc->v[pc->count++] = (struct patch){ place->number, place->start,
		place->len };
	return 0;
}

const struct patch_chunk *
patch_map_find(struct patch_map *map, uint64_t index)
{
	const struct patch_chunk *pc;

	if (map == NULL || map->count == 0)
		return NULL;
	pc = find_entry(map, index);
	return pc != NULL && pc->count != 0 ? pc : NULL;
}

uint32_t
patch_chunk_end(const struct patch_chunk *pc)
{
	uint32_t last = 0, end;

	for (uint32_t i = 0; pc != NULL && i < pc->count; i++) {
		end = (uint32_t)pc->v[i].start + pc->v[i].len;
		if (end > last)
			last = end;
	}
	return last;
}

/*
 * A patch of the same place as an earlier one takes its number, so that its row
 * replaces the other: pages that are written again and again cost no further
 * row. But no patch between them may lie over that place.
 */
static struct patch
next_of(const struct patch_chunk *pc, uint32_t start, uint32_t end,
    uint32_t *withinp)
{
	struct patch next = { .start = (uint16_t)start,
		.len = (uint16_t)(end - start) };
	const struct patch *p;

	*withinp = 0;
	if (pc->count != 0)
		next.number = (uint16_t)(pc->v[pc->count - 1].number + 1);
	for (uint32_t i = 0; i < pc->count; i++) {
		p = &pc->v[i];
		if (!patch_overlaps(p, start, end))
			continue;
		if (patch_is_within(p, start, end))
			*withinp |= 1u << i;
		next.number = p->start == start && p->len == next.len ?
		    p->number :
		    (uint16_t)(pc->v[pc->count - 1].number + 1);
	}
	return next;
}

int
patch_map_reserve(struct patch_map *map, uint64_t index, uint32_t start,
    uint32_t end, bool is_full)
{
	struct patch_chunk *pc = find_entry(map, index);
	uint32_t within, count = 1, bytes = end - start;

	if (pc == NULL) {
		if (is_full)
			return 1;
		pc = add_chunk(map, index);
		/* NOLINTNEXTLINE(*-unix.Malloc): the map has it */
		return pc != NULL ? 0 : -ENOMEM;
	}
	if (pc->count != 0 && pc->v[pc->count - 1].number == UINT16_MAX)
		return 1;
	(void)next_of(pc, start, end, &within);
	for (uint32_t i = 0; i < pc->count; i++) {
		if ((within >> i & 1) != 0)
			continue;
		count++;
		bytes += pc->v[i].len;
	}
	return count > PATCH_ROWS_MAX || bytes > PATCH_BYTES_MAX;
}

struct patch
patch_map_next(struct patch_map *map, uint64_t index, uint32_t start,
    uint32_t end, uint32_t *withinp)
{
	return next_of(find_entry(map, index), start, end, withinp);
}

void
patch_map_put(struct patch_map *map, uint64_t index, uint32_t start,
    uint32_t end, bool is_grown)
{
	struct patch_chunk *pc = find_entry(map, index);
	uint32_t within, n = 0, at = 0;
	struct patch next = next_of(pc, start, end, &within);

	if (pc->count == 0)
		map->count++;
	pc->is_grown |= is_grown;
	pc->bytes = next.len;
	for (uint32_t i = 0; i < pc->count; i++) {
		if ((within >> i & 1) != 0)
			continue;
		pc->v[n++] = pc->v[i];
		pc->bytes += pc->v[i].len;
	}
	while (at < n && pc->v[at].number < next.number)
		at++;
	memmove(&pc->v[at + 1], &pc->v[at], (n - at) * sizeof(pc->v[0]));
	pc->v[at] = next;
	pc->count = n + 1;
}

bool
patch_map_remove(struct patch_map *map, uint64_t index)
{
	struct patch_chunk *pc = map != NULL ? find_entry(map, index) : NULL;
	bool had_any;

	if (pc == NULL)
		return false;
	had_any = pc->count != 0;
	delete_chunk(map, pc);
	if (had_any)
		map->count--;
	return had_any;
}
