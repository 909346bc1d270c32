/* SPDX-License-Identifier: ISC */
/* The sorted union of several iterators; equal keys do not occur. */
#ifndef KVFS_ENGINE_KEY_MERGE_ITER_H
#define KVFS_ENGINE_KEY_MERGE_ITER_H

#include <stddef.h>

#include "engine/key/iter.h"

/* A source and the newest sequence number that it can hold. */
struct merge_source {
	struct iter *it;
	uint64_t max_seq;
};

/* Takes the sources' iterators (copies the array), also on failure: they
 * are closed with it. NULL without memory. */
struct iter *merge_iter_create(const struct merge_source *sources,
    size_t count);

/*
 * Skip keys that a group deletion at seq hides: every source whose max_seq
 * is below seq and which stands before end (a user key) is moved to end at
 * once. The caller filters what is left. it must be valid; it stands on the
 * smallest key left afterwards, so where it stood if that source was not
 * moved.
 */
void merge_iter_skip_hidden(struct iter *it, struct slice end, uint64_t seq);

#endif
