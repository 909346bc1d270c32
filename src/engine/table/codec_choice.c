/* SPDX-License-Identifier: ISC */
/* See codec_choice.h. */
#include "engine/table/codec_choice.h"

/*
 * After this many blocks in a row that did not get smaller, compression is
 * tried only now and then: first every second block, at last every 64th.
 */
#define COMPRESS_PATIENCE 4
#define COMPRESS_SKIP_MAX 63

enum codec
codec_choice_next(struct codec_choice *c)
{
	if (c->skip != 0) {
		c->skip--;
		return CODEC_NONE;
	}
	return CODEC_SNAPPY;
}

void
codec_choice_learn(struct codec_choice *c, enum codec tried, enum codec used)
{
	unsigned shift;

	if (tried == CODEC_NONE)
		return;
	if (used != CODEC_NONE) {
		c->failures = 0;
		return;
	}
	c->failures++;
	if (c->failures < COMPRESS_PATIENCE)
		return;
	shift = c->failures - COMPRESS_PATIENCE;
	c->skip = shift < 6 ? (1u << (shift + 1)) - 1 : COMPRESS_SKIP_MAX;
}
