/* SPDX-License-Identifier: ISC */
/* Merges several iterators into one sorted walk. No key is in two of them. */
#ifndef KVFS_ENGINE_KEY_MERGE_ITER_H
#define KVFS_ENGINE_KEY_MERGE_ITER_H

#include <stddef.h>

#include "engine/key/iter.h"

/* A source, and the newest sequence number that an entry of it can have. */
struct merge_source {
	struct iter *it;
	uint64_t max_seq;
};

/* Takes the iterators of the sources, also on failure; they are closed with it.
 * Copies the array. NULL without memory. */
struct iter *merge_iter_create(const struct merge_source *sources,
    size_t count);

/*
 * Skip keys that a group deletion with sequence number seq deletes. Each source
 * whose max_seq is below seq and which stands before end (a user key) is moved
 * to end at once. Sources with newer entries stay: the caller filters their
 * entries. it has to be valid; afterwards it stands on the smallest key that is
 * left, which is the same as before if that source did not move.
 */
void merge_iter_skip_hidden(struct iter *it, struct slice end, uint64_t seq);

#endif
