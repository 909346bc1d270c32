/* SPDX-License-Identifier: ISC */
/*
 * The sources of the new store: iterators over all entries that are readable in
 * any file. Entries have sequence numbers, so it does not matter in which file
 * one was found.
 * Threading: one thread.
 */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_SOURCES_H
#define KVFS_ENGINE_REPAIR_REPAIR_SOURCES_H

#include "engine/key/merge_iter.h"

struct repair_sources {
	struct merge_source *v; /* owned, with their iterators */
	size_t count, cap;
};

/* Takes it. -ENOMEM, also if it is NULL. */
int repair_sources_add(struct repair_sources *s, struct iter *it);
/* Merge all sources into one iterator, which takes them. NULL without
 * memory. */
struct iter *repair_sources_merge(struct repair_sources *s);
void repair_sources_fini(struct repair_sources *s);

#endif
