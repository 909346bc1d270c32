/* SPDX-License-Identifier: ISC */
/*
 * Ordered walk over internal keys: what memtables, blocks, tables and the
 * merge of several of them have in common. Forward only.
 *
 * Key and value are valid until the iterator is moved or closed. Once
 * status is negative the iterator is invalid for good. One thread.
 */
#ifndef KVFS_ENGINE_KEY_ITER_H
#define KVFS_ENGINE_KEY_ITER_H

#include <stdbool.h>
#include <stdint.h>

#include "kvfs/slice.h"

struct iter;

struct iter_ops {
	void (*seek)(struct iter *it, struct slice ikey);
	void (*seek_first)(struct iter *it);
	void (*next)(struct iter *it);
	void (*close)(struct iter *it);
};

/* Implementations embed it as their first member and keep valid, key,
 * value and status up to date, so that readers make no call for them. */
struct iter {
	const struct iter_ops *ops;
	bool valid;
	int status; /* 0 or the first error */
	struct slice key; /* internal key */
	struct slice value;
};

/* To the first entry at or after ikey. */
static inline void
iter_seek(struct iter *it, struct slice ikey)
{
	it->ops->seek(it, ikey);
}
static inline void
iter_seek_first(struct iter *it)
{
	it->ops->seek_first(it);
}
/* REQUIRES: it->valid. */
static inline void
iter_next(struct iter *it)
{
	it->ops->next(it);
}
static inline void
iter_close(struct iter *it)
{
	if (it != NULL)
		it->ops->close(it);
}

#endif
