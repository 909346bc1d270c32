/* SPDX-License-Identifier: ISC */
/* Walks over tables with their readers pinned. One thread. */
#ifndef KVFS_ENGINE_TREE_LEVEL_ITER_H
#define KVFS_ENGINE_TREE_LEVEL_ITER_H

#include "engine/key/iter.h"
#include "engine/tree/table_cache.h"

struct table_file;

/*
 * The tables of a sorted level (or a run of them, or one table of any
 * level), one after the other; each is opened when the walk gets there.
 * Borrows tables and files, which outlive it. fill_cache as in table_reader_iter().
 * NULL without memory.
 */
struct iter *level_iter_create(struct table_cache *tables,
    struct table_file *const *files, size_t count, bool fill_cache);

#endif
