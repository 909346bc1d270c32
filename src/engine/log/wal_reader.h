/* SPDX-License-Identifier: ISC */
/* Write-ahead log, read side, for recovery. Threading: one thread. Format:
 * wal_format.h. */
#ifndef KVFS_ENGINE_LOG_WAL_READER_H
#define KVFS_ENGINE_LOG_WAL_READER_H

#include <stdint.h>

#include "engine/env/env.h"
#include "kvfs/slice.h"

struct wal_reader;

struct wal_frame {
	uint64_t seq; /* of the first change */
	uint32_t count; /* of changes; 0: a durable mark */
	uint64_t durable_seq;
	struct slice payload; /* uncompressed; valid until the next read */
	uint64_t off; /* of the frame in the file; for messages */
};

/*
 * Open a log and verify its header. Takes file, also on failure. Returns 1; 0
 * if the file was never used as a log (all zeros, or a recycled file with a
 * whole header of another number); -EPROTO for a newer version; -KVFS_ECORRUPT
 * if the file is shorter than its header says; -KVFS_ECHECKSUM if the header is
 * damaged.
 */
int wal_reader_open(struct env_file *file, const char *path, uint64_t number,
    struct wal_reader **readerp);
void wal_reader_close(struct wal_reader *r);
/* Fields of the header. */
uint32_t wal_reader_start_chain(const struct wal_reader *r);
uint64_t wal_reader_start_seq(const struct wal_reader *r);
uint64_t wal_reader_size(const struct wal_reader *r);
/* The largest durable_seq in the header and in frames read so far. */
uint64_t wal_reader_durable_seq(const struct wal_reader *r);
/* Checksum of the last frame read, which the next one has to continue. */
uint32_t wal_reader_chain(const struct wal_reader *r);

/* Read the next frame of the chain. Returns 1; 0 at the end of the chain (a
 * torn tail, zeros, or the end of the file); a read error; or -KVFS_ECORRUPT
 * for impossible contents with a valid checksum. */
int wal_reader_next(struct wal_reader *r, struct wal_frame *framep);
/* Offset of the next frame, for messages. */
uint64_t wal_reader_off(const struct wal_reader *r);
/*
 * After wal_reader_next() has returned 0: search the rest of the file for whole
 * frames of this log that are not on the chain. *durable_seqp is the largest
 * durable_seq in them (0: none). Recovery compares it with the last sequence
 * number that it reached.
 */
int wal_reader_scan_rest(struct wal_reader *r, uint64_t *durable_seqp);

#endif
