/* SPDX-License-Identifier: ISC */
/* See archive_acl.h; the attribute's layout is in <linux/posix_acl_xattr.h>. */
#include "tools/archive_acl.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include "util/coding.h"

#define VERSION 2u
#define HEAD_BYTES 4u
#define ENTRY_BYTES 8u
#define NO_ID 0xffffffffu

static const struct {
	int archive;
	unsigned tag;
} tags[] = {
	{ ARCHIVE_ENTRY_ACL_USER_OBJ, 0x01 },
	{ ARCHIVE_ENTRY_ACL_USER, 0x02 },
	{ ARCHIVE_ENTRY_ACL_GROUP_OBJ, 0x04 },
	{ ARCHIVE_ENTRY_ACL_GROUP, 0x08 },
	{ ARCHIVE_ENTRY_ACL_MASK, 0x10 },
	{ ARCHIVE_ENTRY_ACL_OTHER, 0x20 },
};
#define TAGS (sizeof(tags) / sizeof(tags[0]))

static uint32_t
acl_tag(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static int
acl_compare(const void *a, const void *b)
{
	uint32_t x = acl_tag(a), y = acl_tag(b);

	if (x == y) {
		x = get_le32((const uint8_t *)a + 4);
		y = get_le32((const uint8_t *)b + 4);
	}
	return x < y ? -1 : x > y;
}

void
archive_acl_get(struct archive_entry *e, bool is_default, struct buf *value)
{
	int want = is_default ? ARCHIVE_ENTRY_ACL_TYPE_DEFAULT :
				ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
	int type, perm, tag, id;
	const char *name;
	uint8_t *p;

	if ((archive_entry_acl_types(e) & want) == 0 ||
	    archive_entry_acl_reset(e, want) == 0)
		return;
	buf_put_u32(value, VERSION);
	while (archive_entry_acl_next(e, want, &type, &perm, &tag, &id,
		   &name) == ARCHIVE_OK) {
		for (size_t i = 0; i < TAGS; i++) {
			if (tags[i].archive != tag)
				continue;
			buf_put_u32(value,
			    tags[i].tag | (uint32_t)(perm & 7) << 16);
			buf_put_u32(value,
			    tags[i].tag == 0x02 || tags[i].tag == 0x08 ?
				(uint32_t)id :
				NO_ID);
		}
	}
	if (buf_error(value) < 0)
		return;
	p = value->data + HEAD_BYTES;
	qsort(p, (value->len - HEAD_BYTES) / ENTRY_BYTES, ENTRY_BYTES,
	    acl_compare);
}

bool
archive_acl_put(struct archive_entry *e, struct slice name, struct slice value)
{
	bool is_default = slice_eq(name, slice_str(ACL_DEFAULT_NAME));
	const uint8_t *p = value.data;
	uint32_t id;

	if (!is_default && !slice_eq(name, slice_str(ACL_ACCESS_NAME)))
		return false;
	if (value.len < HEAD_BYTES || get_le32(p) != VERSION)
		return true;
	for (size_t at = HEAD_BYTES; at + ENTRY_BYTES <= value.len;
	     at += ENTRY_BYTES) {
		for (size_t i = 0; i < TAGS; i++) {
			if (tags[i].tag != acl_tag(p + at))
				continue;
			id = get_le32(p + at + 4);
			(void)archive_entry_acl_add_entry(e,
			    is_default ? ARCHIVE_ENTRY_ACL_TYPE_DEFAULT :
					 ARCHIVE_ENTRY_ACL_TYPE_ACCESS,
			    p[at + 2] & 7, tags[i].archive,
			    id == NO_ID ? -1 : (int)id, NULL);
		}
	}
	return true;
}
