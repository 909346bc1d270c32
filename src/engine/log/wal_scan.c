/* SPDX-License-Identifier: ISC */
/*
 * Finds whole frames behind the end of a log's chain: they show that commits
 * were durable and are lost (store/recover_tail.c). Format: wal_format.h.
 */
#include "engine/log/wal_reader_internal.h"

/* If a whole frame of this log is at off, raise *durable_seqp to its
 * durable_seq. Returns how many bytes to go on, or an error. */
static int64_t
probe_frame(struct wal_reader *r, uint64_t off, uint64_t *durable_seqp)
{
	struct wal_frame_header h;
	struct slice stored;
	const uint8_t *p;
	size_t have;
	uint32_t sum;
	int rc;

	rc = wal_reader_bytes(r, off, WAL_FRAME_HEADER_LEN, &p, &have);
	if (rc < 0)
		return rc;
	if (!wal_frame_decode(p, r->salt, &h, &sum) ||
	    h.number != (uint32_t)r->header.number ||
	    !wal_reader_is_possible(r, &h, off))
		return 8;
	rc = wal_reader_body(r, &h, off, &stored);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return 8;
	if (h.durable_seq > *durable_seqp)
		*durable_seqp = h.durable_seq;
	return (int64_t)wal_frame_len(h.stored_len);
}

/* Bytes before the first frame magic at a multiple of 8, or len. */
static size_t
find_magic(const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i + 8 <= len; i += 8) {
		if (wal_frame_has_magic(p + i))
			return i;
	}
	return len;
}

int
wal_reader_scan_rest(struct wal_reader *r, uint64_t *durable_seqp)
{
	uint64_t end = r->header.size & ~7ull;
	uint64_t off = r->off;
	const uint8_t *p;
	size_t have, skip;
	int64_t step;
	int rc;

	*durable_seqp = 0;
	while (off < end && end - off >= WAL_FRAME_HEADER_LEN) {
		rc = wal_reader_bytes(r, off, WAL_FRAME_HEADER_LEN, &p, &have);
		if (rc < 0)
			return rc;
		have &= ~(size_t)7;
		if (have > end - off)
			have = (size_t)(end - off);
		skip = find_magic(p, have);
		off += skip;
		if (skip == have || end - off < WAL_FRAME_HEADER_LEN)
			continue;
		step = probe_frame(r, off, durable_seqp);
		if (step < 0)
			return (int)step;
		off += (uint64_t)step;
	}
	return 0;
}
