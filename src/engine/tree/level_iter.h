/* SPDX-License-Identifier: ISC */
/* Iterators over tables; each keeps its table open. Threading: one thread. */
#ifndef KVFS_ENGINE_TREE_LEVEL_ITER_H
#define KVFS_ENGINE_TREE_LEVEL_ITER_H

#include "engine/key/iter.h"
#include "engine/tree/table_cache.h"

struct table_file;

/*
 * Iterate over the tables of a sorted level (or some of them in a row, or one
 * table of any level), one after the other. A table is opened when the iterator
 * reaches it. Borrows tables and files, which have to outlive the iterator.
 * fill_cache as in table_reader_iter(). NULL without memory.
 */
struct iter *level_iter_create(struct table_cache *tables,
    struct table_file *const *files, size_t count, bool fill_cache);

#endif
