/* SPDX-License-Identifier: ISC */
/*
 * Encodes a batch as the payload of a log frame. Each change has a type (1
 * byte), a user key (varint length, bytes) and, except for deletions of one
 * key, a value (varint length, bytes). The value of a group's deletion is a
 * varint of the bytes that it frees, or empty. Format: kvfs-format(5), "Log".
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

/* Size of a change without key and value or pointer: a type and two lengths;
 * that of the value is below 2^28. */
#define CHANGE_EXTRA (1 + 2 + 4)

/* Write type and user key; change->user points to the key. */
static uint8_t *
put_key(uint8_t *p, const struct kv_batch *batch, const struct kv_op *op,
    struct key_change *change)
{
	struct kv_key key = { op->space, op->group,
		slice_make(batch->names + op->name_off, op->name_len) };
	size_t len;

	*p++ = (uint8_t)change->type;
	p += put_varint(p, KEY_PREFIX_LEN + op->name_len);
	len = key_encode(p, &key);
	change->user = slice_make(p, len);
	return p + len;
}

/* Write the value, or leave room for len bytes if data is NULL. */
static uint8_t *
put_value(uint8_t *p, const void *data, size_t len, struct key_change *change)
{
	p += put_varint(p, len);
	if (data != NULL && len != 0)
		memcpy(p, data, len);
	change->value = slice_make(p, len);
	return p + len;
}

static uint8_t *
put_hint(uint8_t *p, uint64_t bytes, struct key_change *change)
{
	uint8_t hint[VARINT_MAX_BYTES];

	return put_value(p, hint, put_varint(hint, bytes), change);
}

static bool
is_pointer(const struct kv_op *op, bool has_pointers)
{
	return has_pointers && op->type == KV_OP_PUT &&
	    op->value.len >= SEGMENT_VALUE_MIN;
}

/* An upper bound for the size of the encoded batch. */
static size_t
room_for(const struct kv_batch *batch, bool has_pointers)
{
	size_t n = batch->names_len +
	    batch->count * (KEY_PREFIX_LEN + CHANGE_EXTRA);

	for (size_t i = 0; i < batch->count; i++) {
		const struct kv_op *op = &batch->ops[i];

		if (op->type == KV_OP_DELETE_GROUP)
			n += VARINT_MAX_BYTES;
		else if (is_pointer(op, has_pointers))
			n += SEGMENT_POINTER_LEN;
		else
			n += op->value.len;
	}
	return n;
}

/* Memory for all changes is allocated at once, and each one is written directly
 * to its place: the key is encoded once, and nothing is copied twice. */
void
record_encode(const struct kv_batch *batch, bool has_pointers, struct buf *out,
    struct key_change *changes)
{
	uint8_t *p;

	if (buf_reserve(out, room_for(batch, has_pointers)) < 0)
		return;
	p = out->data + out->len;
	for (size_t i = 0; i < batch->count; i++) {
		const struct kv_op *op = &batch->ops[i];
		bool pointer = is_pointer(op, has_pointers);
		struct key_change *c = &changes[i];

		*c = (struct key_change){ .type = pointer ? KEY_POINTER :
							    op_key_type(op) };
		p = put_key(p, batch, op, c);
		if (pointer)
			p = put_value(p, NULL, SEGMENT_POINTER_LEN, c);
		else if (op->type == KV_OP_PUT)
			p = put_value(p, op->value.data, op->value.len, c);
		else if (op->type == KV_OP_DELETE_GROUP)
			p = put_hint(p, op->bytes_hint, c);
	}
	out->len = (size_t)(p - out->data);
}

void
record_set_pointer(struct buf *out, const struct key_change *change,
    const struct segment_pointer *pointer)
{
	size_t off = (size_t)((const uint8_t *)change->value.data - out->data);

	segment_pointer_encode(pointer, out->data + off);
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
