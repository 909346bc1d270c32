/* SPDX-License-Identifier: ISC */
/*
 * The changes of a batch, encoded: what the log and the memtable take. No
 * state: any thread.
 */
#ifndef KVFS_ENGINE_KEY_CHANGE_H
#define KVFS_ENGINE_KEY_CHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/key/key.h"
#include "kvfs/slice.h"

struct key_change {
	struct slice user; /* borrowed */
	struct slice value; /* borrowed */
	uint32_t index; /* in the batch, from 0 */
	enum key_type type;
};

/* Sort n changes by their first bytes, which is enough to bring changes that
 * are close to each other in the memtable together. Changes whose first 16
 * bytes are the same may stand in any order. */
void key_changes_sort(struct key_change *changes, size_t n);

#endif
