/* SPDX-License-Identifier: ISC */
/*
 * Which chunks of an inode the store has patches for, and where they lie: a
 * patch is bytes over a part of a chunk, in a row of its own, which costs less
 * than the chunk. inode_patches.h loads the map of an inode.
 *
 * Later patches lie over earlier ones, and all of them over the chunk.
 *
 * Threads: as the caller orders. NULL is an empty map.
 */
#ifndef KVFS_FS_PATCH_MAP_H
#define KVFS_FS_PATCH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/tree.h>

#include "fs/schema.h"

/* A chunk is merged when its inode rests and it has as much, or was written in
 * a run, of small files the most. Less stays: merging
 * all of it made 130 MB of 5600 random writes of 4 KiB that were 23 MB, and a
 * page that a patch covers is read without its chunk. */
#define PATCH_MERGE_ROWS 8u
#define PATCH_MERGE_BYTES (CHUNK_SIZE / 2)

struct patch {
	uint16_t number, start, len; /* see struct patch_key */
};

struct patch_chunk {
	RB_ENTRY(patch_chunk) link;
	uint64_t index;
	uint32_t count; /* 0: not patched, in memory for a commit */
	bool is_grown; /* patches made it longer: it was written in a run */
	uint32_t bytes; /* sum of len */
	struct patch v[PATCH_ROWS_MAX]; /* in order of number */
};

RB_HEAD(patch_tree, patch_chunk);
RB_PROTOTYPE(patch_tree, patch_chunk, link, patch_chunk_cmp)

struct patch_map {
	struct patch_tree chunks;
	size_t count; /* of patched chunks */
};

/* NULL without memory. */
struct patch_map *patch_map_create(void);
void patch_map_destroy(struct patch_map *map);
/* The memory of all maps of the process, in bytes. */
size_t patch_map_bytes(void);

/* Add the patch of a row; rows come in the order of their keys. 0, -ENOMEM, or
 * -KVFS_ECORRUPT when the chunk has too many. */
int patch_map_load(struct patch_map *map, const struct patch_key *place);

/* The patches of a chunk; NULL when there are none. */
const struct patch_chunk *patch_map_find(struct patch_map *map, uint64_t index);
/* The end of the last byte that is patched; 0 for NULL. */
uint32_t patch_chunk_end(const struct patch_chunk *pc);

static inline bool
patch_overlaps(const struct patch *p, uint32_t start, uint32_t end)
{
	return p->start < end && (uint32_t)p->start + p->len > start;
}
static inline bool
patch_is_within(const struct patch *p, uint32_t start, uint32_t end)
{
	return p->start >= start && (uint32_t)p->start + p->len <= end;
}

/*
 * Make place for a patch of [start, end) of a chunk, so that patch_map_put()
 * cannot fail. is_full: no further chunk may be patched. 0; 1 when there would
 * be too much, so that the chunk is to be written as a whole; or -ENOMEM.
 */
int patch_map_reserve(struct patch_map *map, uint64_t index, uint32_t start,
    uint32_t end, bool is_full);
/* The patch that patch_map_put() will add, and in *withinp those that lie
 * within it, a bit for each in v: their rows are deleted, except one of the
 * same key. */
struct patch patch_map_next(struct patch_map *map, uint64_t index,
    uint32_t start, uint32_t end, uint32_t *withinp);
/* It was committed. is_grown: it has made the chunk longer. */
void patch_map_put(struct patch_map *map, uint64_t index, uint32_t start,
    uint32_t end, bool is_grown);
/* The rows of a chunk's patches were deleted. Were there any? */
bool patch_map_remove(struct patch_map *map, uint64_t index);

#endif
