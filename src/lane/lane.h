/* SPDX-License-Identifier: ISC */
/*
 * The fast lane: bulk work on a file system by a stream of messages, past the
 * kernel's FUSE. lane_serve.h has the side of the file system, which the daemon
 * offers by a socket, and kvfsctl to itself for a store that is not mounted;
 * kvfsctl is the other side. Both are of one version, or the session ends:
 * doc/lane.md describes the messages.
 *
 * A message is its length without this head, its type, both of 32 bits,
 * little-endian, and that many bytes, at most LANE_MESSAGE_MAX. Bytes from the
 * other side are not trusted.
 */
#ifndef KVFS_LANE_LANE_H
#define KVFS_LANE_LANE_H

#include <stdint.h>

#include "fs/fs.h"
#include "util/buf.h"

#define LANE_VERSION 1u
#define LANE_HEAD 8u
#define LANE_MESSAGE_MAX (1u << 20)
/* Contents in one message at most. */
#define LANE_DATA_MAX (128u << 10)
#define LANE_PATH_MAX 32768u
#define LANE_XATTRS_MAX 256u

enum lane_type {
	/* From kvfsctl, first. */
	LANE_HELLO = 1,
	/* Both ways: a file, its contents, its end. */
	LANE_ENTRY,
	LANE_DATA,
	LANE_END_FILE,
	/* From kvfsctl. */
	LANE_LINK,
	LANE_REMOVE,
	LANE_GET,
	LANE_COMMIT, /* answered by LANE_DONE */
	/* To kvfsctl. */
	LANE_WELCOME,
	LANE_RANGES, /* where contents are, before them: a file with holes */
	LANE_FAILED, /* of one entry */
	LANE_DONE,
};

enum lane_work { LANE_LOAD = 1, LANE_DUMP, LANE_READ };

struct lane_hello {
	uint32_t work; /* enum lane_work */
	uint32_t flags; /* FS_BULK_* */
	uint32_t umask;
	struct slice base; /* the directory to work in; empty: the root */
};

/* A file; what it takes to describe one, either way. */
struct lane_entry {
	struct fs_bulk_entry e;
	uint64_t ino, size, blocks;
	uint32_t nlink;
	struct fs_bulk_xattr xattrs[LANE_XATTRS_MAX];
};

/* LANE_DONE, and LANE_FAILED with a path. */
struct lane_result {
	int32_t rc;
	uint64_t tag, stored, failures;
	struct slice path;
};

/* Begin a message, append to *m, and end it: a message that is too long is
 * -E2BIG, and none. Returns where it begins. */
size_t lane_begin(struct buf *m, enum lane_type type);
int lane_end(struct buf *m, size_t begin);

/* Append a whole message. 0, -E2BIG, or -ENOMEM. */
int lane_put_hello(struct buf *m, const struct lane_hello *h);
int lane_put_entry(struct buf *m, const struct lane_entry *le);
int lane_put_data(struct buf *m, uint64_t off, struct slice data);
int lane_put_end_file(struct buf *m, uint64_t size, bool is_whole);
int lane_put_link(struct buf *m, struct slice path, struct slice target,
    uint64_t tag);
/* LANE_REMOVE, LANE_GET. */
int lane_put_path(struct buf *m, enum lane_type type, struct slice path,
    uint64_t tag);
int lane_put_result(struct buf *m, enum lane_type type,
    const struct lane_result *r);

/* Decode the bytes of a message, which are borrowed. 0 or -EPROTO. */
int lane_get_hello(struct slice m, struct lane_hello *h);
int lane_get_entry(struct slice m, struct lane_entry *le);
int lane_get_data(struct slice m, uint64_t *offp, struct slice *datap);
int lane_get_end_file(struct slice m, uint64_t *sizep, bool *is_wholep);
int lane_get_link(struct slice m, struct slice *pathp, struct slice *targetp,
    uint64_t *tagp);
int lane_get_path(struct slice m, struct slice *pathp, uint64_t *tagp);
int lane_get_result(struct slice m, struct lane_result *r);

#endif
