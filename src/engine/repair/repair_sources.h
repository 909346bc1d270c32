/* SPDX-License-Identifier: ISC */
/*
 * What is merged into the new store: iterators over entries that are readable
 * anywhere. They carry sequence numbers, so it does not matter where one was
 * found. One thread.
 */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_SOURCES_H
#define KVFS_ENGINE_REPAIR_REPAIR_SOURCES_H

#include "engine/key/merge_iter.h"

struct repair_sources {
	struct merge_source *v; /* owned, with their iterators */
	size_t count, cap;
};

/* Takes it; -ENOMEM, also when it is NULL. */
int repair_sources_add(struct repair_sources *s, struct iter *it);
/* All of them as one iterator, which takes them; NULL without memory. */
struct iter *repair_sources_merge(struct repair_sources *s);
void repair_sources_fini(struct repair_sources *s);

#endif
