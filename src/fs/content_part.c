/* SPDX-License-Identifier: ISC */
/*
 * Partial buffers; see content.h. A write of a part of a chunk that has a row
 * holds what was written, and nothing is read. It becomes a patch, unless the
 * chunk has so many that it is written as a whole again, or other bytes of it
 * are changed, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/content_buf.h"
#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_patches.h"

/* The length of the base's chunk with its patches; 0 when there is no row. If
 * the base is dense the row is not read. */
static int
base_len(struct fs *fs, struct inode *in, uint64_t index, uint32_t *lenp)
    REQUIRES(&in->change_mu, &in->mu)
{
	uint32_t end = content_base_end(in, index), patched;
	uint8_t space[8];
	struct kv_key key = key_chunk(in->ino, index, space);
	struct kv_value pin;
	struct slice data = { 0 };
	int rc;

	*lenp = end;
	if (end == 0 || content_base_is_dense(in))
		return 0;
	rc = kv_get(fs->kv, &key, NULL, &pin);
	if (rc == 0)
		rc = schema_get_chunk(pin.data, &data);
	kv_value_release(&pin);
	if (rc < 0) {
		*lenp = 0;
		return rc == -ENOENT ?
		    0 :
		    inode_bad_row(in->ino, (struct slice){ 0 }, rc);
	}
	patched = patch_chunk_end(inode_patches_of(in, index));
	*lenp = patched > data.len ? patched : (uint32_t)data.len;
	if (*lenp > end)
		*lenp = end;
	return 0;
}

/* Can [start, end) be written to the buffer that is there? */
static bool
takes_write(const struct dbuf *b, uint32_t start)
{
	return !b->is_partial || (start >= b->start && start <= dbuf_end(b));
}

int
content_get_part(struct fs *fs, struct inode *in, uint64_t index,
    uint32_t start, uint32_t end, struct dbuf **bp)
{
	struct content *c = in->content;
	struct dbuf *b = content_find(c, index);
	uint32_t len = 0;
	int rc;

	*bp = NULL;
	if (b != NULL) {
		*bp = takes_write(b, start) ? b : NULL;
		return 0;
	}
	if ((in->rec.flags & ATTR_CHUNKS) == 0 ||
	    (start == 0 && end >= content_base_end(in, index)))
		return 0;
	rc = inode_patches_load(fs, in);
	if (rc == 0)
		rc = base_len(fs, in, index, &len);
	if (rc < 0 || len == 0)
		return rc;
	b = content_add_buf(fs, c, index, (uint32_t)alloc_of(len));
	if (b == NULL)
		return -ENOMEM;
	b->is_partial = true;
	b->start = start;
	c->partials++;
	content_set_len(fs, c, b, 0, len);
	*bp = b;
	return 0;
}

void
content_is_whole(struct content *c, struct dbuf *b)
{
	b->is_partial = false;
	c->partials--;
}

int
content_make_whole(struct fs *fs, struct inode *in, struct dbuf *b)
{
	struct content *c = in->content;
	uint32_t start = b->start, held = b->held, end = dbuf_end(b), len;
	struct kv_value pin;
	struct slice data;
	uint8_t *p;
	int rc;

	rc = content_base_chunk(fs, in, b->index, &pin, &data);
	if (rc < 0)
		return rc;
	len = data.len > end ? (uint32_t)data.len : end;
	rc = content_reserve(fs, c, b, len, false);
	if (rc == 0) {
		p = dbuf_data(b);
		memmove(p + start, p, held);
		if (data.len < start)
			memset(p + data.len, 0, start - data.len);
		if (data.len != 0)
			memcpy(p, data.data,
			    data.len < start ? data.len : start);
		if (data.len > end)
			memcpy(p + end, (const uint8_t *)data.data + end,
			    data.len - end);
		b->start = 0;
		content_set_len(fs, c, b, len, len);
		content_is_whole(c, b);
	}
	kv_value_release(&pin);
	return rc;
}

int
content_decide_parts(struct fs *fs, struct inode *in)
{
	struct content *c = in->content;
	struct dbuf *b;
	int rc = inode_patches_load(fs, in);

	if (c->partials == 0)
		return rc;
	RB_FOREACH (b, dbuf_tree, &c->bufs) {
		if (rc == 0 && b->is_partial)
			rc = inode_patches_reserve(fs, in, b->index, b->start,
			    dbuf_end(b));
		if (rc == 1)
			rc = content_make_whole(fs, in, b);
		if (rc < 0)
			break;
	}
	return rc;
}
