/* SPDX-License-Identifier: ISC */
/*
 * Files and directories of env_mem: their present and their durable (sure)
 * state, the changes between them, and the state after a crash. env_mem.c locks.
 * Without memory they abort.
 */
#ifndef KVFS_SUPPORT_ENV_MEM_NODE_H
#define KVFS_SUPPORT_ENV_MEM_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "support/env_mem.h"

/* Sparse bytes; those that were never written are zero. */
struct mem_bytes {
	uint8_t **chunks;
	size_t chunk_count;
	uint64_t size;
};

struct mem_change {
	STAILQ_ENTRY(mem_change) link;
	bool is_resize;
	uint64_t off; /* of a write, or the new size */
	size_t len;
	uint8_t data[];
};

struct mem_node;

struct mem_entry {
	TAILQ_ENTRY(mem_entry) link;
	struct mem_node *node;
	char name[];
};
TAILQ_HEAD(mem_entries, mem_entry);

/* One change of a directory: name from is removed, name to refers to node;
 * either may be NULL. */
struct mem_dir_change {
	STAILQ_ENTRY(mem_dir_change) link;
	char *from, *to;
	struct mem_node *node;
};

struct mem_node {
	unsigned refs;
	bool is_dir;
	unsigned links; /* present names */
	unsigned handles;
	const void *lock_holder; /* of an exclusive lock */
	unsigned lock_shared; /* holders of a shared one */
	uint64_t charged; /* bytes of the disk that it takes */

	struct mem_bytes now, sure;
	STAILQ_HEAD(, mem_change) changes;
	struct mem_entries entries_now, entries_sure;
	STAILQ_HEAD(, mem_dir_change) dir_changes;

	/* Its counterpart in the copy that is being made. */
	uint64_t copy_id;
	struct mem_node *copy;
};

struct mem_random {
	uint64_t state;
};
uint64_t mem_random_next(struct mem_random *r);

struct mem_node *mem_node_create(bool is_dir);
void mem_node_unref(struct mem_node *node);

void mem_file_read(const struct mem_node *node, void *buf, size_t len,
    uint64_t off);
void mem_file_write(struct mem_node *node, const void *data, size_t len,
    uint64_t off);
void mem_file_resize(struct mem_node *node, uint64_t size);
void mem_file_sync(struct mem_node *node);

struct mem_node *mem_dir_find(const struct mem_node *dir, const char *name);
void mem_dir_change(struct mem_node *dir, const char *from, const char *to,
    struct mem_node *node);
void mem_dir_sync(struct mem_node *dir);

/* A copy of the tree below root: unchanged for ENV_MEM_KILL, else as after a
 * power cut. Returns owned. */
struct mem_node *mem_tree_copy(struct mem_node *root,
    enum env_mem_crash_mode mode, struct mem_random *rnd);

/* ---- Shared by the two sources ---- */

void *mem_alloc(size_t n);
void mem_bytes_write(struct mem_bytes *b, const void *data, size_t len,
    uint64_t off);
void mem_bytes_resize(struct mem_bytes *b, uint64_t size);
void mem_bytes_copy(struct mem_bytes *dst, const struct mem_bytes *src);
void mem_entries_apply(struct mem_entries *entries,
    const struct mem_dir_change *c);
void mem_entries_set(struct mem_entries *entries, const char *name,
    struct mem_node *node);
void mem_node_append_change(struct mem_node *node,
    const struct mem_change *change);

#endif
