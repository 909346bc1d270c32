/* SPDX-License-Identifier: ISC */
/*
 * What the store keeps in memory of its files, and the memory that counts
 * against the same bound. The pointers are constant after opening; each part
 * says what guards it.
 */
#ifndef KVFS_ENGINE_STATE_CACHES_H
#define KVFS_ENGINE_STATE_CACHES_H

#include "engine/cache/block_cache.h"
#include "engine/state/memory_use.h"
#include "engine/tree/table_cache.h"

struct warm_up;

struct caches {
	struct block_cache *blocks;
	struct table_cache *tables;
	struct warm_up *warm_up; /* NULL: not wanted */
	struct memory_use memory;
};

#endif
