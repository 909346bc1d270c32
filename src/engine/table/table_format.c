/* SPDX-License-Identifier: ISC */
/*
 * Encoding of a table's footer and properties; layout in table_format.h.
 * Functions without state.
 */
#include "engine/table/table_format.h"

#include "util/compress.h"
#include "util/hash.h"

static const uint8_t table_magic[8] = "kvfstabl";

void
table_footer_encode(const struct table_footer *f, uint8_t dst[TABLE_FOOTER_LEN])
{
	memcpy(dst, table_magic, sizeof(table_magic));
	put_le32(dst + 8, f->version);
	put_le32(dst + 12, f->flags);
	put_le64(dst + 16, f->number);
	put_le64(dst + 24, f->filter_off);
	put_le64(dst + 32, f->index_off);
	put_le64(dst + 40, f->props_off);
	put_le64(dst + 48, f->footer_off);
	put_le64(dst + 56,
	    hash_bytes(dst, 56, table_seal_seed(f->number, f->footer_off)));
}

int
table_footer_decode(const uint8_t src[TABLE_FOOTER_LEN], uint64_t number,
    uint64_t file_bytes, struct table_footer *f, const char **whatp)
{
	uint64_t off = file_bytes - TABLE_FOOTER_LEN;

	*f = (struct table_footer){
		.version = get_le32(src + 8),
		.flags = get_le32(src + 12),
		.number = get_le64(src + 16),
		.filter_off = get_le64(src + 24),
		.index_off = get_le64(src + 32),
		.props_off = get_le64(src + 40),
		.footer_off = get_le64(src + 48),
	};
	if (memcmp(src, table_magic, sizeof(table_magic)) != 0) {
		*whatp = "no table footer at its end (cut short, or no table)";
		return -KVFS_ECORRUPT;
	}
	/* Seeded with the number in the footer, so that a renamed file is
	 * distinguished from a damaged one. */
	if (hash_bytes(src, 56, table_seal_seed(f->number, f->footer_off)) !=
	    get_le64(src + 56)) {
		*whatp = "footer does not match its checksum";
		return -KVFS_ECHECKSUM;
	}
	if (f->version > TABLE_VERSION || f->flags != 0) {
		*whatp = "written by a newer version of kvfs: use that one";
		return -EPROTO;
	}
	if (f->number != number) {
		*whatp = "is another table, by its footer: was it renamed?";
		return -KVFS_ECORRUPT;
	}
	if (f->version == 0 || f->footer_off != off || f->props_off > off ||
	    f->index_off > f->props_off || f->filter_off > f->index_off) {
		*whatp = "footer does not fit the file";
		return -KVFS_ECORRUPT;
	}
	return 0;
}

void
table_props_encode(const struct table_props *p,
    const struct table_bounds *bounds, struct buf *out)
{
	buf_put_u64(out, p->entries);
	buf_put_u64(out, p->deletes);
	buf_put_u64(out, p->group_deletes);
	buf_put_u64(out, p->raw_bytes);
	buf_put_u64(out, p->min_seq);
	buf_put_u64(out, p->max_seq);
	buf_put_u64(out, p->pointer_bytes);
	buf_put_u64(out, bounds->blocks);
	buf_put_lenslice(out, bounds->smallest);
	buf_put_lenslice(out, bounds->largest);
}

int
table_props_decode(struct slice raw, struct table_props *p,
    struct table_bounds *bounds)
{
	struct cursor c = cursor_make(raw);

	*p = (struct table_props){ 0 };
	p->entries = cursor_u64(&c);
	p->deletes = cursor_u64(&c);
	p->group_deletes = cursor_u64(&c);
	p->raw_bytes = cursor_u64(&c);
	p->min_seq = cursor_u64(&c);
	p->max_seq = cursor_u64(&c);
	p->pointer_bytes = cursor_u64(&c);
	bounds->blocks = cursor_u64(&c);
	bounds->smallest = cursor_lenslice(&c);
	bounds->largest = cursor_lenslice(&c);
	if (!c.ok || cursor_left(&c) != 0 || p->max_seq > SEQ_MAX ||
	    p->min_seq > p->max_seq)
		return -KVFS_ECORRUPT;
	if (p->entries == 0)
		return bounds->smallest.len == 0 && bounds->largest.len == 0 ?
		    0 :
		    -KVFS_ECORRUPT;
	if (!key_is_valid(bounds->smallest) || !key_is_valid(bounds->largest) ||
	    key_cmp(bounds->smallest, bounds->largest) > 0)
		return -KVFS_ECORRUPT;
	return 0;
}
