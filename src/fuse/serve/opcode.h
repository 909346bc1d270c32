/* SPDX-License-Identifier: ISC */
/*
 * The kinds of requests, by FUSE's number for them (opcode in
 * <linux/fuse.h>): one table row each tells how long it is likely to take,
 * and under which operation it is counted.
 */
#ifndef KVFS_FUSE_SERVE_OPCODE_H
#define KVFS_FUSE_SERVE_OPCODE_H

#include <stdbool.h>
#include <stdint.h>

/* In <linux/fuse.h> since Linux 6.6, and since 6.1. */
#define OPCODE_STATX 52u
#define OPCODE_TMPFILE 51u

/* How long a request is likely to take. */
enum request_kind {
	REQUEST_USUAL,
	REQUEST_BRIEF, /* answered from memory, nearly always */
	REQUEST_COMMIT, /* changes the store: waits for the disk if every
	                   commit does */
	REQUEST_SYNC, /* waits for the disk */
	REQUEST_SLOW, /* its time grows with its size */
};

/* Latencies are counted for each of these (request_stats.h). */
enum request_op {
	OP_OTHER,
	OP_LOOKUP,
	OP_GETATTR,
	OP_SETATTR,
	OP_CREATE,
	OP_OPEN,
	OP_READ,
	OP_WRITE,
	OP_FLUSH,
	OP_FSYNC,
	OP_RELEASE,
	OP_READDIR,
	OP_REMOVE,
	OP_RENAME,
	OP_XATTR,
	REQUEST_OPS,
};

struct opcode {
	enum request_kind kind;
	enum request_op op;
	bool is_unanswered; /* no caller waits for an answer */
};

/* The row of any number; what is not in the table is REQUEST_USUAL. */
const struct opcode *opcode_get(uint32_t number);

/* "lookup", "other" ... */
const char *request_op_name(enum request_op op);

#endif
