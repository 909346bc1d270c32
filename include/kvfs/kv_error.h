/* SPDX-License-Identifier: ISC */
/*
 * The meaning of the store's errors.
 *
 * 0 or more is success, a negative number is -errno. -ENOENT means only that
 * the key is absent. Damage is -KVFS_ECORRUPT (contents that are not valid) or
 * -KVFS_ECHECKSUM (contents that do not match their checksum), and is never
 * returned as -ENOENT. -EIO: the disk failed. -EROFS: the store was opened
 * read-only. After a failed log write or sync the store is read-only, and every
 * commit and sync returns -EIO until it is opened again. After -ENOSPC commits
 * work again once there is room.
 */
#ifndef KVFS_KV_ERROR_H
#define KVFS_KV_ERROR_H

#include <errno.h>

#define KVFS_ECORRUPT EUCLEAN
#define KVFS_ECHECKSUM EBADMSG

#endif
