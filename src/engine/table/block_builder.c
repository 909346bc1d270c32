/* SPDX-License-Identifier: ISC */
/* Data blocks, write side; see block_builder.h. */
#include "engine/table/block_builder.h"

#include "engine/table/table_format.h"

void
block_builder_init(struct block_builder *b, uint32_t interval)
{
	*b = (struct block_builder){ .interval = interval != 0 ? interval : 1 };
}

void
block_builder_fini(struct block_builder *b)
{
	buf_fini(&b->restarts);
	buf_fini(&b->keys);
	buf_fini(&b->values);
	buf_fini(&b->raw);
}

/* How many bytes user shares with the last key; -EINVAL if ikey does not sort
 * behind it. */
static ssize_t
shared_with_last(const struct block_builder *b, struct slice ikey,
    struct slice user)
{
	const uint8_t *data = user.data;
	size_t last_len = b->last_len - KEY_TRAILER_LEN;
	size_t n = user.len < last_len ? user.len : last_len;
	size_t shared = common_prefix(data, b->last, n);

	if (shared < n) {
		if (data[shared] < b->last[shared])
			return -EINVAL;
	} else if (user.len != last_len) {
		if (user.len < last_len)
			return -EINVAL;
	} else if (key_trailer(ikey) >= get_le64(b->last + last_len)) {
		return -EINVAL;
	}
	return (ssize_t)shared;
}

int
block_builder_add(struct block_builder *b, struct slice ikey,
    struct slice value)
{
	struct slice user;
	ssize_t shared = 0;
	size_t rest;
	uint8_t *p;

	if (!key_is_valid(ikey) || value.len > KV_VALUE_MAX)
		return -EINVAL;
	user = key_user(ikey);
	if (b->last_len != 0) {
		shared = shared_with_last(b, ikey, user);
		if (shared < 0)
			return (int)shared;
	}
	if (b->count == 0 || b->since_restart == b->interval) {
		shared = 0;
		b->since_restart = 0;
		buf_put_u32(&b->restarts, (uint32_t)b->keys.len);
		buf_put_u32(&b->restarts, (uint32_t)b->values.len);
	}
	rest = ikey.len - (size_t)shared; /* trailer included */
	if (buf_reserve(&b->keys, 3 * VARINT_MAX_BYTES + rest) < 0 ||
	    buf_error(&b->restarts) != 0)
		return -ENOMEM;
	p = b->keys.data + b->keys.len;
	p += put_varint(p, (uint64_t)shared);
	p += put_varint(p, user.len - (size_t)shared);
	p += put_varint(p, value.len);
	memcpy(p, (const uint8_t *)ikey.data + shared, rest);
	b->keys.len = (size_t)(p + rest - b->keys.data);
	buf_append_slice(&b->values, value);
	memcpy(b->last, ikey.data, ikey.len);
	b->last_len = ikey.len;
	b->since_restart++;
	b->count++;
	return buf_error(&b->values);
}

size_t
block_builder_size(const struct block_builder *b)
{
	return BLOCK_HEADER_LEN + b->restarts.len + b->keys.len + b->values.len;
}

int
block_builder_finish(struct block_builder *b, struct slice *rawp)
{
	buf_clear(&b->raw);
	buf_reserve(&b->raw, block_builder_size(b));
	buf_put_u32(&b->raw, (uint32_t)(b->restarts.len / BLOCK_RESTART_LEN));
	buf_put_u32(&b->raw, (uint32_t)b->keys.len);
	buf_append_slice(&b->raw, buf_slice(&b->restarts));
	buf_append_slice(&b->raw, buf_slice(&b->keys));
	buf_append_slice(&b->raw, buf_slice(&b->values));
	*rawp = buf_slice(&b->raw);
	return buf_error(&b->raw);
}

void
block_builder_reset(struct block_builder *b)
{
	buf_clear(&b->restarts);
	buf_clear(&b->keys);
	buf_clear(&b->values);
	b->count = 0;
	b->since_restart = 0;
}
