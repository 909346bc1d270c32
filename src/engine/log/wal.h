/* SPDX-License-Identifier: ISC */
/*
 * Write-ahead log: one file of fixed size, a header and then frames.
 * Format: kvfs-format(5), "Log". Shared by wal_writer.c and wal_reader.c.
 *
 * A frame carries one commit. Each holds the sum of the frame before it
 * (the chain goes on across files) and the last sequence number known to be
 * durable when it was written. A chain that breaks below a number which a
 * later frame, of this or a later log, calls durable is damage; a break
 * above all of them is the torn tail of a crash (Sombra's chained frames,
 * Pebble's WAL-sync chunks). The file's size stands in its header: a
 * shorter file is damage.
 *
 * All integers are little-endian; sums are CRC-32C.
 *
 *   header: offset size
 *      0  8  magic "kvfswal" 0a
 *      8  4  version; magic, version and sum keep their place for good
 *     12  4  start chain: sum of the frame before this log's first
 *     16  8  log number
 *     24  8  file size in bytes
 *     32  8  next sequence number
 *     40  8  durable sequence number
 *     48 12  zero
 *     60  4  sum of bytes 0..59; the salt of this log's frames
 *
 *   frame, at a multiple of 8, the first at 64: offset size
 *      0  4  magic f7 6b 76 46
 *      4  4  sum of bytes 8..47, begun with the salt; the chain's value
 *      8  4  sum of the frame before
 *     12  4  log number, low half
 *     16  1  codec (util/compress.h)
 *     17  7  first sequence number
 *     24  1  zero
 *     25  7  durable sequence number
 *     32  4  number of changes; 0 in a mark
 *     36  4  stored length of the body
 *     40  4  raw length of the body
 *     44  4  sum of the body as stored
 *     48  .  body, then zeros up to a multiple of 8
 *
 * The salt hides the frames that a recycled file still holds, and keeps
 * contents that imitate a frame from ever being taken for one. A header of
 * zeros, in a first sector (512 bytes) of zeros, is a file that never became
 * a log: header and first frame share that sector, so no crash leaves the
 * one without the other.
 */
#ifndef KVFS_ENGINE_LOG_WAL_H
#define KVFS_ENGINE_LOG_WAL_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/env/env.h"
#include "kvfs/kv.h"
#include "util/buf.h"

#define WAL_VERSION 1
#define WAL_HEADER_LEN 64
#define WAL_FRAME_HEADER_LEN 48
/* Largest body, raw or stored: a batch and what its encoding adds. */
#define WAL_BODY_MAX (KV_BATCH_MAX + (1u << 20))

/* ---- Writing (wal_writer.c). One caller at a time, but for sync. ---- */

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

/* ---- Reading (wal_reader.c). One thread. ---- */

struct wal_reader;

struct wal_frame {
	uint64_t seq; /* of the first change */
	uint32_t count; /* of changes; 0 in a mark */
	uint64_t durable_seq;
	struct slice payload; /* raw; valid until the next read */
	uint64_t off; /* of the frame in the file, for messages */
};

/*
 * Takes file, also on failure. Verifies the header: 1 on success, 0 when
 * the file never became a log (all zeros, or the whole header of another
 * number, i.e. a recycled file), -EPROTO for a newer version,
 * -KVFS_ECORRUPT for a file shorter than its header says, -KVFS_ECHECKSUM
 * for a damaged header.
 */
int wal_reader_open(struct env_file *file, const char *path, uint64_t number,
    struct wal_reader **readerp);
void wal_reader_close(struct wal_reader *r);
/* From the header. */
uint32_t wal_reader_start_chain(const struct wal_reader *r);
uint64_t wal_reader_start_seq(const struct wal_reader *r);
uint64_t wal_reader_size(const struct wal_reader *r);
/* Largest durable_seq in the header and the frames read so far. */
uint64_t wal_reader_durable_seq(const struct wal_reader *r);
/* Sum of the last frame that was read, where the chain goes on. */
uint32_t wal_reader_chain(const struct wal_reader *r);

/* The next frame of the chain: 1, or 0 where the chain ends (a torn tail,
 * zeros, the end of the file), or a read error, or -KVFS_ECORRUPT for
 * impossible contents under a right sum. */
int wal_reader_next(struct wal_reader *r, struct wal_frame *framep);
/* Where the next frame would be, for messages. */
uint64_t wal_reader_off(const struct wal_reader *r);
/*
 * After wal_reader_next() returned 0: look through the rest of the file for
 * frames of this log that are whole but not reachable by the chain, and
 * return the largest durable_seq that they hold (0: none). Recovery compares
 * it with the last sequence number that it reached.
 */
int wal_reader_scan_rest(struct wal_reader *r, uint64_t *durable_seqp);

#endif
