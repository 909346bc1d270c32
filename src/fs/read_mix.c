/* SPDX-License-Identifier: ISC */
/* See read_mix.h. */
#include "fs/read_mix.h"

#include <string.h>

#include "fs/content_buf.h"

/* The partial buffer of a chunk, if it has bytes of [from, from + n). */
static const struct dbuf *
part_of(const struct inode *in, uint64_t index, uint32_t from, uint32_t n)
{
	const struct dbuf *b = in->content != NULL ?
	    content_find(in->content, index) :
	    NULL;

	if (b == NULL || !b->is_partial || b->start >= from + n ||
	    dbuf_end(b) <= from)
		return NULL;
	return b;
}

bool
read_mix_is_needed(const struct inode *in, uint64_t index, uint32_t from,
    uint32_t n)
{
	const struct patch_chunk *pc;
	const struct dbuf *b;

	b = in->content != NULL ? content_find(in->content, index) : NULL;
	if (b != NULL && !b->is_partial)
		return false;
	if (b != NULL && part_of(in, index, from, n) != NULL)
		return true;
	pc = inode_patches_of(in, index);
	for (uint32_t i = 0; pc != NULL && i < pc->count; i++)
		if (patch_overlaps(&pc->v[i], from, from + n))
			return true;
	return false;
}

size_t
read_mix_count(const struct inode *in, uint64_t off, size_t len)
    REQUIRES(&in->mu)
{
	size_t count = 0, n;
	uint32_t from;

	/* Most inodes have none, and this is all that it costs. */
	if (inode_patches(in) == NULL &&
	    (in->content == NULL || in->content->partials == 0))
		return 0;
	for (; len != 0; off += n, len -= n) {
		from = (uint32_t)(off % CHUNK_SIZE);
		n = CHUNK_SIZE - from;
		if (n > len)
			n = len;
		count += read_mix_is_needed(in, off / CHUNK_SIZE, from,
		    (uint32_t)n);
	}
	return count;
}

/* Note the patches that are to be read. One that the buffer covers is not: the
 * commit of the buffer, which may be under way, deletes its row. Nor is what
 * lies under a patch of the whole range. */
static void
plan_patches(const struct patch_chunk *pc, uint32_t from, uint32_t n,
    struct read_mix *m)
{
	for (uint32_t i = 0; pc != NULL && i < pc->count; i++) {
		const struct patch *p = &pc->v[i];

		if (!patch_overlaps(p, from, from + n) ||
		    patch_is_within(p, m->dirty_start, m->dirty_end))
			continue;
		if (p->start <= from &&
		    (uint32_t)p->start + p->len >= from + n) {
			m->has_chunk = false;
			m->count = 0;
		}
		m->v[m->count++] = *p;
	}
}

bool
read_mix_plan(const struct inode *in, uint64_t index, uint32_t from, uint32_t n,
    struct read_mix *m, uint8_t *mem)
{
	const struct dbuf *b = part_of(in, index, from, n);
	const struct patch_chunk *pc = inode_patches_of(in, index);
	uint32_t base_end = content_base_end(in, index), start, end;

	m->bytes = mem;
	m->dirty = mem + n;
	m->has_chunk = true;
	m->dirty_start = m->dirty_end = m->count = 0;
	m->len = patch_chunk_end(pc);
	if (m->len > base_end)
		m->len = base_end;
	if (b != NULL) {
		if (b->len > m->len)
			m->len = b->len;
		m->dirty_start = b->start;
		m->dirty_end = dbuf_end(b);
	}
	plan_patches(pc, from, n, m);
	if (b == NULL)
		return true;
	start = b->start > from ? b->start : from;
	end = dbuf_end(b) < from + n ? dbuf_end(b) : from + n;
	memcpy(m->dirty, dbuf_data(b) + (start - b->start), end - start);
	m->dirty_start = start;
	m->dirty_end = end;
	return end - start != n;
}

int
read_mix_fetch(struct fs *fs, uint64_t ino, uint64_t index, uint32_t from,
    uint32_t n, struct slice base, struct read_mix *m, struct slice *datap)
{
	uint32_t len = base.len > m->len ? (uint32_t)base.len : m->len;
	uint32_t have = base.len > from ? (uint32_t)base.len - from : 0;
	int rc;

	if (have > n)
		have = n;
	if (have != 0)
		memcpy(m->bytes, (const uint8_t *)base.data + from, have);
	memset(m->bytes + have, 0, n - have);
	rc = inode_patches_read(fs, ino, index, m->v, m->count, m->bytes, from,
	    n);
	if (m->dirty_end != 0)
		memcpy(m->bytes + (m->dirty_start - from), m->dirty,
		    m->dirty_end - m->dirty_start);
	len = len > from ? len - from : 0;
	*datap = slice_make(m->bytes, len < n ? len : n);
	return rc;
}
