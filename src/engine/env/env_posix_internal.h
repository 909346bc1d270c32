/* SPDX-License-Identifier: ISC */
/* What the env_posix*.c sources share. */
#ifndef KVFS_ENGINE_ENV_ENV_POSIX_INTERNAL_H
#define KVFS_ENGINE_ENV_ENV_POSIX_INTERNAL_H

#include "engine/env/env.h"

/* ---- Open files (env_posix_file.c) ---- */

/* Takes fd, also on failure. */
int posix_file_create(int fd, bool is_writable, struct env_file **filep);
int posix_file_fd(const struct env_file *file);

/*
 * Whether writing to blocks that fallocate(2) or a write has given to a file
 * cannot find the disk full. Where blocks are never overwritten in place (btrfs,
 * bcachefs, ZFS, F2FS, or whatever lies behind FUSE, NFS and overlayfs), a
 * store to a map then ends in SIGBUS, or in the loss of the page when it is
 * written back; write(2) says -ENOSPC.
 */
bool posix_keeps_blocks(int fd);

/* ---- Writing and growing (env_posix_write.c) ---- */

/*
 * The error of a file that could not grow, made of errno, for those who make room or wait for it: the limit
 * of this process (ulimit -f) and a quota are no different from a full disk.
 */
int posix_growth_error(int err);
/* Write vectors whose length is known not to wrap around: all, or fail. */
int posix_write_vectors(int fd, const struct iovec *iov, int iovcnt,
    uint64_t off);
/* Have blocks behind the first size bytes; the file gets as long. */
int posix_reserve_blocks(int fd, uint64_t size);
/* Write zeros in pieces, each on its way to the disk before the next. */
int posix_write_zeros(int fd, uint64_t from, uint64_t to);

/* ---- Who has a lock (env_posix_lockers.c) ---- */

/* As env_dir_lockers(), of the directory fd. */
void posix_name_lockers(int fd, char *text, size_t len);

/*
 * ---- Mappings (env_posix_map.c) ----
 *
 * A store to a mapped page that cannot be had (I/O error, the file was cut
 * off, no room, the file system was shut down) raises SIGBUS, which kills.
 * One handler for the whole process turns it into -EIO while a copy of ours
 * is under way in that thread; every other SIGBUS goes to whoever was there
 * before.
 */

/* Map the first size bytes of fd for writing; installs the handler. */
int posix_map_open(int fd, uint64_t size, uint8_t **mapp);
void posix_map_close(uint8_t *map, uint64_t size);
/* The pages in [off, end) are not stored to any more: the page cache keeps
 * what they hold, and they leave the memory that counts as ours. */
void posix_map_leave(uint8_t *map, uint64_t off, uint64_t end);
/* Copy the vectors one after another to dst, which lies in a mapping and
 * has room for the len bytes that they hold. -EIO after a SIGBUS: any part
 * may be written. */
int posix_map_copy(uint8_t *dst, const struct iovec *iov, int iovcnt,
    uint64_t len);

#endif
