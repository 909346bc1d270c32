/* SPDX-License-Identifier: ISC */
/*
 * Write-ahead log, append side. One caller at a time, but for sync.
 * Format: wal_format.h.
 */
#ifndef KVFS_ENGINE_LOG_WAL_WRITER_H
#define KVFS_ENGINE_LOG_WAL_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/env/env.h"
#include "util/buf.h"

struct wal_writer;

/*
 * Start a log in file, which has been allocated to size bytes (a new file,
 * or a recycled one whose old frames the salt makes invisible). Takes file,
 * also on failure. chain: sum of the frame before this log's first;
 * next_seq: the first sequence number to come; durable_seq as in a frame.
 * buffer_bytes: gather so much in memory before writing (0: nothing).
 */
int wal_writer_open(struct env_file *file, const char *path, uint64_t number,
    uint64_t size, uint32_t chain, uint64_t next_seq, uint64_t durable_seq,
    uint64_t buffer_bytes, struct wal_writer **writerp);
/* Does not sync. NULL is accepted. */
void wal_writer_close(struct wal_writer *w);

/* The part of a frame that can be made before the commit lock: compresses
 * payload where it pays and sums it. out is cleared. */
struct wal_body {
	struct buf stored;
	uint32_t raw_len;
	uint32_t sum;
	uint8_t codec;
};
void wal_body_init(struct wal_body *body);
void wal_body_fini(struct wal_body *body);
/* -E2BIG beyond WAL_BODY_MAX. */
int wal_body_encode(struct wal_body *body, struct slice payload, bool compress);

/* Whether a body fits in what is left of the file. */
bool wal_writer_has_room(const struct wal_writer *w,
    const struct wal_body *body);
/* Smallest file that takes a body. */
uint64_t wal_size_for(const struct wal_body *body);

/*
 * Append a frame for seq .. seq+count-1; count 0 with body NULL is a mark,
 * which only records durable_seq. The frame has reached the kernel on
 * return, or with buffer_bytes waits in memory. After any failure the
 * writer takes no more: later calls return the same error; but -EINVAL, for
 * a body without room, and -ENOSPC, for a disk without, change nothing.
 */
int wal_writer_append(struct wal_writer *w, const struct wal_body *body,
    uint64_t seq, uint32_t count, uint64_t durable_seq);
/*
 * In a log that takes no more: say that commits up to durable_seq, which are
 * in later logs, are durable, so that the loss of those logs is seen. Room
 * for it is kept. It is synced by nobody: a power cut may take it.
 */
int wal_writer_promise(struct wal_writer *w, uint64_t durable_seq);
/* Hand what waits in memory to the kernel. After -ENOSPC it still waits. */
int wal_writer_flush(struct wal_writer *w);
/* Take back the last frame, which the flush that found no room did not hand
 * over. Returns -ENOSPC, or what makes the writer take no more. */
int wal_writer_take_back(struct wal_writer *w);
/* Bytes that wait so. */
uint64_t wal_writer_waiting(const struct wal_writer *w);
/* fdatasync what has reached the kernel. May run beside append and flush;
 * one sync at a time. Never retry after a failure. */
int wal_writer_sync(struct wal_writer *w);
uint32_t wal_writer_chain(const struct wal_writer *w);
uint64_t wal_writer_number(const struct wal_writer *w);
uint64_t wal_writer_size(const struct wal_writer *w);
uint64_t wal_writer_used(const struct wal_writer *w);

#endif
