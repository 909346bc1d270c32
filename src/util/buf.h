/* SPDX-License-Identifier: ISC */
/*
 * Growable bytes, owned. After a failed growth appends do nothing, so callers
 * need to check buf_error() only once at the end (as git's strbuf and
 * FoundationDB's builders do). One thread at a time.
 */
#ifndef KVFS_UTIL_BUF_H
#define KVFS_UTIL_BUF_H

#include <stdint.h>

#include "kvfs/slice.h"

struct buf {
	uint8_t *data;
	size_t len, cap;
	int error; /* 0 or -ENOMEM */
};

/* Life cycle. A zeroed struct buf is empty and valid. */
void buf_fini(struct buf *b);
/* Make it empty, without error; keep the memory. */
void buf_clear(struct buf *b);
/* Returns owned: the bytes, to free(3); the buf is empty afterwards. */
void *buf_detach(struct buf *b);

/* Size. */
int buf_reserve(struct buf *b, size_t more);
/* Append n bytes, which the caller fills in; NULL after -ENOMEM. */
uint8_t *buf_extend(struct buf *b, size_t n);

/* Content. */
void buf_append(struct buf *b, const void *data, size_t len);
void buf_append_slice(struct buf *b, struct slice s);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u32(struct buf *b, uint32_t v); /* little-endian */
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_varint(struct buf *b, uint64_t v); /* LEB128 */
void buf_put_lenslice(struct buf *b, struct slice s); /* varint length, bytes */

static inline struct slice
buf_slice(const struct buf *b)
{
	return slice_make(b->data, b->len);
}
static inline int
buf_error(const struct buf *b)
{
	return b->error;
}

#endif
