/* SPDX-License-Identifier: ISC */
/*
 * What an open directory or control file keeps. The kernel gives handles
 * back one by one, but not those that were open when a mount ended: these
 * are closed at its end, before the store.
 */
#ifndef KVFS_FUSE_REPLY_HANDLE_H
#define KVFS_FUSE_REPLY_HANDLE_H

#include <sys/queue.h>

#include "util/mutex.h"

/* Embedded as the first member; added by its maker. */
struct handle {
	LIST_ENTRY(handle) link;
	void (*close)(struct handle *h);
};

/* Those that are open. Any thread. */
struct handle_list {
	struct mutex mu;
	LIST_HEAD(, handle) open GUARDED_BY(mu);
};

void handle_list_init(struct handle_list *l);
void handle_list_fini(struct handle_list *l);
void handle_add(struct handle_list *l, struct handle *h);
/* Remove and close; NULL is accepted. */
void handle_end(struct handle_list *l, struct handle *h);
/* No request is served any more. */
void handle_end_all(struct handle_list *l);

#endif
