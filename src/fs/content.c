/* SPDX-License-Identifier: ISC */
/* Writes to the dirty contents; see content.h. */
#include "fs/content_buf.h"

#include <string.h>

int
content_get_buf(struct fs *fs, struct inode *in, uint64_t index, uint32_t start,
    uint32_t end, struct dbuf **bp)
{
	struct content *c = in->content;
	uint32_t base = content_base_end(in, index);
	struct kv_value pin = { 0 };
	struct slice data = { 0 };
	struct dbuf *b;
	int rc = 0;

	*bp = content_find(c, index);
	if (*bp != NULL)
		return (*bp)->is_partial ? content_make_whole(fs, in, *bp) : 0;
	if (base != 0 && start == 0 && end >= base &&
	    content_base_is_dense(in)) {
		b = content_add_buf(fs, c, index, (uint32_t)alloc_of(base));
		rc = b != NULL ? 0 : -ENOMEM;
		*bp = b;
		return rc;
	}
	rc = content_base_chunk(fs, in, index, &pin, &data);
	if (rc < 0)
		return rc;
	b = content_add_buf(fs, c, index, (uint32_t)alloc_of(data.len));
	if (b == NULL) {
		rc = -ENOMEM;
	} else if (data.len != 0) {
		rc = content_reserve(fs, c, b, (uint32_t)data.len, false);
		if (rc < 0) {
			content_undo_buf(fs, c, b);
			b = NULL;
		} else {
			memcpy(dbuf_data(b), data.data, data.len);
			content_set_len(fs, c, b, (uint32_t)data.len,
			    (uint32_t)data.len);
		}
	}
	kv_value_release(&pin);
	*bp = b;
	return rc;
}

int
content_load_inline(struct fs *fs, struct inode *in)
{
	struct dbuf *b;

	if (content_base_size(in) == 0 || in->rec.inline_len == 0)
		return 0;
	return content_get_buf(fs, in, 0, CHUNK_SIZE, CHUNK_SIZE, &b);
}

/* Copy n bytes to off of the chunk. */
static int
write_chunk(struct fs *fs, struct inode *in, uint64_t index, uint32_t off,
    const void *src, uint32_t n) REQUIRES(&in->change_mu, &in->mu)
{
	struct content *c = in->content;
	bool is_new = content_find(c, index) == NULL;
	uint32_t end = off + n;
	struct dbuf *b;
	int rc;

	rc = content_get_part(fs, in, index, off, end, &b);
	if (rc == 0 && b == NULL)
		rc = content_get_buf(fs, in, index, off, end, &b);
	if (rc < 0)
		return rc;
	rc = content_reserve(fs, c, b, end - b->start,
	    index != 0 && off == 0 && !b->is_partial);
	if (rc < 0) {
		/* An empty buffer would turn the base's chunk into a hole. */
		if (is_new && b->held == 0)
			content_undo_buf(fs, c, b);
		return rc;
	}
	if (off > dbuf_end(b))
		memset(dbuf_data(b) + b->held, 0, off - b->held);
	memcpy(dbuf_data(b) + (off - b->start), src, n);
	if (end > b->len)
		b->is_grown = b->is_partial;
	if (end > dbuf_end(b))
		content_set_len(fs, c, b, end - b->start,
		    end > b->len ? end : b->len);
	if (b->is_partial && b->start == 0 && b->held == b->len)
		content_is_whole(c, b);
	if (end == CHUNK_SIZE && !b->is_full && !b->is_partial) {
		b->is_full = true;
		c->full_bytes += CHUNK_SIZE;
	}
	return 0;
}

ssize_t
content_write(struct fs *fs, struct inode *in, uint64_t off, struct slice data,
    const struct timespec *now)
{
	const uint8_t *src = data.data;
	size_t done = 0;
	uint32_t at, n;
	int rc;

	rc = content_touch(fs, in, now);
	while (rc == 0 && done < data.len) {
		at = (uint32_t)((off + done) % CHUNK_SIZE);
		n = CHUNK_SIZE - at;
		if (n > data.len - done)
			n = (uint32_t)(data.len - done);
		rc = write_chunk(fs, in, (off + done) / CHUNK_SIZE, at,
		    src + done, n);
		if (rc == 0)
			done += n;
		if (off + done > in->content->size && done != 0)
			in->content->size = off + done;
	}
	return done != 0 || rc == 0 ? (ssize_t)done : rc;
}
