/* SPDX-License-Identifier: ISC */
/*
 * A stateless mount: the kernel is told that it need not send OPEN, RELEASE
 * and FLUSH (they are answered with ENOSYS once), so opening, reading and
 * closing a file whose pages it holds sends no request at all. What follows:
 *
 * - reads of cached pages are not seen, so it needs noatime;
 * - close(2) does nothing, so contents are committed with each write(2), and
 *   a mount with sync=full, where close waits for the disk, keeps FLUSH;
 * - O_TRUNC comes as SETATTR;
 * - nobody knows whether a file is open: it lives until FORGET, and may be
 *   mapped for writing as long as the kernel knows it;
 * - kernel_writeback needs to know who writes, to collect dirty pages.
 *
 * Where it is not possible the mount works with OPEN, as slowly as before.
 */
#ifndef KVFS_FUSE_MOUNT_STATELESS_H
#define KVFS_FUSE_MOUNT_STATELESS_H

#include <stdbool.h>

struct options;

/* Can the mount be stateless, with these options and on this kernel? */
bool stateless_is_possible(const struct options *opts);

/*
 * Is a kernel of this release (uname -r) free of a deadlock between its
 * readahead and its memory reclaim, which a mount without OPEN meets? It came
 * with Linux 6.9 (e26ee4efbc79, taken to 6.6) and was fixed at the end of 2025
 * (bd5603eaae0a) in what became 6.19, and in 6.6, 6.12 and 6.18.
 */
bool stateless_kernel_is_able(const char *release);

#endif
