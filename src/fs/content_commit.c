/* SPDX-License-Identifier: ISC */
/*
 * Commits dirty contents; see content.h. A batch has chunks in ascending
 * order, and the attributes that are right with these chunks, so that a crash
 * between two batches leaves a file that is complete up to its size.
 */
#include <assert.h>

#include "fs/content_buf.h"
#include "fs/file_blocks.h"
#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_commit.h"
#include "fs/inode_patches.h"
#include "util/stats.h"

/* Do the contents belong in chunk rows, rather than inline? */
static bool
wants_chunks(const struct inode *in)
{
	const struct content *c = in->content;

	return c->size > INLINE_MAX ||
	    ((in->rec.flags & ATTR_CHUNKS) != 0 && !c->is_cut);
}

/* Set *rec to the base's contents, before dirty chunks are added. */
static void
begin_rec(struct txn *t, const struct inode *in, struct attr_rec *rec)
{
	const struct content *c = in->content;

	if (c->is_cut) {
		if ((in->rec.flags & ATTR_CHUNKS) != 0)
			kv_batch_delete_group_hint(&t->batch, SPACE_CHUNK,
			    in->ino, in->rec.alloc);
		if ((in->rec.flags & ATTR_PATCHES) != 0)
			kv_batch_delete_group(&t->batch, SPACE_PATCH, in->ino);
		rec->flags &= ~(uint32_t)(ATTR_CHUNKS | ATTR_PATCHES);
		rec->size = 0;
		rec->alloc = 0;
		rec->inline_len = 0;
	}
	rec->mtime = c->mtime;
	rec->ctime = c->ctime;
}

/* *patchedp: the number of chunks that have patches, with this batch. */
static void
add_chunk(struct fs *fs, struct txn *t, const struct inode *in,
    const struct dbuf *b, struct attr_rec *rec, size_t *patchedp)
{
	bool is_patched = inode_patches_of(in, b->index) != NULL;
	uint8_t space[8];
	struct kv_key key = key_chunk(in->ino, b->index, space);
	struct slice value = slice_make(b->mem, SCHEMA_TAG_LEN + b->held);

	if (b->is_partial) {
		inode_patches_stage(fs, t, in, b->index, b->start, value);
		*patchedp += !is_patched;
	} else {
		inode_patches_stage_delete(t, in, b->index);
		*patchedp -= is_patched;
		if (b->len != 0)
			kv_batch_put(&t->batch, &key, value);
		else if (b->old_alloc != 0)
			kv_batch_delete(&t->batch, &key);
	}
	if (b->len != 0)
		rec->flags |= ATTR_CHUNKS;
	file_alloc_replace(rec, b);
}

/* b was committed. */
static void
chunk_committed(struct fs *fs, struct inode *in, const struct dbuf *b)
    REQUIRES(&in->change_mu, &in->mu)
{
	if (b->is_partial)
		inode_patches_put(fs, in, b->index, b->start, dbuf_end(b),
		    b->is_grown);
	else
		inode_patches_deleted(fs, in, b->index);
}

/* What was staged is committed up to and including chunk last. */
static void
patches_committed(struct fs *fs, struct inode *in, uint64_t last)
    REQUIRES(&in->change_mu, &in->mu)
{
	struct dbuf *b;

	if (in->content->is_cut)
		inode_patches_drop(fs, in);
	if (in->patches.map == NULL)
		return;
	RB_FOREACH (b, dbuf_tree, &in->content->bufs) {
		if (b->index > last)
			break;
		chunk_committed(fs, in, b);
	}
	if (in->patches.map->count == 0)
		inode_patches_drop(fs, in);
}

/* Stage the buffers up to and including stop; all of them if it is NULL. */
static int
stage_run(struct fs *fs, struct txn *t, struct inode *in,
    const struct dbuf *stop, struct attr_rec *rec, struct slice *datap)
    REQUIRES(&in->change_mu, &in->mu)
{
	struct content *c = in->content;
	const struct patch_map *map = inode_patches(in);
	size_t patched = map != NULL ? map->count : 0;
	struct dbuf *b;
	uint64_t end;

	*datap = (struct slice){ 0 };
	begin_rec(t, in, rec);
	if (!wants_chunks(in)) {
		assert(stop == NULL);
		rec->size = c->size;
		b = content_find(c, 0);
		if (b == NULL)
			return c->is_cut ? 0 :
					   inode_copy_inline(fs, t, in, datap);
		if (b->len != 0)
			*datap = slice_make(dbuf_data(b), b->len);
		rec->inline_len = b->len;
		rec->alloc = alloc_of(b->len);
		return 0;
	}
	/* content_load_inline() has made a buffer of the inline bytes. */
	rec->inline_len = 0;
	RB_FOREACH (b, dbuf_tree, &c->bufs) {
		add_chunk(fs, t, in, b, rec, &patched);
		if (b == stop)
			break;
	}
	rec->flags &= ~(uint32_t)ATTR_PATCHES;
	if (patched != 0)
		rec->flags |= ATTR_PATCHES;
	if (stop == NULL) {
		rec->size = c->size;
	} else {
		end = (stop->index + 1) * CHUNK_SIZE;
		if (end > c->size)
			end = c->size;
		if (rec->size < end)
			rec->size = end;
	}
	return 0;
}

