/* SPDX-License-Identifier: ISC */
/* Rows about the store as a whole; see schema.h. */
#include "fs/schema.h"

/* A varint that must fit in 32 bits. */
static uint32_t
cursor_varint32(struct cursor *c)
{
	uint64_t v = cursor_varint(c);

	if (v > UINT32_MAX)
		c->ok = false;
	return (uint32_t)v;
}

size_t
schema_put_super(uint8_t *dst, const struct super_row *row)
{
	uint8_t *p = dst;

	*p++ = SCHEMA_TAG;
	p += put_varint(p, row->version);
	put_le32(p, row->refuse_flags);
	put_le32(p + 4, row->ro_flags);
	p += 8;
	p += put_varint(p, row->chunk_size);
	p += put_varint(p, row->created);
	return (size_t)(p - dst);
}

/* More fields may follow, of a newer program; they are ignored. */
int
schema_get_super(struct slice value, struct super_row *rowp)
{
	struct cursor c = cursor_make(value);
	int rc = schema_get_tag(&c);

	*rowp = (struct super_row){ 0 };
	if (rc < 0)
		return rc;
	rowp->version = cursor_varint32(&c);
	rowp->refuse_flags = cursor_u32(&c);
	rowp->ro_flags = cursor_u32(&c);
	rowp->chunk_size = cursor_varint32(&c);
	rowp->created = cursor_varint(&c);
	return c.ok ? 0 : -KVFS_ECORRUPT;
}

bool
schema_knows_super(const struct super_row *row)
{
	return row->version <= SUPER_VERSION &&
	    (row->refuse_flags & ~(uint32_t)SUPER_PATCHES) == 0 &&
	    row->chunk_size == CHUNK_SIZE;
}

size_t
schema_put_number(uint8_t *dst, uint64_t v)
{
	*dst = SCHEMA_TAG;
	return 1 + put_varint(dst + 1, v);
}

int
schema_get_number(struct slice value, uint64_t *vp)
{
	struct cursor c = cursor_make(value);
	int rc = schema_get_tag(&c);

	*vp = 0;
	if (rc < 0)
		return rc;
	*vp = cursor_varint(&c);
	return c.ok && cursor_left(&c) == 0 ? 0 : -KVFS_ECORRUPT;
}

size_t
schema_put_count(uint8_t *dst, const struct count_row *row)
{
	dst[0] = SCHEMA_TAG;
	dst[1] = row->is_exact;
	return 2 + put_varint(dst + 2, row->inodes);
}

int
schema_get_count(struct slice value, struct count_row *rowp)
{
	struct cursor c = cursor_make(value);
	int rc = schema_get_tag(&c);

	*rowp = (struct count_row){ 0 };
	if (rc < 0)
		return rc;
	rowp->is_exact = cursor_u8(&c) == 1;
	rowp->inodes = cursor_varint(&c);
	return c.ok && cursor_left(&c) == 0 ? 0 : -KVFS_ECORRUPT;
}
