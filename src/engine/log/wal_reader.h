/* SPDX-License-Identifier: ISC */
/* Write-ahead log, recovery side. One thread. Format: wal_format.h. */
#ifndef KVFS_ENGINE_LOG_WAL_READER_H
#define KVFS_ENGINE_LOG_WAL_READER_H

#include <stdint.h>

#include "engine/env/env.h"
#include "kvfs/slice.h"

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
