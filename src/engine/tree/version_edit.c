/* SPDX-License-Identifier: ISC */
/* Encoding of version edits: the payload of a manifest's record. */
#include <errno.h>
#include <stdlib.h>

#include "engine/tree/manifest.h"
#include "kvfs/kv.h"
#include "util/coding.h"

/* On disk: never renumber. */
enum edit_tag {
	TAG_LOG_NUMBER = 1,
	TAG_NEXT_FILE = 2,
	TAG_LAST_SEQ = 3,
	TAG_ADD = 4,
	TAG_REMOVE = 5,
};

#define SEGMENT_USES_MAX (1u << 20)

static void
encode_add(int level, const struct table_file *f, struct buf *out)
{
	const struct table_props *p = &f->props;

	buf_put_varint(out, TAG_ADD);
	buf_put_varint(out, (uint64_t)level);
	buf_put_varint(out, f->number);
	buf_put_varint(out, p->file_bytes);
	buf_put_varint(out, p->entries);
	buf_put_varint(out, p->deletes);
	buf_put_varint(out, p->group_deletes);
	buf_put_varint(out, p->raw_bytes);
	buf_put_varint(out, p->min_seq);
	buf_put_varint(out, p->max_seq);
	buf_put_varint(out, p->pointer_bytes);
	buf_put_varint(out, f->reclaim_bytes);
	buf_put_lenslice(out, f->smallest);
	buf_put_lenslice(out, f->limit);
	buf_put_varint(out, f->use_count);
	for (size_t i = 0; i < f->use_count; i++) {
		buf_put_varint(out, f->uses[i].segment);
		buf_put_varint(out, f->uses[i].bytes);
	}
}

void
version_edit_encode(const struct version_edit *e, struct buf *out)
{
	if (e->log_number != 0) {
		buf_put_varint(out, TAG_LOG_NUMBER);
		buf_put_varint(out, e->log_number);
	}
	if (e->next_file != 0) {
		buf_put_varint(out, TAG_NEXT_FILE);
		buf_put_varint(out, e->next_file);
	}
	if (e->last_seq != 0) {
		buf_put_varint(out, TAG_LAST_SEQ);
		buf_put_varint(out, e->last_seq);
	}
	for (size_t i = 0; i < e->remove_count; i++) {
		buf_put_varint(out, TAG_REMOVE);
		buf_put_varint(out, (uint64_t)e->removes[i].level);
		buf_put_varint(out, e->removes[i].number);
	}
	for (size_t i = 0; i < e->add_count; i++)
		encode_add(e->adds[i].level, e->adds[i].file, out);
}

static bool
is_user_key(struct slice s)
{
	/* A limit may be one byte longer than the longest key. */
	return s.len >= KEY_PREFIX_LEN && s.len <= KEY_USER_MAX + 1;
}

static int
decode_add(struct cursor *c, struct version_edit *e)
{
	uint64_t level = cursor_varint(c);
	uint64_t number = cursor_varint(c);
	struct table_props p = {
		.file_bytes = cursor_varint(c),
	};
	struct segment_use *uses = NULL;
	struct slice smallest, limit;
	struct table_file *f;
	uint64_t reclaim_bytes, use_count;
	int rc = -KVFS_ECORRUPT;

	p.entries = cursor_varint(c);
	p.deletes = cursor_varint(c);
	p.group_deletes = cursor_varint(c);
	p.raw_bytes = cursor_varint(c);
	p.min_seq = cursor_varint(c);
	p.max_seq = cursor_varint(c);
	p.pointer_bytes = cursor_varint(c);
	reclaim_bytes = cursor_varint(c);
	smallest = cursor_lenslice(c);
	limit = cursor_lenslice(c);
	use_count = cursor_varint(c);
	if (!c->ok || level >= LEVELS || number == 0 || p.max_seq > SEQ_MAX ||
	    p.min_seq > p.max_seq || !is_user_key(smallest) ||
	    !is_user_key(limit) || slice_cmp(smallest, limit) >= 0 ||
	    use_count > SEGMENT_USES_MAX || use_count > cursor_left(c))
		return -KVFS_ECORRUPT;
	uses = calloc(use_count + 1, sizeof(*uses));
	if (uses == NULL)
		return -ENOMEM;
	for (uint64_t i = 0; i < use_count; i++) {
		uses[i].segment = cursor_varint(c);
		uses[i].bytes = cursor_varint(c);
	}
	if (!c->ok)
		goto out;
	rc = -ENOMEM;
	f = table_file_create(number, &p, smallest, limit, uses, use_count,
	    reclaim_bytes);
	if (f == NULL)
		goto out;
	rc = version_edit_add(e, (int)level, f);
	if (rc < 0)
		table_file_free(f);
out:
	free(uses);
	return rc;
}

int
version_edit_decode(struct slice payload, struct version_edit *e)
{
	struct cursor c = cursor_make(payload);
	uint64_t level, number;
	int rc = 0;

	*e = (struct version_edit){ 0 };
	while (c.ok && cursor_left(&c) > 0 && rc == 0) {
		switch (cursor_varint(&c)) {
		case TAG_LOG_NUMBER:
			e->log_number = cursor_varint(&c);
			break;
		case TAG_NEXT_FILE:
			e->next_file = cursor_varint(&c);
			break;
		case TAG_LAST_SEQ:
			e->last_seq = cursor_varint(&c);
			break;
		case TAG_ADD:
			rc = decode_add(&c, e);
			break;
		case TAG_REMOVE:
			level = cursor_varint(&c);
			number = cursor_varint(&c);
			rc = level < LEVELS ?
			    version_edit_remove(e, (int)level, number) :
			    -KVFS_ECORRUPT;
			break;
		default:
			rc = -KVFS_ECORRUPT;
		}
	}
	if (rc == 0 && (!c.ok || e->last_seq > SEQ_MAX))
		rc = -KVFS_ECORRUPT;
	if (rc < 0)
		version_edit_fini(e);
	return rc;
}
