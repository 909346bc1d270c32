/* SPDX-License-Identifier: ISC */
/*
 * Reads a part of a chunk that is in several pieces: its row, patches over it,
 * and over these the bytes of a partial buffer (content.h). For op_read.c.
 */
#ifndef KVFS_FS_READ_MIX_H
#define KVFS_FS_READ_MIX_H

#include "fs/inode_patches.h"

struct read_mix {
	uint8_t *bytes; /* the result, n of them */
	uint8_t *dirty; /* copy of bytes of the buffer */
	uint32_t dirty_start, dirty_end; /* in the chunk */
	uint32_t len; /* of the chunk, at least */
	bool has_chunk; /* its row is to be read */
	uint32_t count; /* of v: the patches to read */
	struct patch v[PATCH_ROWS_MAX];
};

/* Is [from, from + n) of a chunk in several pieces? */
bool read_mix_is_needed(const struct inode *in, uint64_t index, uint32_t from,
    uint32_t n) REQUIRES(&in->mu);
/* The number of such chunks among len bytes from off. */
size_t read_mix_count(const struct inode *in, uint64_t off, size_t len)
    REQUIRES(&in->mu);
/* Describe them, and copy what is dirty. mem: 2 * n bytes, for as long as m is
 * used. false: all of it is dirty, nothing is to be fetched. */
bool read_mix_plan(const struct inode *in, uint64_t index, uint32_t from,
    uint32_t n, struct read_mix *m, uint8_t *mem) REQUIRES(&in->mu);
/*
 * Put the pieces together: base, the chunk's bytes from its begin on, the
 * patches, which are read, and what is dirty. With or without the lock. *datap
 * gets the bytes from from on, at most n; zeros follow.
 */
int read_mix_fetch(struct fs *fs, uint64_t ino, uint64_t index, uint32_t from,
    uint32_t n, struct slice base, struct read_mix *m, struct slice *datap);

#endif
