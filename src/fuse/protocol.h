/* SPDX-License-Identifier: ISC */
/*
 * What libfuse 3.14 keeps to itself, added at the edge where raw messages
 * pass: two capabilities in the answer to INIT, and the flag by which the
 * kernel asks that set-id bits be dropped. The messages are those of
 * <linux/fuse.h>; with a libfuse that knows all this, nothing changes.
 *
 * PARALLEL_DIROPS: lookups in one directory run side by side; libfuse
 * before 3.17 accepts the wish and never sends it.
 * HANDLE_KILLPRIV_V2: without it the kernel asks for the attribute
 * security.capability before every single write(2).
 */
#ifndef KVFS_FUSE_PROTOCOL_H
#define KVFS_FUSE_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

struct fuse_session;

/* Call after fuse_session_mount(), before the first request. */
int protocol_install(struct fuse_session *se);

/* How long a request is likely to take. */
enum request_kind {
	REQUEST_BRIEF, /* from memory, nearly always */
	REQUEST_USUAL,
	REQUEST_COMMIT, /* changes the store: waits for the disk if every
	                   commit does */
	REQUEST_SLOW, /* waits for the disk */
};

/* A worker shows each request before libfuse sees it. */
enum request_kind protocol_peek(const void *request, size_t len);

/* Must the request that this thread works on drop set-id bits? */
bool protocol_kill_suid(void);

#endif
