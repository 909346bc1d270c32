/* SPDX-License-Identifier: ISC */
/* Order of a batch's changes; see change.h. */
#include "engine/key/change.h"

#include <assert.h>
#include <stdlib.h>

#include "util/coding.h"

#define HEAD_LEN sizeof(uint64_t)
static_assert(KEY_PREFIX_LEN >= HEAD_LEN, "each key has a head");

/* Bytes 8 to 15 of the key; zeros behind its end. */
static uint64_t
second_head(struct slice user)
{
	uint8_t bytes[HEAD_LEN] = { 0 };

	if (user.len >= 2 * HEAD_LEN)
		return get_be64((const uint8_t *)user.data + HEAD_LEN);
	memcpy(bytes, (const uint8_t *)user.data + HEAD_LEN,
	    user.len - HEAD_LEN);
	return get_be64(bytes);
}

static int
change_cmp(const void *a, const void *b)
{
	struct slice x = ((const struct key_change *)a)->user;
	struct slice y = ((const struct key_change *)b)->user;
	uint64_t xh = get_be64(x.data), yh = get_be64(y.data);

	if (xh == yh) {
		xh = second_head(x);
		yh = second_head(y);
	}
	return (xh > yh) - (xh < yh);
}

static bool
is_sorted(const struct key_change *changes, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (change_cmp(&changes[i - 1], &changes[i]) > 0)
			return false;
	return true;
}

void
key_changes_sort(struct key_change *changes, size_t n)
{
	if (!is_sorted(changes, n))
		qsort(changes, n, sizeof(*changes), change_cmp);
}