int
content_stage(struct fs *fs, struct txn *t, struct inode *in,
    struct attr_rec *rec, struct slice *datap)
{
	int rc = 0;

	*datap = (struct slice){ 0 };
	if (wants_chunks(in))
		rc = content_load_inline(fs, in);
	if (rc == 0)
		rc = content_decide_parts(fs, in);
	return rc < 0 ? rc : stage_run(fs, t, in, NULL, rec, datap);
}

void
content_committed(struct fs *fs, struct inode *in, uint64_t seq)
{
	atomic_store_explicit(&in->commits.content_seq, seq,
	    memory_order_seq_cst);
	patches_committed(fs, in, UINT64_MAX);
	space_use(&fs->space, in->content->data_bytes);
	counter_add(&fs->counters.writebacks, 1);
	content_drop(fs, in);
}

static int
commit_run(struct fs *fs, struct inode *in, const struct dbuf *stop)
    REQUIRES(&in->change_mu, &in->mu)
{
	struct content *c = in->content;
	struct attr_rec rec = in->rec;
	uint64_t seq, last = stop != NULL ? stop->index : 0;
	struct slice data;
	struct dbuf *b;
	struct txn *t;
	int rc;

	t = txn_begin(fs);
	if (t == NULL)
		return -ENOMEM;
	rc = stage_run(fs, t, in, stop, &rec, &data);
	if (rc == 0)
		rc = inode_put_row(fs, t, in, &rec, &data);
	if (rc < 0)
		goto out;
	atomic_fetch_add_explicit(&in->commits.content_gen, 1,
	    memory_order_seq_cst);
	txn_reserve(t);
	rc = inode_commit(fs, in, t, &seq);
	if (rc < 0)
		goto out;
	if (stop == NULL) {
		content_committed(fs, in, seq);
	} else {
		atomic_store_explicit(&in->commits.content_seq, seq,
		    memory_order_seq_cst);
		patches_committed(fs, in, last);
		while ((b = RB_MIN(dbuf_tree, &c->bufs)) != NULL &&
		    b->index <= last) {
			space_use(&fs->space, b->held);
			content_free_buf(fs, c, b);
		}
		c->is_cut = false;
	}
	inode_row_committed(fs, in, &rec, seq);
out:
	txn_end(fs, t);
	return rc;
}

/* Commit up to the chunk last; is_all: all, and the attributes. */
static int
commit_upto(struct fs *fs, struct inode *in, bool is_all, uint64_t last)
    REQUIRES(&in->change_mu, &in->mu)
{
	struct content *c;
	struct dbuf *b, *stop;
	size_t bytes, count;
	int rc = 0;

	if (wants_chunks(in))
		rc = content_load_inline(fs, in);
	if (rc == 0)
		rc = content_decide_parts(fs, in);
	if (rc < 0)
		return rc;
	while ((c = in->content) != NULL) {
		bytes = count = 0;
		stop = NULL;
		RB_FOREACH (b, dbuf_tree, &c->bufs) {
			if (!is_all && b->index > last)
				break;
			bytes += b->held;
			stop = b;
			if (bytes >= COMMIT_BYTES || ++count >= COMMIT_BUFS)
				break;
		}
		if (!is_all && stop == NULL)
			return 0;
		if (is_all && b == NULL)
			stop = NULL;
		rc = commit_run(fs, in, stop);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
content_commit(struct fs *fs, struct inode *in)
{
	assert(in->state != INODE_DELETED || in->content == NULL);
	if (in->content == NULL)
		return 0;
	return commit_upto(fs, in, true, 0);
}

int
content_commit_full(struct fs *fs, struct inode *in)
{
	struct dbuf *tail;

	if (in->content == NULL)
		return 0;
	tail = RB_MAX(dbuf_tree, &in->content->bufs);
	if (tail == NULL || tail->is_full)
		return content_commit(fs, in);
	return tail->index == 0 ? 0 :
				  commit_upto(fs, in, false, tail->index - 1);
}

int
content_commit_to_fit(struct fs *fs, struct inode *in)
{
	const struct content *c = in->content;

	if (c == NULL ||
	    (c->data_bytes <= SHARED_BATCH_BYTES &&
		c->count <= SHARED_BATCH_BYTES / CHUNK_SIZE))
		return 0;
	return content_commit(fs, in);
}
