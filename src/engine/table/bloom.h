/* SPDX-License-Identifier: ISC */
/*
 * Blocked Bloom filter: all bits of a key are in one cache line, so that a
 * lookup costs one memory access. Layout: table_format.h, "Filter". About 1 %
 * false positives with 10 bits a key.
 */
#ifndef KVFS_ENGINE_TABLE_BLOOM_H
#define KVFS_ENGINE_TABLE_BLOOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvfs/slice.h"
#include "util/buf.h"

#define BLOOM_LINE_BYTES 64
#define BLOOM_TAIL_BYTES 8
#define BLOOM_PROBES_MAX 16

/* ---- Building ---- */

struct bloom_builder {
	uint64_t *hashes;
	size_t count, cap;
	int error; /* 0 or -ENOMEM */
};

void bloom_builder_init(struct bloom_builder *b);
void bloom_builder_fini(struct bloom_builder *b);
/* Add a hash. One that equals the previous one is dropped: it is another
 * version of the same key. */
void bloom_builder_add(struct bloom_builder *b, uint64_t hash);
/* The number of bytes that bloom_builder_finish() would append. */
size_t bloom_builder_size(const struct bloom_builder *b, unsigned bits);
/* Append the filter to out, with so many bits for each hash. */
int bloom_builder_finish(const struct bloom_builder *b, unsigned bits,
    struct buf *out);

/* ---- Probing ---- */

/* If all zero, it lets every key pass. */
struct bloom {
	const uint8_t *lines; /* borrows; aligned to a cache line for speed */
	uint32_t count;
	uint32_t probes;
};

/* Open a filter of untrusted bytes, which b borrows. -KVFS_ECORRUPT if they are
 * not a filter. */
int bloom_open(struct slice raw, struct bloom *b);

/* False: no key with this hash was added. */
static inline bool
bloom_may_contain(const struct bloom *b, uint64_t hash)
{
	const uint8_t *line;
	uint32_t g = (uint32_t)hash;

	if (b->count == 0)
		return true;
	line = b->lines + ((hash >> 32) * b->count >> 32) * BLOOM_LINE_BYTES;
	for (uint32_t i = 0; i < b->probes; i++) {
		uint32_t bit = g >> 23;

		if ((line[bit >> 3] >> (bit & 7) & 1) == 0)
			return false;
		g *= 0x9e3779b9u;
	}
	return true;
}

#endif
