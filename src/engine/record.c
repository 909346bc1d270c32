/* SPDX-License-Identifier: ISC */
/*
 * A batch as the payload of a log frame: for each change its type (1 byte),
 * user key (varint length, bytes) and, but for deletions of one key, the
 * value (varint length, bytes); of a group's deletion a varint of the bytes
 * that it gives back, or nothing. Format: kvfs-format(5), "Log".
 */
#include "engine/db_internal.h"

static enum key_type
op_key_type(const struct kv_op *op)
{
	switch (op->type) {
	case KV_OP_PUT:
		return KEY_VALUE;
	case KV_OP_DELETE:
		return KEY_DELETE;
	case KV_OP_DELETE_GROUP:
		return KEY_DELETE_GROUP;
	}
	return KEY_DELETE;
}

void
record_encode(const struct kv_batch *batch,
    const struct segment_pointer *pointers, struct buf *out)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct kv_op *op = &batch->ops[i];
		uint8_t user[KEY_USER_MAX];
		uint8_t pointer[SEGMENT_POINTER_LEN];
		struct kv_key key = {
			.space = op->space,
			.group = op->group,
			.name = slice_make(batch->names + op->name_off,
			    op->name_len),
		};
		size_t len = key_encode(user, &key);

		if (op->type == KV_OP_PUT && pointers != NULL &&
		    op->value.len >= SEGMENT_VALUE_MIN) {
			segment_pointer_encode(pointers++, pointer);
			buf_put_u8(out, KEY_POINTER);
			buf_put_lenslice(out, slice_make(user, len));
			buf_put_lenslice(out,
			    slice_make(pointer, sizeof(pointer)));
			continue;
		}
		buf_put_u8(out, (uint8_t)op_key_type(op));
		buf_put_lenslice(out, slice_make(user, len));
		if (op->type == KV_OP_PUT) {
			buf_put_lenslice(out, op->value);
		} else if (op->type == KV_OP_DELETE_GROUP) {
			uint8_t hint[VARINT_MAX_BYTES];

			buf_put_lenslice(out,
			    slice_make(hint, put_varint(hint, op->bytes_hint)));
		}
	}
}

int
record_decode(struct slice payload, uint32_t count,
    int (*fn)(void *arg, enum key_type type, struct slice user,
	struct slice value),
    void *arg)
{
	struct cursor c = cursor_make(payload);

	for (uint32_t i = 0; i < count; i++) {
		uint8_t type = cursor_u8(&c);
		struct slice user = cursor_lenslice(&c);
		struct slice value = { 0 };
		int rc;

		if (type != KEY_DELETE)
			value = cursor_lenslice(&c);
		if (!c.ok || type > KEY_TYPE_MAX || user.len < KEY_PREFIX_LEN ||
		    user.len > KEY_USER_MAX || value.len > KV_VALUE_MAX ||
		    (type == KEY_DELETE_GROUP && user.len != KEY_PREFIX_LEN))
			return -KVFS_ECORRUPT;
		rc = fn(arg, (enum key_type)type, user, value);
		if (rc < 0)
			return rc;
	}
	return cursor_left(&c) == 0 ? 0 : -KVFS_ECORRUPT;
}
