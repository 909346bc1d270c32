/* SPDX-License-Identifier: ISC */
/*
 * The interface that memtables, blocks, tables and the merge of several of them
 * share: a forward walk over entries in the order of internal keys.
 *
 * Key and value are valid until the iterator is moved or closed. After an
 * error, status is negative and the iterator stays invalid. Threading: one
 * thread.
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

/* An implementation embeds it as its first member and keeps valid, key,
 * value and status up to date. Callers read these members and need no call
 * for them. */
struct iter {
	const struct iter_ops *ops;
	bool valid;
	int status; /* 0 or the first error */
	struct slice key; /* internal key */
	struct slice value;
};

/* Move to the first entry at or after ikey. */
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
