/* SPDX-License-Identifier: ISC */
/* Bulk changes: their beginning and end, memory, and failures. */
#include "fs/bulk.h"

#include <stdlib.h>

#include "fs/fs_state.h"
#include "fs/fs_time.h"

void *
bulk_alloc(struct fs_bulk *b, size_t n)
{
	void *p = arena_alloc(&b->arena, n);

	if (p == NULL)
		b->error = -ENOMEM;
	else
		memset(p, 0, n);
	return p;
}

struct slice
bulk_copy(struct fs_bulk *b, struct slice s)
{
	void *p = bulk_alloc(b, s.len + 1);

	if (p == NULL)
		return (struct slice){ 0 };
	if (s.len != 0)
		memcpy(p, s.data, s.len);
	return slice_make(p, s.len);
}

void
bulk_fail(struct fs_bulk *b, struct slice path, uint64_t tag, int rc)
{
	b->failures++;
	b->opts.failed(b->opts.arg, path, tag, rc);
}

int
bulk_end_name(struct fs_bulk *b, struct slice path, uint64_t tag, int rc)
{
	if (b->error == 0 &&
	    (rc == -ENOMEM || rc == -EIO || rc == -ENOSPC || rc == -EROFS))
		b->error = rc;
	if (b->error == 0 && rc < 0)
		bulk_fail(b, path, tag, rc);
	return b->error;
}

void
bulk_free_chunks(struct bulk_inode *in)
{
	struct bulk_row *row;

	STAILQ_FOREACH (row, &in->chunks, link)
		free((void *)(uintptr_t)row->value.data);
	STAILQ_INIT(&in->chunks);
}

int
fs_bulk_open(struct fs *fs, const struct fs_bulk_options *opts,
    struct fs_bulk **bp)
{
	struct fs_bulk *b;
	int rc;

	*bp = NULL;
	if (fs->read_only)
		return -EROFS;
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return -ENOMEM;
	b->fs = fs;
	b->opts = *opts;
	if (b->opts.batch_bytes == 0)
		b->opts.batch_bytes = BULK_BATCH_BYTES;
	b->began = fs_now();
	STAILQ_INIT(&b->names);
	STAILQ_INIT(&b->inodes);
	arena_init(&b->arena);
	rc = dir_get(fs, opts->base, &b->base);
	b->buckets = calloc(BULK_BUCKETS, sizeof(*b->buckets));
	b->txn = txn_begin(fs);
	if (rc == 0 && (b->buckets == NULL || b->txn == NULL))
		rc = -ENOMEM;
	if (rc < 0) {
		fs_bulk_close(b);
		return rc;
	}
	*bp = b;
	return 0;
}

void
bulk_reset(struct fs_bulk *b)
{
	struct bulk_inode *in;
	struct bulk_dir *d;

	STAILQ_FOREACH (in, &b->inodes, link) {
		bulk_free_chunks(in);
		if (in->is_spilled)
			orphan_enqueue(b->fs, in->ino, &in->rec);
	}
	SLIST_FOREACH (d, &b->dirs, by_ino)
		inode_put(b->fs, d->live);
	STAILQ_INIT(&b->names);
	STAILQ_INIT(&b->inodes);
	SLIST_INIT(&b->dirs);
	SLIST_INIT(&b->touched);
	b->top = NULL;
	if (b->buckets != NULL)
		memset(b->buckets, 0, BULK_BUCKETS * sizeof(*b->buckets));
	if (b->txn != NULL)
		txn_clear(b->txn);
	arena_fini(&b->arena);
	arena_init(&b->arena);
	b->count = b->bytes = 0;
}

void
fs_bulk_close(struct fs_bulk *b)
{
	if (b == NULL)
		return;
	bulk_reset(b);
	(void)txn_settle(b->fs, 0);
	buf_fini(&b->file.data);
	txn_end(b->fs, b->txn);
	arena_fini(&b->arena);
	inode_put(b->fs, b->base);
	free(b->buckets);
	free(b);
}

uint64_t
fs_bulk_stored(const struct fs_bulk *b)
{
	return b->stored;
}

uint64_t
fs_bulk_failures(const struct fs_bulk *b)
{
	return b->failures;
}
