/* SPDX-License-Identifier: ISC */
/*
 * The state of an open directory, listed so that it can be closed. The kernel releases handles one by one, but not those that are
 * open when the mount ends: handle_end_all() closes these, before the store
 * is closed.
 */
#ifndef KVFS_FUSE_REPLY_HANDLE_H
#define KVFS_FUSE_REPLY_HANDLE_H

#include <sys/queue.h>

#include "util/mutex.h"

/* Embedded as the first member of what its maker allocates; close() frees
 * that. */
struct handle {
	LIST_ENTRY(handle) link;
	void (*close)(struct handle *h);
};

/* The open handles. Any thread. */
struct handle_list {
	struct mutex mu;
	LIST_HEAD(, handle) open GUARDED_BY(mu);
};

void handle_list_init(struct handle_list *l);
void handle_list_fini(struct handle_list *l);
void handle_add(struct handle_list *l, struct handle *h);
/* Remove h and close it; NULL is accepted. */
void handle_end(struct handle_list *l, struct handle *h);
/* Close all. No request is served any more. */
void handle_end_all(struct handle_list *l);

#endif
