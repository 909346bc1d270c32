/* SPDX-License-Identifier: ISC */
/* Order of a batch's changes; see change.h. */
#include "engine/key/change.h"

#include <string.h>

#define HEAD_LEN sizeof(uint32_t)
#define DIGITS 256

/* How many bytes all keys begin with. */
static size_t
prefix_of_all(const struct key_change *changes, size_t n)
{
	struct slice first = changes[0].user;
	size_t len = first.len;

	for (size_t i = 1; i < n; i++) {
		struct slice user = changes[i].user;

		if (len > user.len)
			len = user.len;
		/* Mostly it does not get shorter. */
		if (memcmp(first.data, user.data, len) != 0)
			len = common_prefix(first.data, user.data, len);
	}
	return len;
}

/* The bytes from off on, zeros where the key ends. */
static uint32_t
head_at(struct slice user, size_t off)
{
	const uint8_t *p = (const uint8_t *)user.data + off;
	size_t left = user.len - off;
	uint32_t head = 0;

	for (size_t i = 0; i < HEAD_LEN; i++)
		head = head << 8 | (i < left ? p[i] : 0);
	return head;
}

/* One pass of a radix sort: by the eight bits from shift on, keeping the order
 * of what has the same. False: all have the same, nothing is moved. */
static bool
sort_by_digit(const struct change_place *from, struct change_place *to,
    size_t n, unsigned shift)
{
	size_t starts[DIGITS] = { 0 }, sum = 0;

	for (size_t i = 0; i < n; i++)
		starts[from[i].head >> shift & (DIGITS - 1)]++;
	if (starts[from[0].head >> shift & (DIGITS - 1)] == n)
		return false;
	for (size_t d = 0; d < DIGITS; d++) {
		size_t count = starts[d];

		starts[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[starts[from[i].head >> shift & (DIGITS - 1)]++] = from[i];
	return true;
}

const struct change_place *
key_changes_order(const struct key_change *changes, size_t n,
    struct change_place *space)
{
	struct change_place *from = space, *to = space + n, *old;
	size_t prefix = prefix_of_all(changes, n);
	bool is_sorted = true;

	for (size_t i = 0; i < n; i++) {
		from[i] = (struct change_place){
			.head = head_at(changes[i].user, prefix),
			.index = (uint32_t)i,
		};
		is_sorted &= i == 0 || from[i - 1].head <= from[i].head;
	}
	for (unsigned shift = 0; shift < 32 && !is_sorted; shift += 8) {
		if (!sort_by_digit(from, to, n, shift))
			continue;
		old = from;
		from = to;
		to = old;
	}
	return from;
}
