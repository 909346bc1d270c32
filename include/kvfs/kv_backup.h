/* SPDX-License-Identifier: ISC */
/* Copying a store that is in use (kvfs/kv.h). */
#ifndef KVFS_KV_BACKUP_H
#define KVFS_KV_BACKUP_H

#include <errno.h>

#include "kvfs/kv_ops.h"

/*
 * A backup of all that is committed now, as the bytes of a tar archive, which
 * can be read at any offset, by several threads. It has the files of a store;
 * without the last one the others are no store. Commits go on meanwhile; the
 * files of the backup take space on the disk until the caller closes it.
 * -ENOTSUP: the store has no backups. Failures are logged.
 */
static inline int
kv_backup_open(struct kv *kv, struct kv_backup **backupp)
{
	*backupp = NULL;
	if (kv->ops->backup_open == NULL)
		return -ENOTSUP;
	return kv->ops->backup_open(kv, backupp);
}
/* Returns the bytes read; less than len only at the end of the archive. */
static inline ssize_t
kv_backup_read(struct kv_backup *b, void *buf, size_t len, uint64_t off)
{
	return b->ops->read(b, buf, len, off);
}
static inline void
kv_backup_close(struct kv_backup *b)
{
	if (b != NULL)
		b->ops->close(b);
}

#endif
