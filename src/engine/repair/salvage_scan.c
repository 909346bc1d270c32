/* SPDX-License-Identifier: ISC */
/*
 * Finds the data blocks of a table without an index, by their seals.
 *
 * A block begins where the one before it ends. The seal at its end has the raw
 * length. That length gives the beginning of a block that is stored raw; a
 * block in snappy begins with that length as a varint. So the file is searched
 * for seals; each one gives a few possible beginnings, and the checksum, which
 * includes the place, tells the right one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/table/block_reader.h"
#include "engine/repair/salvage.h"
#include "engine/table/table_format.h"
#include "util/compress.h"

/* Bytes to read at a time. */
#define SCAN_BYTES (1u << 20)
/* The beginning of a larger compressed block is searched only right behind
 * another block. */
#define SEARCH_MAX (256u << 10)

struct scan {
	struct env_file *file;
	uint64_t number;
	/* bytes [off, off + len) of the file */
	uint8_t *buf;
	size_t len, cap;
	uint64_t off;
	void *raw;
	size_t raw_cap;
};

int
salvage_blocks_add(struct salvage_blocks *b, uint64_t off, uint64_t len)
{
	if (b->count == b->cap) {
		size_t cap = b->cap != 0 ? b->cap * 2 : 256;
		struct salvage_block *v = realloc(b->v, cap * sizeof(*v));

		if (v == NULL)
			return -ENOMEM;
		b->v = v;
		b->cap = cap;
	}
	b->v[b->count++] = (struct salvage_block){ off, (uint32_t)len };
	return 0;
}

/* Drop the bytes before keep, and read the next ones. */
static int
read_more(struct scan *s, uint64_t keep)
{
	size_t kept = s->len - (size_t)(keep - s->off);
	uint8_t *grown;

	if (kept != 0)
		memmove(s->buf, s->buf + (keep - s->off), kept);
	s->off = keep;
	s->len = kept;
	if (s->cap < kept + SCAN_BYTES) {
		grown = realloc(s->buf, 2 * kept + SCAN_BYTES);
		if (grown == NULL)
			return -ENOMEM;
		s->buf = grown;
		s->cap = 2 * kept + SCAN_BYTES;
	}
	s->len += salvage_read(s->file, s->buf + kept, SCAN_BYTES,
	    s->off + kept);
	return 0;
}

/* Whether verified bytes are a data block and not an index or the like. Returns
 * 1, 0 or -ENOMEM. */
static int
is_data(struct scan *s, const struct table_sealed *sealed)
{
	struct block_cursor c;
	void *grown;

	if (sealed->raw_len < BLOCK_HEADER_LEN)
		return 0;
	if (s->raw_cap < sealed->raw_len) {
		grown = realloc(s->raw, sealed->raw_len);
		if (grown == NULL)
			return -ENOMEM;
		s->raw = grown;
		s->raw_cap = sealed->raw_len;
	}
	if (compress_decode(sealed->codec, sealed->stored, s->raw,
		sealed->raw_len) < 0 ||
	    block_check(slice_make(s->raw, sealed->raw_len)) < 0)
		return 0;
	block_cursor_first(&c, slice_make(s->raw, sealed->raw_len));
	return c.valid;
}

/* Whether [from, to) is a block; its seal begins at to. Returns 1, 0 or
 * -ENOMEM. *datap tells whether it is a data block. */
static int
try_block(struct scan *s, uint64_t from, uint64_t to, bool *datap)
{
	struct slice sealed = slice_make(s->buf + (from - s->off),
	    (size_t)(to - from) + TABLE_SEAL_LEN);
	struct table_sealed out;
	const char *what;
	int rc;

	if (table_unseal(sealed, s->number, from, UINT32_MAX, &out, &what) < 0)
		return 0;
	rc = out.raw_len <= TABLE_BLOCK_MAX ? is_data(s, &out) : 0;
	*datap = rc == 1;
	return rc < 0 ? rc : 1;
}

/* Try the places, from lo on, where a snappy block that ends at to may
 * begin. */
static int
search_snappy(struct scan *s, uint64_t lo, uint64_t to, uint32_t raw_len,
    uint64_t *fromp, bool *datap)
{
	uint8_t head[VARINT_MAX_BYTES];
	size_t n = put_varint(head, raw_len);
	uint64_t from = lo;
	const uint8_t *p;
	int rc;

	if (to - lo >= n && memcmp(s->buf + (lo - s->off), head, n) == 0) {
		rc = try_block(s, lo, to, datap);
		*fromp = lo;
		if (rc != 0)
			return rc;
	}
	/* A block is compressed only if that makes it shorter. */
	if (raw_len > SEARCH_MAX)
		return 0;
	if (to - from > raw_len)
		from = to - raw_len;
	while (to - from > n &&
	    (p = memmem(s->buf + (from - s->off), (size_t)(to - from), head,
		 n)) != NULL) {
		*fromp = s->off + (uint64_t)(p - s->buf);
		rc = try_block(s, *fromp, to, datap);
		if (rc != 0)
			return rc;
		from = *fromp + 1;
	}
	return 0;
}

/* Whether a block ends at to, where its seal would begin. It begins at lo or
 * later. */
static int
try_end(struct scan *s, uint64_t lo, uint64_t to, uint64_t *fromp, bool *datap)
{
	const uint8_t *seal = s->buf + (to - s->off);
	uint32_t raw_len = get_le32(seal);

	if (raw_len == 0)
		return 0;
	if (seal[4] == CODEC_NONE) {
		if (raw_len > to - lo)
			return 0;
		*fromp = to - raw_len;
		return try_block(s, *fromp, to, datap);
	}
	if (seal[4] != CODEC_SNAPPY)
		return 0;
	return search_snappy(s, lo, to, raw_len, fromp, datap);
}

int
salvage_scan(struct env_file *file, uint64_t number, uint64_t size,
    struct salvage_blocks *blocks)
{
	struct scan s = { .file = file, .number = number };
	uint64_t lo = 0, to = 1, from = 0;
	bool data = false;
	int rc = 0;

	while (to + TABLE_SEAL_LEN <= size) {
		/* No block is longer: what lies farther back is not part of
		 * one. */
		if (to - lo > TABLE_BLOCK_MAX)
			lo = to - TABLE_BLOCK_MAX;
		if (to + TABLE_SEAL_LEN > s.off + s.len) {
			uint64_t end = s.off + s.len;

			rc = read_more(&s, lo);
			if (rc < 0 || s.off + s.len == end)
				break; /* no memory, or the file shrank */
			continue;
		}
		rc = try_end(&s, lo, to, &from, &data);
		if (rc == 1 && data)
			rc = salvage_blocks_add(blocks, from,
			    to + TABLE_SEAL_LEN - from);
		else if (rc == 1 && from == lo) {
			/* The block behind the data follows without a gap. */
			blocks->is_whole = true;
			break;
		}
		if (rc < 0)
			break;
		if (data)
			lo = to = to + TABLE_SEAL_LEN;
		data = false;
		to++;
	}
	free(s.buf);
	free(s.raw);
	return rc < 0 ? rc : 0;
}
