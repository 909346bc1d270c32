/* SPDX-License-Identifier: ISC */
/*
 * The dirty contents of one inode, not committed yet: a buffer for each
 * changed chunk, and the size and times that belong to them. The committed
 * contents are called the base: chunks, and patches over them. A whole buffer
 * hides the base's chunk. A partial one has only the bytes of one range, which
 * lie over the base's chunk, and mostly becomes a patch (inode_patches.h).
 *
 * Locks: as for the inode's fields (live_inode.h), a thread that changes
 * anything here has change_mu and mu; content.last needs mu only. While a
 * batch that borrows buffers is committed, change_mu alone keeps them from
 * changing. An inode has a struct content exactly while it is dirty.
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
	uint32_t
	    start; /* partial: where in the chunk the data begins; else 0 */
	uint32_t held; /* bytes of data */
	uint32_t len; /* of the chunk; zeros follow. 0: a hole */
	uint32_t cap;
	uint32_t old_alloc; /* alloc_of() the base's chunk; 0: none */
	bool is_partial;
	bool is_grown; /* partial: it makes the chunk longer */
	bool is_full; /* whole, and written up to its end */
};

static inline uint32_t
dbuf_end(const struct dbuf *b)
{
	return b->start + b->held;
}

static inline uint8_t *
dbuf_data(const struct dbuf *b)
{
	return b->mem + SCHEMA_TAG_LEN;
}

RB_HEAD(dbuf_tree, dbuf);
RB_PROTOTYPE(dbuf_tree, dbuf, link, dbuf_cmp)

struct content {
	struct dbuf_tree bufs;
	struct dbuf *last; /* the one that was used last */
	bool is_cut; /* truncated to 0: the base's contents are void */
	uint64_t size, alloc;
	struct timespec mtime, ctime;
	size_t count; /* of bufs */
	size_t partials; /* of bufs, the partial ones */
	size_t mem_bytes; /* counted in the write-back cache */
	size_t data_bytes; /* sum of held */
	size_t full_bytes; /* sum of len of full buffers */
};

/* The most bytes of contents in one batch. */
#define COMMIT_BYTES (4u << 20)
#define COMMIT_BUFS 16384u
/* Contents up to this size are committed in the same batch as a rename, link
 * or chmod of their file. */
#define SHARED_BATCH_BYTES (1u << 20)

/* ---- Changing (content.c) ---- */

struct dbuf *content_find(struct content *c, uint64_t index);
/* The first buffer at or after index. */
struct dbuf *content_next(struct content *c, uint64_t index);
/* The base's size that is still valid. */
uint64_t content_base_size(const struct inode *in);
/* Does the base have every chunk below its size, in full? */
bool content_base_is_dense(const struct inode *in);

/*
 * The base's chunk, with its patches, as far as it is still valid, without
 * dirty bytes; empty when there is none. *datap is valid until *pin is
 * released.
 */
int content_base_chunk(struct fs *fs, struct inode *in, uint64_t index,
    struct kv_value *pin, struct slice *datap) REQUIRES(&in->mu);

/* Make a struct content if there is none, and set its times to now. now NULL,
 * here and below, leaves the times. */
int content_touch(struct fs *fs, struct inode *in, const struct timespec *now)
    REQUIRES(&in->change_mu, &in->mu);
/* Write data at off. Returns the bytes written, fewer than asked only after
 * an error. */
ssize_t content_write(struct fs *fs, struct inode *in, uint64_t off,
    struct slice data, const struct timespec *now)
    REQUIRES(&in->change_mu, &in->mu);
int content_truncate(struct fs *fs, struct inode *in, uint64_t size,
    const struct timespec *now) REQUIRES(&in->change_mu, &in->mu);
/* Make [off, end) read as zeros; does not change the size. */
int content_punch(struct fs *fs, struct inode *in, uint64_t off, uint64_t end,
    const struct timespec *now) REQUIRES(&in->change_mu, &in->mu);
/* Free the dirty contents, which were committed or are not wanted. */
void content_drop(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);
/* Drop dirty contents that could not be committed: the inode is as it was
 * before. */
void content_discard(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);
/* Make a buffer of the base's inline contents, which must move to a chunk
 * row. */
int content_load_inline(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);

/* ---- Committing (content_commit.c) ---- */

/*
 * Add all dirty contents, at most COMMIT_BYTES, to t, and to the record rec,
 * which the caller adds to t with the inline bytes *datap. After the commit
 * it calls content_committed().
 */
int content_stage(struct fs *fs, struct txn *t, struct inode *in,
    struct attr_rec *rec, struct slice *datap)
    REQUIRES(&in->change_mu, &in->mu);
void content_committed(struct fs *fs, struct inode *in, uint64_t seq)
    REQUIRES(&in->change_mu, &in->mu);
/* Commit all dirty contents, and the attributes, in as many batches as
 * needed. After each batch the file is complete up to its size. */
int content_commit(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);
/* The same, but leave the last chunk dirty when it is not full. */
int content_commit_full(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);
/* Commit until at most SHARED_BATCH_BYTES are dirty. */
int content_commit_to_fit(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);

#endif
