/* SPDX-License-Identifier: ISC */
/*
 * Arbitrary bytes as a hot list. The first byte chooses: the rest is the
 * whole file; or a payload behind a header whose sums are right, for so many
 * blocks as the next two bytes say. What is taken comes back the same when
 * it is written again.
 */
#include <stdlib.h>

#include "engine/cache/hot_list.h"
#include "support/fuzz.h"
#include "util/coding.h"
#include "util/crc32c.h"

#define HEADER_LEN 32

static void
forge(struct buf *b, const uint8_t *data, size_t size)
{
	struct hot_list none = { 0 };

	hot_list_encode(&none, b);
	buf_append(b, data + 2, size - 2);
	if (buf_error(b) < 0)
		abort();
	put_le32(b->data + 16, data[0] | (uint32_t)data[1] << 8);
	put_le32(b->data + 20, (uint32_t)(size - 2));
	put_le32(b->data + 24, crc32c_sum(0, data + 2, size - 2));
	put_le32(b->data + 28, crc32c_sum(0, b->data, 28));
}

static void
check_round(const struct hot_list *l)
{
	struct hot_list again;
	struct buf b = { 0 };

	hot_list_encode(l, &b);
	if (hot_list_decode(buf_slice(&b), &again) < 0 ||
	    again.count != l->count)
		abort();
	for (size_t i = 0; i < l->count; i++)
		if (again.places[i].file != l->places[i].file ||
		    again.places[i].off != l->places[i].off ||
		    again.places[i].heat != l->places[i].heat)
			abort();
	hot_list_fini(&again);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hot_list l;
	struct buf b = { 0 };

	if (size < 3)
		return 0;
	if (data[0] & 1)
		forge(&b, data + 1, size - 1);
	else
		buf_append(&b, data + 1, size - 1);
	if (hot_list_decode(buf_slice(&b), &l) == 0)
		check_round(&l);
	hot_list_fini(&l);
	buf_fini(&b);
	return 0;
}
