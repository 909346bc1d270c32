/* SPDX-License-Identifier: ISC */
/*
 * The nodes of control files, as the kernel knows them by number.
 *
 * Problem: each open of such a file has a text of its own, but the kernel need
 * not tell of an open or a close (adapt_io.c). What it always tells is that it
 * looks a name up (LOOKUP), and that it has dropped an inode (FORGET).
 *
 * Method: each LOOKUP of a control file gives a new node, with a number that
 * is not used again, and the kernel may not keep the name. So each open by
 * path has an inode, and cached pages, of its own.
 *
 * A text that is quickly made is made at the LOOKUP, one that takes long when
 * it is first used. Requests that need it meanwhile wait in the node.
 */
#ifndef KVFS_FUSE_CONTROL_CONTROL_NODE_H
#define KVFS_FUSE_CONTROL_CONTROL_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "fuse/control/control_text.h"
#include "fuse/fuse_api.h"
#include "util/mutex.h"

struct control;

/* The numbers of nodes. The file system gives none of these to a file: it
 * counts from 1. There are enough for 90 years at 100,000 lookups a second. */
#define CONTROL_INO_MIN (UINT64_MAX - (1ull << 48) + 1)
#define CONTROL_DIR_INO UINT64_MAX

/* A request that needs attributes or contents of a node. */
struct control_ask {
	STAILQ_ENTRY(control_ask) link;
	fuse_req_t req;
	enum { ASK_ATTR, ASK_STATX, ASK_READ } what;
	bool is_use; /* it needs the text, or its size */
	size_t size; /* of a read, as off */
	uint64_t off;
};
STAILQ_HEAD(control_asks, control_ask);

/* What is not constant is protected by control_nodes.mu, except the text:
 * that belongs to the one that makes it, and is constant from then on. */
struct control_node {
	LIST_ENTRY(control_node) link;
	uint64_t number; /* constant */
	uint64_t st_ino; /* constant; the same for all nodes of a file */
	const struct control_spec *spec; /* constant */
	uint64_t lookups; /* that the kernel has not forgotten */
	unsigned users; /* requests and jobs */
	enum { NODE_BLANK, NODE_MAKING, NODE_MADE } state;
	struct control_asks waiting; /* while it is NODE_MAKING */
	struct control_text text;
};

#define CONTROL_BUCKETS 64

struct control_nodes {
	struct mutex mu;
	uint64_t next GUARDED_BY(mu); /* number */
	LIST_HEAD(, control_node) buckets[CONTROL_BUCKETS] GUARDED_BY(mu);
};

void control_nodes_init(struct control_nodes *nodes);
/* Free all nodes. No request is served, and no job runs. */
void control_nodes_end(struct control *c);
void control_nodes_fini(struct control_nodes *nodes);

/* A new node, with one lookup and one user, the caller. Takes *text if that
 * is not NULL. NULL: no memory. */
struct control_node *control_node_add(struct control *c,
    const struct control_spec *spec, uint64_t st_ino,
    const struct control_text *text);
/* The node becomes the caller's to use until control_node_put(). NULL: there
 * is no such node. */
struct control_node *control_node_get(struct control *c, uint64_t number);
void control_node_hold(struct control *c, struct control_node *node);
void control_node_put(struct control *c, struct control_node *node);
/* Take n lookups back. With the last one the node goes, when nobody uses it.
 * A number that is not there is ignored. */
void control_node_forget(struct control *c, uint64_t number, uint64_t n);

enum control_turn {
	TURN_ANSWER, /* answer it now */
	TURN_WAIT, /* it waits for the text, which is being made */
	TURN_MAKE, /* it waits, and the caller has the text made */
};
/* Whose turn is it? If ask is to wait, a copy is kept. -ENOMEM: it cannot. */
int control_node_turn(struct control *c, struct control_node *node,
    const struct control_ask *ask);
/* The text was made, or could not be (rc); *asks: those that waited, owned. */
void control_node_made(struct control *c, struct control_node *node, int rc,
    struct control_asks *asks);
bool control_node_is_made(struct control *c, const struct control_node *node);

#endif
