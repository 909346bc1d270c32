/* SPDX-License-Identifier: ISC */
/*
 * kv_batch of kv.h: the list of changes for a commit. It does not use the
 * engine, so that any store behind kv.h can use it.
 */
#include <stdlib.h>

#include "kvfs/kv.h"

void
kv_batch_init(struct kv_batch *b)
{
	*b = (struct kv_batch){ 0 };
}

void
kv_batch_clear(struct kv_batch *b)
{
	b->count = 0;
	b->names_len = 0;
	b->error = 0;
	b->bytes = 0;
	b->is_reserved = false;
	b->no_reclaim = false;
	b->settles_later = false;
}

void
kv_batch_fini(struct kv_batch *b)
{
	free(b->ops);
	free(b->names);
	*b = (struct kv_batch){ 0 };
}

/* Grow *arrayp, which has room for *capp elements of size bytes, to need
 * elements. 0 or -ENOMEM. */
static int
batch_grow_array(void **arrayp, size_t *capp, size_t need, size_t size)
{
	size_t cap = *capp != 0 ? *capp : 16;
	void *p;

	if (need <= *capp)
		return 0;
	while (cap < need)
		cap *= 2;
	p = realloc(*arrayp, cap * size);
	if (p == NULL)
		return -ENOMEM;
	*arrayp = p;
	*capp = cap;
	return 0;
}

static void
batch_add(struct kv_batch *b, enum kv_op_type type, const struct kv_key *key,
    struct slice value)
{
	void *ops = b->ops, *names = b->names;

	if (b->error != 0)
		return;
	if (key->name.len > KV_NAME_MAX) {
		b->error = -EINVAL;
		return;
	}
	if (value.len > KV_VALUE_MAX ||
	    b->bytes + key->name.len + value.len > KV_BATCH_MAX) {
		b->error = -E2BIG;
		return;
	}
	b->error = batch_grow_array(&ops, &b->cap, b->count + 1,
	    sizeof(*b->ops));
	b->ops = ops;
	if (b->error != 0)
		return;
	b->error = batch_grow_array(&names, &b->names_cap,
	    b->names_len + key->name.len, 1);
	b->names = names;
	if (b->error != 0)
		return;
	if (key->name.len != 0)
		memcpy(b->names + b->names_len, key->name.data, key->name.len);
	b->ops[b->count++] = (struct kv_op){
		.type = type,
		.space = key->space,
		.group = key->group,
		.name_off = b->names_len,
		.name_len = key->name.len,
		.value = value,
	};
	b->names_len += key->name.len;
	b->bytes += key->name.len + value.len;
}

void
kv_batch_put(struct kv_batch *b, const struct kv_key *key, struct slice value)
{
	batch_add(b, KV_OP_PUT, key, value);
}

void
kv_batch_delete(struct kv_batch *b, const struct kv_key *key)
{
	batch_add(b, KV_OP_DELETE, key, (struct slice){ 0 });
}

void
kv_batch_delete_group(struct kv_batch *b, uint8_t space, uint64_t group)
{
	kv_batch_delete_group_hint(b, space, group, 0);
}

void
kv_batch_delete_group_hint(struct kv_batch *b, uint8_t space, uint64_t group,
    uint64_t bytes)
{
	struct kv_key key = { .space = space, .group = group };

	batch_add(b, KV_OP_DELETE_GROUP, &key, (struct slice){ 0 });
	if (b->error == 0)
		b->ops[b->count - 1].bytes_hint = bytes;
}
