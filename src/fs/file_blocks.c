/* SPDX-License-Identifier: ISC */
/* See file_blocks.h. */
#include "fs/file_blocks.h"

#include "fs/content.h"

/* In a damaged store a row may count less than its chunks take. */
static uint64_t
alloc_less(uint64_t alloc, uint32_t part)
{
	return alloc > part ? alloc - part : 0;
}

uint64_t
file_alloc(const struct inode *in)
{
	return in->content != NULL ? in->content->alloc : in->rec.alloc;
}

uint64_t
file_blocks(const struct inode *in)
{
	return file_alloc(in) / 512;
}

void
file_alloc_hide(struct content *c, const struct dbuf *b)
{
	c->alloc = alloc_less(c->alloc, b->old_alloc);
}

void
file_alloc_unhide(struct content *c, const struct dbuf *b)
{
	c->alloc += b->old_alloc;
}

void
file_alloc_resize(struct content *c, const struct dbuf *b, uint32_t len)
{
	c->alloc += alloc_of(len);
	c->alloc -= alloc_of(b->len);
}

void
file_alloc_replace(struct attr_rec *rec, const struct dbuf *b)
{
	rec->alloc = alloc_less(rec->alloc, b->old_alloc) + alloc_of(b->len);
}
