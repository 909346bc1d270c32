/* SPDX-License-Identifier: ISC */
/*
 * Write-ahead log, write side. Format: wal_format.h.
 * Threading: one caller at a time, except for wal_writer_sync().
 */
#ifndef KVFS_ENGINE_LOG_WAL_WRITER_H
#define KVFS_ENGINE_LOG_WAL_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/env/env.h"
#include "util/buf.h"

struct wal_writer;

/*
 * Begin a log in file, which has size bytes allocated (a new file, or a
 * recycled one: the salt makes its old frames invalid). Takes file, also on
 * failure. chain is the checksum of the last frame of the log before; next_seq
 * the next sequence number; durable_seq as in a frame. Up to buffer_bytes are
 * collected in memory before a write (0: none).
 */
int wal_writer_open(struct env_file *file, const char *path, uint64_t number,
    uint64_t size, uint32_t chain, uint64_t next_seq, uint64_t durable_seq,
    uint64_t buffer_bytes, struct wal_writer **writerp);
/* Does not sync. Accepts NULL. */
void wal_writer_close(struct wal_writer *w);

/* The part of a frame that is made before the commit lock is taken: the
 * payload, compressed if it pays, and its checksum. */
struct wal_body {
	struct buf stored;
	uint32_t raw_len;
	uint32_t sum;
	uint8_t codec;
};
void wal_body_init(struct wal_body *body);
void wal_body_fini(struct wal_body *body);
/* Compress payload if that pays, and compute its checksum. -E2BIG above
 * WAL_BODY_MAX. */
int wal_body_encode(struct wal_body *body, struct slice payload, bool compress);

/* Whether a frame with this body fits into the rest of the file. */
bool wal_writer_has_room(const struct wal_writer *w,
    const struct wal_body *body);
/* Size of the smallest log that has room for a body. */
uint64_t wal_size_for(const struct wal_body *body);

/*
 * Append a frame for the changes seq .. seq+count-1. count 0 with body NULL is
 * a durable mark: it only records durable_seq. On return the kernel has the
 * frame, or it is in the buffer. After a failure the writer takes no more
 * frames and returns the same error, except -EINVAL (no room for the body) and
 * -ENOSPC, which change nothing.
 */
int wal_writer_append(struct wal_writer *w, const struct wal_body *body,
    uint64_t seq, uint32_t count, uint64_t durable_seq);
/*
 * Append a durable mark to a log that takes no more frames: commits up to
 * durable_seq are durable, in later logs. So the loss of those logs will be
 * noticed. There is always room for it. Nobody syncs it: a power cut may remove
 * it.
 */
int wal_writer_append_mark(struct wal_writer *w, uint64_t durable_seq);
/* Write the buffer to the file. After -ENOSPC the frames stay in the buffer. */
int wal_writer_flush(struct wal_writer *w);
/* Remove the last frame, after a flush failed to write it for lack of space.
 * Returns -ENOSPC, or a failure after which the writer takes no more frames. */
int wal_writer_take_back(struct wal_writer *w);
/* How many bytes are in the buffer. */
uint64_t wal_writer_waiting(const struct wal_writer *w);
/* fdatasync() what the kernel has. May run beside append and flush; one sync at
 * a time. Do not retry after a failure. */
int wal_writer_sync(struct wal_writer *w);
uint32_t wal_writer_chain(const struct wal_writer *w);
uint64_t wal_writer_number(const struct wal_writer *w);
uint64_t wal_writer_size(const struct wal_writer *w);
uint64_t wal_writer_used(const struct wal_writer *w);

#endif
