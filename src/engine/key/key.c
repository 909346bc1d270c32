/* SPDX-License-Identifier: ISC */
/* Encoding and order of keys; see key.h. */
#include "engine/key/key.h"

bool
key_is_valid(struct slice ikey)
{
	return ikey.len >= KEY_PREFIX_LEN + KEY_TRAILER_LEN &&
	    ikey.len <= KEY_INTERNAL_MAX &&
	    (key_trailer(ikey) & 0xff) <= KEY_TYPE_MAX;
}

int
key_cmp(struct slice a, struct slice b)
{
	int c = slice_cmp(key_user(a), key_user(b));
	uint64_t ta, tb;

	if (c != 0)
		return c;
	ta = key_trailer(a);
	tb = key_trailer(b);
	return ta > tb ? -1 : ta < tb;
}

size_t
key_encode(uint8_t *dst, const struct kv_key *k)
{
	dst[0] = k->space;
	put_be64(dst + 1, k->group);
	if (k->name.len != 0)
		memcpy(dst + KEY_PREFIX_LEN, k->name.data, k->name.len);
	return KEY_PREFIX_LEN + k->name.len;
}

struct kv_key
key_decode(struct slice user)
{
	const uint8_t *p = user.data;

	return (struct kv_key){
		.space = p[0],
		.group = get_be64(p + 1),
		.name = slice_make(p + KEY_PREFIX_LEN,
		    user.len - KEY_PREFIX_LEN),
	};
}

size_t
key_group_end(uint8_t dst[KEY_PREFIX_LEN], struct slice user)
{
	memcpy(dst, user.data, KEY_PREFIX_LEN);
	/* Add 1 to space and group as one big-endian number. The last group of
	 * the last space has no successor: callers of kv.h do not use it, and
	 * with 0xff.. bytes the end would only be one group too low. */
	for (int i = KEY_PREFIX_LEN - 1; i >= 0; i--)
		if (++dst[i] != 0)
			return KEY_PREFIX_LEN;
	memset(dst, 0xff, KEY_PREFIX_LEN);
	return KEY_PREFIX_LEN;
}
