/* SPDX-License-Identifier: ISC */
/*
 * Bulk changes: the contents of files. Contents that are too many for a batch
 * are committed before it, as chunks of an inode that has no name and is an
 * orphan (orphan.c), so that a crash deletes them.
 */
#include "fs/bulk.h"

#include "fs/fs_state.h"

/* Commit the chunks of the file that is being written. */
static int
bulk_spill(struct fs_bulk *b)
{
	struct bulk_inode *in = b->file.name->in;
	struct fs *fs = b->fs;
	struct attr_rec rec = in->rec;
	struct txn *t = NULL;
	struct bulk_row *row;
	uint8_t space[8];
	struct kv_key key;
	unsigned tries = 0;
	uint64_t seq;
	int rc = space_ask(fs, KV_ROOM_ADD, b->file.spill_bytes);

	rec.nlink = 0;
	rec.size = b->file.spilled_end;
	do {
		if (rc == 0 && (t = txn_begin(fs)) == NULL)
			rc = -ENOMEM;
		if (rc < 0)
			return rc;
		STAILQ_FOREACH (row, &in->chunks, link) {
			key = key_chunk(in->ino, row->index, space);
			kv_batch_put(&t->batch, &key, row->value);
		}
		rec.nxattrs = 0;
		txn_put_inode(t, in->ino, &rec, (struct slice){ 0 });
		txn_put_orphan(t, in->ino);
		rc = txn_commit_reserved(fs, t, &seq);
		txn_end(fs, t);
	} while (space_retry(fs, rc, &tries));
	if (rc < 0)
		return rc;
	space_use(&fs->space, b->file.spill_bytes);
	if (!in->is_spilled)
		inode_count_add(fs, 1);
	in->is_spilled = true;
	b->file.spill_bytes = 0;
	bulk_free_chunks(in);
	return txn_settle(fs, 0);
}

/* Add the chunk in file.data to the inode. */
static int
bulk_add_chunk(struct fs_bulk *b)
{
	struct bulk_file *f = &b->file;
	struct bulk_inode *in = f->name->in;
	struct bulk_row *row = bulk_alloc(b, sizeof(*row));
	size_t len = f->data.len;

	if (row == NULL || len == 0)
		return b->error;
	row->index = f->index;
	row->value = slice_make(buf_detach(&f->data), len);
	STAILQ_INSERT_TAIL(&in->chunks, row, link);
	in->rec.flags |= ATTR_CHUNKS;
	in->rec.alloc += alloc_of(len - SCHEMA_TAG_LEN);
	f->spill_bytes += len;
	f->spilled_end = f->index * CHUNK_SIZE + len - SCHEMA_TAG_LEN;
	return f->spill_bytes >= BULK_RIDE_BYTES ? bulk_spill(b) : 0;
}

/* Append to the chunk in file.data, from off of it. */
static int
bulk_fill_chunk(struct bulk_file *f, size_t off, const void *data, size_t len)
{
	uint8_t *p;

	if (f->data.len == 0)
		buf_put_u8(&f->data, SCHEMA_TAG);
	off += SCHEMA_TAG_LEN;
	if (off > f->data.len) {
		p = buf_extend(&f->data, off - f->data.len);
		if (p != NULL)
			memset(p, 0, (size_t)(f->data.data + f->data.len - p));
	}
	buf_append(&f->data, data, len);
	return buf_error(&f->data);
}

int
fs_bulk_write(struct fs_bulk *b, uint64_t off, struct slice data)
{
	struct bulk_file *f = &b->file;
	const uint8_t *p = data.data;
	size_t at, n;
	int rc = b->error;

	if (rc < 0 || f->name == NULL)
		return rc;
	if (off < f->end || off > SIZE_LIMIT || data.len > SIZE_LIMIT - off)
		rc = off < f->end ? -EINVAL : -EFBIG;
	f->end = off + data.len;
	while (rc == 0 && data.len != 0) {
		if (f->data.len != 0 && f->index != off / CHUNK_SIZE)
			rc = bulk_add_chunk(b);
		f->index = off / CHUNK_SIZE;
		at = (size_t)(off % CHUNK_SIZE);
		n = CHUNK_SIZE - at < data.len ? CHUNK_SIZE - at : data.len;
		if (rc == 0)
			rc = bulk_fill_chunk(f, at, p, n);
		off += n;
		p += n;
		data.len -= n;
	}
	if (rc == 0)
		return 0;
	f->name->is_dropped = true;
	rc = bulk_end_name(b, f->name->path, f->name->tag, rc);
	f->name = NULL;
	return rc;
}

/* The file is complete: its last bytes are inline if there are few. */
static int
bulk_finish_file(struct fs_bulk *b, uint64_t size)
{
	struct bulk_file *f = &b->file;
	struct bulk_inode *in = f->name->in;
	struct slice data = buf_slice(&f->data);
	uint8_t *p;

	if (size < f->end || size > SIZE_LIMIT)
		return size < f->end ? -EINVAL : -EFBIG;
	in->rec.size = size;
	b->bytes += f->spill_bytes + data.len;
	if (size > INLINE_MAX)
		return bulk_add_chunk(b);
	if (data.len == 0)
		return 0;
	data.len -= SCHEMA_TAG_LEN;
	p = txn_alloc(b->txn, data.len);
	if (p == NULL)
		return -ENOMEM;
	memcpy(p, (const uint8_t *)data.data + SCHEMA_TAG_LEN, data.len);
	in->data = slice_make(p, data.len);
	in->rec.inline_len = (uint32_t)data.len;
	in->rec.alloc = alloc_of(data.len);
	return 0;
}

int
fs_bulk_end_file(struct fs_bulk *b, uint64_t size, bool is_whole)
{
	struct bulk_name *n = b->file.name;
	int rc;

	if (b->error < 0 || n == NULL)
		return b->error;
	if (!is_whole) {
		n->is_dropped = true;
		b->file.name = NULL;
		return 0;
	}
	rc = bulk_finish_file(b, size);
	n->is_dropped = rc < 0;
	b->file.name = NULL;
	return bulk_end_name(b, n->path, n->tag, rc);
}
