/* SPDX-License-Identifier: ISC */
/* Shared by the env_posix*.c sources. */
#ifndef KVFS_ENGINE_ENV_ENV_POSIX_INTERNAL_H
#define KVFS_ENGINE_ENV_ENV_POSIX_INTERNAL_H

#include "engine/env/env.h"

/* ---- Open files (env_posix_file.c) ---- */

/* Takes fd, also on failure. */
int posix_file_create(int fd, bool is_writable, struct env_file **filep);
int posix_file_fd(const struct env_file *file);

/*
 * Whether writing to blocks that a file already has cannot fail for lack of
 * space. Not so on file systems that do not overwrite in place (btrfs,
 * bcachefs, ZFS, F2FS, and whatever is behind FUSE, NFS and overlayfs): there a
 * store to a mapping may end in SIGBUS, or the page is lost when it is written
 * back, while write(2) returns -ENOSPC.
 */
bool posix_keeps_blocks(int fd);

/* ---- Writing and growing (env_posix_write.c) ---- */

/*
 * Turn errno of a file that could not grow into an error. The process's limit
 * (ulimit -f) and a quota are reported as a full disk, since callers handle
 * them in the same way.
 */
int posix_growth_error(int err);
/* Write all vectors, or fail. Their total length has to fit. */
int posix_write_vectors(int fd, const struct iovec *iov, int iovcnt,
    uint64_t off);
/* Allocate blocks for the first size bytes; the file becomes as long. */
int posix_reserve_blocks(int fd, uint64_t size);
/* Write zeros in pieces; each one is on its way to the disk before the next. */
int posix_write_zeros(int fd, uint64_t from, uint64_t to);

/* ---- Who has a lock (env_posix_lockers.c) ---- */

/* As env_dir_lockers(), for the directory fd. */
void posix_name_lockers(int fd, char *text, size_t len);

/*
 * ---- Mappings (env_posix_map.c) ----
 *
 * If a mapped page cannot be provided for a store (I/O error, truncated file,
 * full disk, file system shut down), the kernel raises SIGBUS, which ends the
 * process. One handler for the process turns it into -EIO while the thread runs
 * a copy of this module. Any other SIGBUS is passed to the previous handler.
 */

/* Map the first size bytes of fd for writing. Installs the handler. */
int posix_map_open(int fd, uint64_t size, uint8_t **mapp);
void posix_map_close(uint8_t *map, uint64_t size);
/* The pages in [off, end) are not stored to any more. Remove them from the
 * process's memory; their contents stay in the page cache. */
void posix_map_leave(uint8_t *map, uint64_t off, uint64_t end);
/* Copy the vectors one after another to dst, which is in a mapping and has room
 * for all of them (len bytes). -EIO after a SIGBUS; then any part may be
 * written. */
int posix_map_copy(uint8_t *dst, const struct iovec *iov, int iovcnt,
    uint64_t len);

#endif
