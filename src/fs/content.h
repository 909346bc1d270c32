/* SPDX-License-Identifier: ISC */
/*
 * Contents of one inode that are not committed: whole images of the chunks
 * that changed, and the size and times that belong to them. What is
 * committed is the base below; a chunk that has a buffer here hides the
 * base's.
 *
 * Guarded as the inode's fields are (live_inode.h): who changes anything here has
 * change_mu and mu, but content.last, which is of who has mu. While a batch
 * that borrows buffers is committed, change_mu alone keeps them as they are.
 * An inode has a struct content exactly while there is something to commit.
 */
#ifndef KVFS_FS_CONTENT_H
#define KVFS_FS_CONTENT_H

#include <sys/tree.h>

#include "fs/live_inode.h"
#include "fs/txn.h"

struct dbuf {
	RB_ENTRY(dbuf) link;
	uint64_t index; /* of the chunk */
	uint8_t *mem; /* SCHEMA_TAG, then the data */
	uint32_t len; /* of the data; behind it are zeros. 0: a hole */
	uint32_t cap;
	uint32_t old_alloc; /* alloc_of() the base's chunk; 0: none */
	bool is_full; /* written up to its end */
};

static inline uint8_t *
dbuf_data(const struct dbuf *b)
{
	return b->mem + SCHEMA_TAG_LEN;
}

RB_HEAD(dbuf_tree, dbuf);
RB_PROTOTYPE(dbuf_tree, dbuf, link, dbuf_cmp)

struct content {
	struct dbuf_tree bufs;
	struct dbuf *last; /* used last */
	bool is_cut; /* the base's contents are void: truncated to 0 */
	uint64_t size, alloc;
	struct timespec mtime, ctime;
	size_t count; /* of bufs */
	size_t mem_bytes; /* as counted in the write-back cache */
	size_t data_bytes; /* sum of len */
	size_t full_bytes; /* of those that are full */
};

/* What one batch of contents carries at most. */
#define COMMIT_BYTES (4u << 20)
#define COMMIT_BUFS 16384u
/* Contents up to this ride in the batch of a rename, link or chmod. */
#define SHARED_BATCH_BYTES (1u << 20)

/* ---- Changing (content.c) ---- */

struct dbuf *content_find(struct content *c, uint64_t index);
/* The first buffer at or behind index. */
struct dbuf *content_next(struct content *c, uint64_t index);
/* Size of the base that is still true. */
uint64_t content_base_size(const struct inode *in);
/* Whether the base has every chunk below its size in full. */
bool content_base_is_dense(const struct inode *in);

/*
 * The base's chunk, as far as it is still true, without what waits above
 * it; empty when there is none. *pin holds the bytes.
 */
int content_base_chunk(struct fs *fs, struct inode *in, uint64_t index,
    struct kv_value *pin, struct slice *datap) REQUIRES(&in->mu);

/* Have a struct content; its times become now, or stay when it is NULL. The
 * same holds for now in all below. */
int content_touch(struct fs *fs, struct inode *in, const struct timespec *now)
    REQUIRES(&in->change_mu, &in->mu);
/* Write; returns how much, less than asked only when it had to stop. */
ssize_t content_write(struct fs *fs, struct inode *in, uint64_t off,
    struct slice data, const struct timespec *now)
    REQUIRES(&in->change_mu, &in->mu);
int content_truncate(struct fs *fs, struct inode *in, uint64_t size,
    const struct timespec *now) REQUIRES(&in->change_mu, &in->mu);
/* Make [off, end) read as zeros; does not change the size. */
int content_punch(struct fs *fs, struct inode *in, uint64_t off, uint64_t end,
    const struct timespec *now) REQUIRES(&in->change_mu, &in->mu);
/* Forget what waits, committed or not wanted any more. */
void content_drop(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);
/* The image of the base's chunk 0 when it is inline and must move. */
int content_load_inline(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);

/* ---- Buffers: for the sources of content only ---- */

/*
 * The buffer of a chunk, of which [start, end) will be written at once:
 * the base's bytes are read only when some of them stay.
 */
int content_get_buf(struct fs *fs, struct inode *in, uint64_t index,
    uint32_t start, uint32_t end, struct dbuf **bp)
    REQUIRES(&in->change_mu, &in->mu);
/* A new one of length 0; NULL without memory. */
struct dbuf *content_add_buf(struct fs *fs, struct content *c, uint64_t index,
    uint32_t old_alloc);
/* Set the length, with all that is counted by it. */
void content_set_len(struct fs *fs, struct content *c, struct dbuf *b,
    uint32_t len);
/* Drop one buffer; the caller has settled c->alloc. */
void content_free_buf(struct fs *fs, struct content *c, struct dbuf *b);

/* ---- Committing (content_commit.c) ---- */

/*
 * Add all that waits to t and to the record that will be committed with
 * it; at most COMMIT_BYTES may wait. *datap: the inline bytes to put with
 * the record. After the commit: content_committed().
 */
int content_stage(struct fs *fs, struct txn *t, struct inode *in,
    struct attr_rec *rec, struct slice *datap)
    REQUIRES(&in->change_mu, &in->mu);
void content_committed(struct fs *fs, struct inode *in, uint64_t seq)
    REQUIRES(&in->change_mu, &in->mu);
/* Commit all that waits, attributes too, in as many batches as needed:
 * each leaves a file that is true up to its size. */
int content_commit(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);
/* The same, but leave the last chunk when it is not full. */
int content_commit_full(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);
/* Commit until what waits can ride in another batch. */
int content_commit_to_fit(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);

#endif
