/* SPDX-License-Identifier: ISC */
/* The buffers of dirty contents (content.h), for the sources that change
 * them. */
#ifndef KVFS_FS_CONTENT_BUF_H
#define KVFS_FS_CONTENT_BUF_H

#include "fs/content.h"

/*
 * The whole buffer of a chunk, of which the caller writes [start, end) at once.
 * The base's bytes are read only if some of them stay.
 */
int content_get_buf(struct fs *fs, struct inode *in, uint64_t index,
    uint32_t start, uint32_t end, struct dbuf **bp)
    REQUIRES(&in->change_mu, &in->mu);
/* A new buffer of length 0; NULL without memory. */
struct dbuf *content_add_buf(struct fs *fs, struct content *c, uint64_t index,
    uint32_t old_alloc);
/* Set the length of the data and of the chunk, and update the counters. */
void content_set_len(struct fs *fs, struct content *c, struct dbuf *b,
    uint32_t held, uint32_t len);
/* Make b a whole buffer of a hole. */
void content_set_hole(struct fs *fs, struct content *c, struct dbuf *b);
/* Make room for n bytes of data in b. is_run: a sequential write. */
int content_reserve(struct fs *fs, struct content *c, struct dbuf *b,
    uint32_t n, bool is_run);
/* The length of the base's chunk at most. */
uint32_t content_base_end(const struct inode *in, uint64_t index);
/* Free one buffer; the caller has corrected c->alloc. */
void content_free_buf(struct fs *fs, struct content *c, struct dbuf *b);

/* Free a new buffer unused: the base's chunk shows again. */
void content_undo_buf(struct fs *fs, struct content *c, struct dbuf *b);

/* ---- Partial buffers (content_part.c) ---- */

/*
 * The buffer in which [start, end) of a chunk can be written so that nothing of
 * the base is read: a partial one that this begins or goes on, or a whole one
 * that is there. *bp NULL: there is none; take content_get_buf().
 */
int content_get_part(struct fs *fs, struct inode *in, uint64_t index,
    uint32_t start, uint32_t end, struct dbuf **bp)
    REQUIRES(&in->change_mu, &in->mu);
/* Read the rest of the chunk into b. */
int content_make_whole(struct fs *fs, struct inode *in, struct dbuf *b)
    REQUIRES(&in->change_mu, &in->mu);
/* b holds its whole chunk now: its data begins at 0 and ends with it. */
void content_is_whole(struct content *c, struct dbuf *b);
/* Decide which partial buffers become patches, and make the others whole.
 * Call it before contents are staged. */
int content_decide_parts(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);

#endif
