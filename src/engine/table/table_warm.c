/* SPDX-License-Identifier: ISC */
/* Reads blocks of a table into the cache ahead of use, several by one read; see
 * table_reader.h. */
#include <stdlib.h>

#include "engine/table/table_internal.h"

/* Size of one read, unless a block is larger. */
#define PIECE_BYTES (256u << 10)
/* Reading so many unwanted bytes is cheaper than another read. */
#define GAP_BYTES (32u << 10)

struct piece {
	uint64_t off, end; /* in the file; empty: both 0 */
	uint32_t first, last; /* data blocks */
};

/* Find the block that begins at off. False if there is none. */
static bool
find_block(const struct table_index *x, uint64_t off, uint32_t *ip)
{
	uint32_t lo = 0, hi = x->count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (table_index_off(x, mid) < off)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ip = lo;
	return lo < x->count && table_index_off(x, lo) == off;
}

/* Extend p by block i. False if it is too far away, or p becomes too large. */
static bool
piece_add(struct piece *p, const struct table_index *x, uint32_t i)
{
	uint64_t off = table_index_off(x, i);
	uint64_t end = off + table_index_len(x, i);

	if (p->end == 0)
		*p = (struct piece){ off, end, i, i };
	else if (off - p->end > GAP_BYTES || end - p->off > PIECE_BYTES)
		return false;
	p->end = end;
	p->last = i;
	return true;
}

/* Put the wanted blocks of what was read into the cache. */
static int
keep_blocks(struct table_reader *t, const struct piece *p, const uint8_t *raw,
    const struct block_place *places, struct table_warm *donep,
    struct table_problem *problemp)
{
	int rc = 0;

	for (size_t k = 0; k < donep->seen && rc == 0; k++) {
		struct cached_block *block;
		uint64_t off = places[k].off;
		uint32_t i;

		if (!find_block(&t->index, off, &i) || i < p->first ||
		    i > p->last || block_cache_has(t->cache, t->number, off))
			continue;
		rc = table_cache_block(t, i,
		    slice_make(raw + (off - p->off),
			table_index_len(&t->index, i)),
		    BLOCK_AHEAD, &block, problemp);
		if (rc < 0)
			break;
		cached_block_release(block);
		donep->read++;
	}
	return rc;
}

int
table_reader_warm(struct table_reader *t, const struct block_place *places,
    size_t count, struct table_warm *donep)
{
	struct table_problem problem;
	struct piece p = { 0 };
	uint8_t *raw;
	size_t len;
	int rc;

	*donep = (struct table_warm){ 0 };
	for (; donep->seen < count; donep->seen++) {
		uint64_t off = places[donep->seen].off;
		uint32_t i;

		if (!find_block(&t->index, off, &i))
			donep->stale++;
		else if (!block_cache_has(t->cache, t->number, off) &&
		    !piece_add(&p, &t->index, i))
			break;
	}
	len = (size_t)(p.end - p.off);
	if (len == 0)
		return 0;
	problem = (struct table_problem){ "out of memory", p.off };
	raw = malloc(len);
	rc = raw != NULL ? 0 : -ENOMEM;
	if (rc == 0)
		rc = table_pread(t, raw, len, p.off, &problem);
	if (rc == 0)
		rc = keep_blocks(t, &p, raw, places, donep, &problem);
	free(raw);
	return rc < 0 ? table_log_problem(t, &problem, rc) : 0;
}
