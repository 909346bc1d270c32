/* SPDX-License-Identifier: ISC */
/* Ordered scans of a store (kvfs/kv.h). One thread at a time uses an
 * iterator. */
#ifndef KVFS_KV_ITER_H
#define KVFS_KV_ITER_H

#include "kvfs/kv_ops.h"

/*
 * Open an iterator over keys >= from, within scope. It sees a consistent view
 * as of now, or that of snap, while writes go on. It begins before its first
 * entry: call kv_iter_next() first, which returns 1 on an entry, 0 at the end,
 * or an error. Key and value are valid until the next call on the iterator. The
 * caller closes it.
 */
static inline int
kv_iter_open(struct kv *kv, const struct kv_key *from, enum kv_scope scope,
    struct kv_snapshot *snap, struct kv_iter **iterp)
{
	*iterp = NULL;
	return kv->ops->iter_open(kv, from, scope, snap, iterp);
}
static inline int
kv_iter_next(struct kv_iter *it)
{
	return it->ops->next(it);
}
static inline struct kv_key
kv_iter_key(const struct kv_iter *it)
{
	return it->ops->key(it);
}
static inline int
kv_iter_value(struct kv_iter *it, struct slice *valuep)
{
	*valuep = (struct slice){ 0 };
	return it->ops->value(it, valuep);
}
static inline void
kv_iter_close(struct kv_iter *it)
{
	if (it != NULL)
		it->ops->close(it);
}

#endif
