/* SPDX-License-Identifier: ISC */
/*
 * Removes contents: truncation and holes; see content.h. A deleted chunk is a
 * buffer of length 0, which hides the base's chunk until the commit.
 */
#include <string.h>

#include "fs/content_buf.h"
#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_patches.h"

/* Make a buffer of length 0 for a chunk of the base. */
static int
hide_chunk(struct fs *fs, struct inode *in, uint64_t index, uint64_t base_len)
    REQUIRES(&in->change_mu, &in->mu)
{
	struct content *c = in->content;
	struct dbuf *b = content_find(c, index);

	if (b == NULL)
		b = content_add_buf(fs, c, index, (uint32_t)alloc_of(base_len));
	if (b == NULL)
		return -ENOMEM;
	content_set_hole(fs, c, b);
	return 0;
}

/* Hide one more chunk. When there are many, commit first; what was hidden is
 * then a hole in the store. */
static int
hide_some(struct fs *fs, struct inode *in, uint64_t index, uint64_t base_len)
    REQUIRES(&in->change_mu, &in->mu)
{
	int rc = hide_chunk(fs, in, index, base_len);

	if (rc < 0 || in->content->count < COMMIT_BUFS)
		return rc;
	rc = content_commit(fs, in);
	return rc < 0 ? rc : content_touch(fs, in, NULL);
}

/*
 * Hide the base's chunks in [from, to). The loop goes over rows, not over
 * chunk numbers, so that a damaged size cannot make it run for long. If the
 * base is dense the lengths are known, and the values are not read.
 */
static int
hide_rows(struct fs *fs, struct inode *in, uint64_t from, uint64_t to)
    REQUIRES(&in->change_mu, &in->mu)
{
	bool is_dense = content_base_is_dense(in);
	uint64_t size = in->rec.size, index, len, row_len;
	uint8_t space[8];
	struct kv_key key = key_chunk(in->ino, from, space);
	struct kv_iter *it;
	struct slice value, data = { 0 };
	int rc;

	rc = inode_patches_load(fs, in);
	if (rc == 0)
		rc = kv_iter_open(fs->kv, &key, KV_SCOPE_GROUP, NULL, &it);
	if (rc != 0)
		return rc;
	while ((rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		rc = key_chunk_index(&key, &index);
		if (rc == 0 && index >= to)
			break;
		len = size - index * CHUNK_SIZE;
		if (len > CHUNK_SIZE)
			len = CHUNK_SIZE;
		if (rc == 0 && !is_dense) {
			rc = kv_iter_value(it, &value);
			if (rc == 0)
				rc = schema_get_chunk(value, &data);
			row_len = patch_chunk_end(inode_patches_of(in, index));
			if (row_len < data.len)
				row_len = data.len;
			if (rc == 0 && row_len < len)
				len = row_len;
		}
		if (rc == 0)
			rc = hide_some(fs, in, index, len);
		if (rc < 0)
			break;
	}
	kv_iter_close(it);
	return inode_bad_row(in->ino, (struct slice){ 0 }, rc);
}

/* Turn the whole chunks [from, to) into holes. */
static int
hide_chunks(struct fs *fs, struct inode *in, uint64_t from, uint64_t to)
    REQUIRES(&in->change_mu, &in->mu)
{
	struct content *c = in->content;
	uint64_t base = chunks_of(content_base_size(in));
	struct dbuf *b, *next;

	for (b = content_next(c, from); b != NULL && b->index < to; b = next) {
		next = RB_NEXT(dbuf_tree, &c->bufs, b);
		content_set_hole(fs, c, b);
		if (b->old_alloc == 0)
			content_free_buf(fs, c, b);
	}
	if (to > base)
		to = base;
	if (from >= to)
		return 0;
	if ((in->rec.flags & ATTR_CHUNKS) == 0)
		return from == 0 && in->rec.inline_len != 0 ?
		    hide_chunk(fs, in, 0, in->rec.inline_len) :
		    0;
	return hide_rows(fs, in, from, to);
}

/* Zero [start, end) of one chunk, as far as it has data. */
static int
zero_part(struct fs *fs, struct inode *in, uint64_t index, uint32_t start,
    uint32_t end) REQUIRES(&in->change_mu, &in->mu)
{
	struct content *c = in->content;
	struct dbuf *b;
	int rc;

	rc = content_get_buf(fs, in, index, CHUNK_SIZE, CHUNK_SIZE, &b);
	if (rc < 0)
		return rc;
	if (b->len == 0 && b->old_alloc == 0) {
		content_free_buf(fs, c, b);
		return 0;
	}
	if (start >= b->len)
		return 0;
	if (end >= b->len)
		content_set_len(fs, c, b, start, start);
	else
		memset(dbuf_data(b) + start, 0, end - start);
	return 0;
}

int
content_truncate(struct fs *fs, struct inode *in, uint64_t size,
    const struct timespec *now)
{
	struct content *c;
	struct dbuf *b;
	int rc;

	rc = content_touch(fs, in, now);
	if (rc < 0)
		return rc;
	c = in->content;
	if (size == 0) {
		while ((b = RB_ROOT(&c->bufs)) != NULL)
			content_free_buf(fs, c, b);
		c->is_cut = true;
		c->size = 0;
		c->alloc = 0;
		return 0;
	}
	if (size < c->size) {
		rc = hide_chunks(fs, in, chunks_of(size), UINT64_MAX);
		if (rc == 0 && size % CHUNK_SIZE != 0)
			rc = zero_part(fs, in, size / CHUNK_SIZE,
			    (uint32_t)(size % CHUNK_SIZE), CHUNK_SIZE);
		if (rc < 0)
			return rc;
	}
	in->content->size = size;
	return 0;
}

int
content_punch(struct fs *fs, struct inode *in, uint64_t off, uint64_t end,
    const struct timespec *now)
{
	uint64_t first, last;
	int rc;

	rc = content_touch(fs, in, now);
	if (rc < 0)
		return rc;
	if (end >= in->content->size)
		end = chunks_of(in->content->size) * CHUNK_SIZE;
	if (off >= end)
		return 0;
	first = chunks_of(off);
	last = end / CHUNK_SIZE;
	if (off / CHUNK_SIZE == last)
		return zero_part(fs, in, last, (uint32_t)(off % CHUNK_SIZE),
		    (uint32_t)(end % CHUNK_SIZE));
	if (off % CHUNK_SIZE != 0)
		rc = zero_part(fs, in, off / CHUNK_SIZE,
		    (uint32_t)(off % CHUNK_SIZE), CHUNK_SIZE);
	if (rc == 0 && end % CHUNK_SIZE != 0)
		rc = zero_part(fs, in, last, 0, (uint32_t)(end % CHUNK_SIZE));
	if (rc == 0 && first < last)
		rc = hide_chunks(fs, in, first, last);
	return rc;
}
