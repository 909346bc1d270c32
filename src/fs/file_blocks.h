/* SPDX-License-Identifier: ISC */
/*
 * How much space a file takes: the alloc of its row and of its dirty contents,
 * and st_blocks. Each piece of contents, a chunk or the inline bytes, counts in
 * whole ALLOC_UNITs (alloc_of()); holes count nothing.
 *
 * While contents are dirty, their alloc is that of the base, less old_alloc of
 * each buffer, plus alloc_of() the length of each. All functions: with the
 * locks of the inode's contents (content.h).
 */
#ifndef KVFS_FS_FILE_BLOCKS_H
#define KVFS_FS_FILE_BLOCKS_H

#include <stdint.h>

struct attr_rec;
struct content;
struct dbuf;
struct inode;

/* Bytes that the file takes, with what is dirty. */
uint64_t file_alloc(const struct inode *in);
/* The same as st_blocks, in units of 512 bytes. */
uint64_t file_blocks(const struct inode *in);

/* The new, empty buffer b hides the base's chunk. */
void file_alloc_hide(struct content *c, const struct dbuf *b);
/* It is freed unused: the base's chunk counts again. */
void file_alloc_unhide(struct content *c, const struct dbuf *b);
/* The length of b changes to len. */
void file_alloc_resize(struct content *c, const struct dbuf *b, uint32_t len);
/* In the row, b takes the place of the base's chunk. */
void file_alloc_replace(struct attr_rec *rec, const struct dbuf *b);

#endif
