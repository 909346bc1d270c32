/* SPDX-License-Identifier: ISC */
/*
 * Protocol features that libfuse 3.14 does not offer, added where raw
 * messages are read and written: flags in the answer to INIT, the flag by
 * which the kernel asks to drop set-id bits, and two requests that are
 * turned into similar older ones. The messages are those of <linux/fuse.h>.
 * With a libfuse that knows all this, nothing changes.
 *
 * PARALLEL_DIROPS: the kernel sends lookups in one directory at the same
 * time; libfuse before 3.17 accepts the flag and does not send it.
 * HANDLE_KILLPRIV_V2: without it the kernel asks for the attribute
 * security.capability before every write(2).
 * SETXATTR_EXT: tells whether a new ACL must clear the set-gid bit.
 * TMPFILE (O_TMPFILE) is turned into CREATE, STATX (time of birth) into
 * GETATTR; protocol_is_tmpfile() and protocol_is_statx() tell them apart.
 *
 * Threads: what is known of the current request belongs to the thread that
 * passed it to protocol_peek().
 */
#ifndef KVFS_FUSE_SERVE_PROTOCOL_H
#define KVFS_FUSE_SERVE_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuse/serve/opcode.h"

struct fuse_req;
struct fuse_session;
struct stat;
struct timespec;

/* Read and write the messages of se here. Call it after
 * fuse_session_mount(), before the first request. A negative errno. */
int protocol_install(struct fuse_session *se);

/* Look at a request of len bytes before libfuse gets it; some are changed in
 * place. Returns how long it is likely to take. */
enum request_kind protocol_peek(void *request, size_t len);

/* The number of the thread that waits for the answer; 0 if none does, or if
 * it is in another PID namespace. */
uint32_t protocol_caller(const void *request, size_t len);

/* The minor version of the protocol that the kernel speaks; 0 before INIT. */
uint32_t protocol_kernel_minor(void);

/* Must the current request of this thread drop set-id bits? */
bool protocol_kill_suid(void);
/* Is the current CREATE of this thread without a name (O_TMPFILE)? */
bool protocol_is_tmpfile(void);
/* Is the current GETATTR of this thread to be answered with
 * protocol_reply_statx()? */
bool protocol_is_statx(void);

/* Answer statx(2) with st and the time of birth. timeout: how many seconds
 * the kernel may keep it. */
void protocol_reply_statx(struct fuse_req *req, const struct stat *st,
    const struct timespec *btime, double timeout);

#endif
