/* SPDX-License-Identifier: ISC */
/*
 * What an open directory or control file keeps. The kernel gives handles
 * back one by one, but not those that were open when a mount ended: these
 * are closed at the end of the session, before the store.
 */
#ifndef KVFS_FUSE_REPLY_HANDLE_H
#define KVFS_FUSE_REPLY_HANDLE_H

#include <sys/queue.h>

struct session;

/* Embedded as the first member; added by its maker. */
struct handle {
	LIST_ENTRY(handle) link;
	void (*close)(struct session *s, struct handle *h);
};

LIST_HEAD(handle_list, handle);

void handle_add(struct session *s, struct handle *h);
/* Remove and close; NULL is accepted. */
void handle_end(struct session *s, struct handle *h);
/* No request is served any more. */
void handle_end_all(struct session *s);

#endif
