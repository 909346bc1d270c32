/* SPDX-License-Identifier: ISC */
/*
 * Buffers of dirty contents in memory, and the base under them; see
 * content_buf.h.
 *
 * Invariants: b->len of every buffer ends at or before the file's size; it is
 * b->held in a whole one. A buffer of length 0 hides a chunk of the base that
 * is to be deleted. For c->alloc see file_blocks.h.
 */
#include "fs/content_buf.h"

#include <stdlib.h>
#include <string.h>

#include "fs/file_blocks.h"
#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_patches.h"

#define BUF_MIN 256u

static int
dbuf_cmp(struct dbuf *a, struct dbuf *b)
{
	return a->index < b->index ? -1 : a->index > b->index;
}

RB_GENERATE(dbuf_tree, dbuf, link, dbuf_cmp)

struct dbuf *
content_find(struct content *c, uint64_t index)
{
	struct dbuf key = { .index = index };

	if (c->last == NULL || c->last->index != index)
		c->last = RB_FIND(dbuf_tree, &c->bufs, &key);
	return c->last;
}

struct dbuf *
content_next(struct content *c, uint64_t index)
{
	struct dbuf key = { .index = index };

	return RB_NFIND(dbuf_tree, &c->bufs, &key);
}

uint64_t
content_base_size(const struct inode *in)
{
	return in->content != NULL && in->content->is_cut ? 0 : in->rec.size;
}

/* alloc counts for each chunk at most what it takes up to the size, so the
 * sum is reached only if all chunks are there in full. */
bool
content_base_is_dense(const struct inode *in)
{
	return (in->rec.flags & ATTR_CHUNKS) != 0 &&
	    content_base_size(in) == in->rec.size &&
	    in->rec.alloc == alloc_of(in->rec.size);
}

uint32_t
content_base_end(const struct inode *in, uint64_t index)
{
	uint64_t size = content_base_size(in);

	if (index >= chunks_of(size))
		return 0;
	size -= index * CHUNK_SIZE;
	return size < CHUNK_SIZE ? (uint32_t)size : CHUNK_SIZE;
}

int
content_base_chunk(struct fs *fs, struct inode *in, uint64_t index,
    struct kv_value *pin, struct slice *datap)
{
	uint8_t space[8];
	struct kv_key key;
	uint32_t end = content_base_end(in, index);
	int rc;

	*pin = (struct kv_value){ 0 };
	*datap = (struct slice){ 0 };
	if (end == 0)
		return 0;
	if ((in->rec.flags & ATTR_CHUNKS) == 0) {
		if (index != 0)
			return 0;
		rc = inode_get_inline(fs, in, pin, datap);
	} else {
		key = key_chunk(in->ino, index, space);
		rc = kv_get(fs->kv, &key, NULL, pin);
		if (rc == 0)
			rc = schema_get_chunk(pin->data, datap);
		else if (rc == -ENOENT)
			rc = 0;
		if (rc == 0)
			rc = inode_patches_apply(fs, in, index, pin, datap);
		if (rc < 0)
			inode_bad_row(in->ino, (struct slice){ 0 }, rc);
	}
	if (rc < 0) {
		kv_value_release(pin);
		*datap = (struct slice){ 0 };
		return rc;
	}
	/* Bytes beyond the size are not contents. */
	if (datap->len > end)
		datap->len = end;
	return 0;
}

int
content_touch(struct fs *fs, struct inode *in, const struct timespec *now)
{
	struct content *c = in->content;

	if (c == NULL) {
		c = calloc(1, sizeof(*c));
		if (c == NULL)
			return -ENOMEM;
		RB_INIT(&c->bufs);
		c->size = in->rec.size;
		c->alloc = in->rec.alloc;
		c->mtime = in->rec.mtime;
		c->ctime = in->rec.ctime;
		in->content = c;
		dirty_list_add(&fs->dirty, in);
	}
	if (now != NULL) {
		c->mtime = *now;
		c->ctime = *now;
	}
	return 0;
}

void
content_set_len(struct fs *fs, struct content *c, struct dbuf *b, uint32_t held,
    uint32_t len)
{
	file_alloc_resize(c, b, len);
	c->data_bytes += held;
	c->data_bytes -= b->held;
	dirty_list_account(&fs->dirty, 0, (ssize_t)held - (ssize_t)b->held);
	if (len < b->len && b->is_full) {
		b->is_full = false;
		c->full_bytes -= CHUNK_SIZE;
	}
	b->held = held;
	b->len = len;
}

void
content_set_hole(struct fs *fs, struct content *c, struct dbuf *b)
{
	if (b->is_partial)
		c->partials--;
	b->is_partial = false;
	b->start = 0;
	content_set_len(fs, c, b, 0, 0);
}

int
content_reserve(struct fs *fs, struct content *c, struct dbuf *b, uint32_t n,
    bool is_run)
{
	uint32_t cap = BUF_MIN;
	uint8_t *mem;

	if (n <= b->cap)
		return 0;
	while (cap < n)
		cap *= 2;
	if (is_run)
		cap = CHUNK_SIZE;
	mem = realloc(b->mem, SCHEMA_TAG_LEN + cap);
	if (mem == NULL)
		return -ENOMEM;
	mem[0] = SCHEMA_TAG;
	c->mem_bytes += cap - b->cap;
	dirty_list_account(&fs->dirty, (ssize_t)cap - (ssize_t)b->cap, 0);
	b->mem = mem;
	b->cap = cap;
	return 0;
}

struct dbuf *
content_add_buf(struct fs *fs, struct content *c, uint64_t index,
    uint32_t old_alloc)
{
	struct dbuf *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->index = index;
	b->old_alloc = old_alloc;
	RB_INSERT(dbuf_tree, &c->bufs, b);
	c->last = b;
	c->count++;
	file_alloc_hide(c, b);
	c->mem_bytes += sizeof(*b);
	dirty_list_account(&fs->dirty, (ssize_t)sizeof(*b), 0);
	return b;
}

void
content_free_buf(struct fs *fs, struct content *c, struct dbuf *b)
{
	RB_REMOVE(dbuf_tree, &c->bufs, b);
	if (c->last == b)
		c->last = NULL;
	c->count--;
	if (b->is_partial)
		c->partials--;
	c->data_bytes -= b->held;
	c->mem_bytes -= sizeof(*b) + b->cap;
	if (b->is_full)
		c->full_bytes -= CHUNK_SIZE;
	dirty_list_account(&fs->dirty, -(ssize_t)(sizeof(*b) + b->cap),
	    -(ssize_t)b->held);
	free(b->mem);
	free(b);
}

void
content_undo_buf(struct fs *fs, struct content *c, struct dbuf *b)
{
	file_alloc_resize(c, b, 0);
	file_alloc_unhide(c, b);
	content_free_buf(fs, c, b);
}

void
content_drop(struct fs *fs, struct inode *in)
{
	struct content *c = in->content;
	struct dbuf *b;

	if (c == NULL)
		return;
	while ((b = RB_ROOT(&c->bufs)) != NULL)
		/* NOLINTNEXTLINE(*-unix.Malloc): the tree has no freed one */
		content_free_buf(fs, c, b);
	free(c);
	in->content = NULL;
}

void
content_discard(struct fs *fs, struct inode *in)
{
	content_drop(fs, in);
	if (in->atime == ATIME_STORED)
		dirty_list_remove(&fs->dirty, in);
}
