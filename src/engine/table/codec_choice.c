/* SPDX-License-Identifier: ISC */
/* See codec_choice.h. */
#include "engine/table/codec_choice.h"

/*
 * After so many blocks in a row that did not compress, compression is tried
 * only now and then: first for every second block, finally for every 64th.
 */
#define COMPRESS_MIN_FAILURES 4
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
	if (c->failures < COMPRESS_MIN_FAILURES)
		return;
	shift = c->failures - COMPRESS_MIN_FAILURES;
	c->skip = shift < 6 ? (1u << (shift + 1)) - 1 : COMPRESS_SKIP_MAX;
}
