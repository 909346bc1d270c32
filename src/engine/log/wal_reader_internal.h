/* SPDX-License-Identifier: ISC */
/*
 * Inside of a log that is read, shared by wal_reader.c (the header, and the
 * frames of the chain) and wal_scan.c (those beyond its end).
 */
#ifndef KVFS_ENGINE_LOG_WAL_READER_INTERNAL_H
#define KVFS_ENGINE_LOG_WAL_READER_INTERNAL_H

#include "engine/env/file_window.h"
#include "engine/log/wal_format.h"
#include "engine/log/wal_reader.h"

struct wal_reader {
	struct env_file *file;
	char *path;
	struct wal_header header;
	uint32_t salt;
	struct file_window window;
	uint8_t *raw; /* the last body, uncompressed */
	size_t raw_cap;
	uint64_t off; /* of the next frame */
	uint32_t chain;
	uint64_t durable_seq;
	bool has_ended;
};

/* want bytes at off or more, which lie within the size in the header; valid
 * until the next call. Logs what it cannot read. */
int wal_reader_bytes(struct wal_reader *r, uint64_t off, size_t want,
    const uint8_t **datap, size_t *havep);
/* False: no writer makes such a frame, even if the sums are right. */
bool wal_reader_is_possible(const struct wal_reader *r,
    const struct wal_frame_header *h, uint64_t off);
/* Read and verify the body and the padding of a frame whose header is good
 * and possible: 1, 0 or an error. */
int wal_reader_body(struct wal_reader *r, const struct wal_frame_header *h,
    uint64_t off, struct slice *storedp);

#endif
