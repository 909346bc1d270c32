/* SPDX-License-Identifier: ISC */
/*
 * The inside of a log reader, shared by wal_reader.c (header and frames of the
 * chain) and wal_scan.c (frames behind its end).
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

/* Get at least want bytes at off, which lie within the size in the header.
 * Valid until the next call. Logs read errors. */
int wal_reader_bytes(struct wal_reader *r, uint64_t off, size_t want,
    const uint8_t **datap, size_t *havep);
/* False: no writer makes such a frame, even if its checksums are valid. */
bool wal_reader_is_possible(const struct wal_reader *r,
    const struct wal_frame_header *h, uint64_t off);
/* Read and verify body and padding of a frame whose header is valid and
 * possible. Returns 1, 0 or an error. */
int wal_reader_body(struct wal_reader *r, const struct wal_frame_header *h,
    uint64_t off, struct slice *storedp);

#endif
