/* SPDX-License-Identifier: ISC */
/*
 * The encoded changes of a batch, for the log and the memtable.
 * Threading: functions without state; any thread.
 */
#ifndef KVFS_ENGINE_KEY_CHANGE_H
#define KVFS_ENGINE_KEY_CHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/key/key.h"
#include "kvfs/slice.h"

struct key_change {
	struct slice user; /* borrows */
	struct slice value; /* borrows */
	uint32_t index; /* in the batch, from 0 */
	enum key_type type;
};

/* Sort n changes by their first 16 bytes; changes with equal ones may be in any
 * order. That is enough to bring neighbours in the memtable together. */
void key_changes_sort(struct key_change *changes, size_t n);

#endif
