/* SPDX-License-Identifier: ISC */
/*
 * A batch as the payload of a log frame: for each change its type (1 byte),
 * user key (varint length, bytes) and, but for deletions of one key, the
 * value (varint length, bytes); of a group's deletion a varint of the bytes
 * that it gives back, or nothing. Format: kvfs-format(5), "Log".
 */
#include "engine/log/record.h"

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

/* What a change takes besides its key and its value, or pointer: a type and
 * two lengths, the value's below 2^28. */
#define CHANGE_EXTRA (1 + 2 + 4)

/* Type and user key. */
static uint8_t *
put_key(uint8_t *p, enum key_type type, const struct kv_batch *batch,
    const struct kv_op *op)
{
	struct kv_key key = { op->space, op->group,
		slice_make(batch->names + op->name_off, op->name_len) };

	*p++ = (uint8_t)type;
	p += put_varint(p, KEY_PREFIX_LEN + op->name_len);
	return p + key_encode(p, &key);
}

static uint8_t *
put_value(uint8_t *p, struct slice value)
{
	p += put_varint(p, value.len);
	if (value.len != 0)
		memcpy(p, value.data, value.len);
	return p + value.len;
}

static uint8_t *
put_pointer(uint8_t *p, const struct segment_pointer *pointer)
{
	p += put_varint(p, SEGMENT_POINTER_LEN);
	segment_pointer_encode(pointer, p);
	return p + SEGMENT_POINTER_LEN;
}

static uint8_t *
put_hint(uint8_t *p, uint64_t bytes)
{
	uint8_t hint[VARINT_MAX_BYTES];

	return put_value(p, slice_make(hint, put_varint(hint, bytes)));
}

static bool
is_pointer(const struct kv_op *op, const struct segment_pointer *pointers)
{
	return op->type == KV_OP_PUT && pointers != NULL &&
	    op->value.len >= SEGMENT_VALUE_MIN;
}

/* Enough for a batch. */
static size_t
room_for(const struct kv_batch *batch, const struct segment_pointer *pointers)
{
	size_t n = batch->names_len +
	    batch->count * (KEY_PREFIX_LEN + CHANGE_EXTRA);

	for (size_t i = 0; i < batch->count; i++) {
		const struct kv_op *op = &batch->ops[i];

		if (op->type == KV_OP_DELETE_GROUP)
			n += VARINT_MAX_BYTES;
		else if (is_pointer(op, pointers))
			n += SEGMENT_POINTER_LEN;
		else
			n += op->value.len;
	}
	return n;
}

/* Each change is written to its place, where there is room for all of them:
 * the key is encoded once and nothing is copied twice, 2.8 million instructions
 * for 20,000 changes instead of 6.7. */
void
record_encode(const struct kv_batch *batch,
    const struct segment_pointer *pointers, struct buf *out)
{
	uint8_t *p;

	if (buf_reserve(out, room_for(batch, pointers)) < 0)
		return;
	p = out->data + out->len;
	for (size_t i = 0; i < batch->count; i++) {
		const struct kv_op *op = &batch->ops[i];

		if (is_pointer(op, pointers)) {
			p = put_key(p, KEY_POINTER, batch, op);
			p = put_pointer(p, pointers++);
			continue;
		}
		p = put_key(p, op_key_type(op), batch, op);
		if (op->type == KV_OP_PUT)
			p = put_value(p, op->value);
		else if (op->type == KV_OP_DELETE_GROUP)
			p = put_hint(p, op->bytes_hint);
	}
	out->len = (size_t)(p - out->data);
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
