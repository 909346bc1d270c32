/* SPDX-License-Identifier: ISC */
/* Blocked Bloom filter; see bloom.h. */
#include "engine/table/bloom.h"

#include <errno.h>
#include <stdlib.h>

#include "kvfs/kv.h"
#include "util/coding.h"

void
bloom_builder_init(struct bloom_builder *b)
{
	*b = (struct bloom_builder){ 0 };
}

void
bloom_builder_fini(struct bloom_builder *b)
{
	free(b->hashes);
	*b = (struct bloom_builder){ 0 };
}

void
bloom_builder_add(struct bloom_builder *b, uint64_t hash)
{
	if (b->count != 0 && b->hashes[b->count - 1] == hash)
		return;
	if (b->count == b->cap) {
		size_t cap = b->cap != 0 ? b->cap * 2 : 1024;
		uint64_t *hashes = reallocarray(b->hashes, cap,
		    sizeof(*hashes));

		if (hashes == NULL) {
			b->error = -ENOMEM;
			return;
		}
		b->hashes = hashes;
		b->cap = cap;
	}
	b->hashes[b->count++] = hash;
}

static uint64_t
lines_for(size_t count, unsigned bits)
{
	uint64_t lines = ((uint64_t)count * bits + BLOOM_LINE_BYTES * 8 - 1) /
	    (BLOOM_LINE_BYTES * 8);

	/* At most so many that the raw length fits into 32 bits. */
	if (lines > (1u << 25))
		lines = 1u << 25;
	return lines != 0 ? lines : 1;
}

size_t
bloom_builder_size(const struct bloom_builder *b, unsigned bits)
{
	return lines_for(b->count, bits) * BLOOM_LINE_BYTES + BLOOM_TAIL_BYTES;
}

int
bloom_builder_finish(const struct bloom_builder *b, unsigned bits,
    struct buf *out)
{
	uint64_t count = lines_for(b->count, bits);
	/* A little less than bits * ln 2, because lines fill unevenly. With 10
	 * bits: 6 probes, 0.9 % false positives, measured by test_bloom. */
	uint32_t probes = (bits * 6 + 5) / 10;
	uint8_t *lines;

	if (b->error != 0)
		return b->error;
	if (probes < 1)
		probes = 1;
	if (probes > BLOOM_PROBES_MAX)
		probes = BLOOM_PROBES_MAX;
	lines = buf_extend(out, count * BLOOM_LINE_BYTES);
	if (lines == NULL)
		return -ENOMEM;
	memset(lines, 0, count * BLOOM_LINE_BYTES);
	for (size_t k = 0; k < b->count; k++) {
		uint64_t hash = b->hashes[k];
		uint8_t *line = lines +
		    ((hash >> 32) * count >> 32) * BLOOM_LINE_BYTES;
		uint32_t g = (uint32_t)hash;

		for (uint32_t i = 0; i < probes; i++) {
			uint32_t bit = g >> 23;

			line[bit >> 3] |= (uint8_t)(1u << (bit & 7));
			g *= 0x9e3779b9u;
		}
	}
	buf_put_u32(out, (uint32_t)count);
	buf_put_u32(out, probes);
	return buf_error(out);
}

int
bloom_open(struct slice raw, struct bloom *b)
{
	const uint8_t *p = raw.data;
	uint32_t count, probes;
	size_t len;

	*b = (struct bloom){ 0 };
	if (raw.len < BLOOM_TAIL_BYTES)
		return -KVFS_ECORRUPT;
	len = raw.len - BLOOM_TAIL_BYTES;
	count = get_le32(p + len);
	probes = get_le32(p + len + 4);
	if (count == 0 || (uint64_t)count * BLOOM_LINE_BYTES != len ||
	    probes == 0 || probes > BLOOM_PROBES_MAX)
		return -KVFS_ECORRUPT;
	*b = (struct bloom){ p, count, probes };
	return 0;
}
