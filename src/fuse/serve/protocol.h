/* SPDX-License-Identifier: ISC */
/*
 * What libfuse 3.14 keeps to itself, added at the edge where raw messages
 * pass: capabilities in the answer to INIT, the flag by which the kernel
 * asks that set-id bits be dropped, and two requests that are turned into
 * their next of kin and a mark. The messages are those of <linux/fuse.h>;
 * with a libfuse that knows all this, nothing changes.
 *
 * PARALLEL_DIROPS: lookups in one directory run side by side; libfuse
 * before 3.17 accepts the wish and never sends it.
 * HANDLE_KILLPRIV_V2: without it the kernel asks for the attribute
 * security.capability before every single write(2).
 * SETXATTR_EXT: with ACLs, tells when a new one must cost the set-gid bit.
 * TMPFILE (O_TMPFILE) becomes CREATE, STATX (the time of birth) GETATTR.
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

/* Call after fuse_session_mount(), before the first request. */
int protocol_install(struct fuse_session *se);

/* A worker shows each request before libfuse sees it; some are changed. */
enum request_kind protocol_peek(void *request, size_t len);

/* The thread that waits for the answer, 0 if none does. */
uint32_t protocol_caller(const void *request, size_t len);

/* The minor version of the protocol that the kernel speaks; 0 before INIT. */
uint32_t protocol_kernel_minor(void);

/* Must the request that this thread works on drop set-id bits? */
bool protocol_kill_suid(void);
/* Is the CREATE that this thread works on to leave out the name? */
bool protocol_is_tmpfile(void);
/* Does the GETATTR that this thread works on want protocol_reply_statx()? */
bool protocol_is_statx(void);

/* Seconds that the kernel may keep it: timeout. */
void protocol_reply_statx(struct fuse_req *req, const struct stat *st,
    const struct timespec *btime, double timeout);

#endif
