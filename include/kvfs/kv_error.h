/* SPDX-License-Identifier: ISC */
/*
 * What an error of the store means.
 *
 * 0 or more is success, else a negative errno. -ENOENT means that
 * the key is absent and nothing else; damage is -KVFS_ECORRUPT (impossible
 * contents) or -KVFS_ECHECKSUM (contents that do not match their checksum)
 * and never turns into -ENOENT. -EIO: the disk failed. -EROFS: read-only by
 * request. After a failed log write or sync the store is read-only and
 * every commit and sync returns -EIO until it is opened again; -ENOSPC
 * passes by itself once there is room.
 */
#ifndef KVFS_KV_ERROR_H
#define KVFS_KV_ERROR_H

#include <errno.h>

#define KVFS_ECORRUPT EUCLEAN
#define KVFS_ECHECKSUM EBADMSG

#endif
