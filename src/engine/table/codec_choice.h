/* SPDX-License-Identifier: ISC */
/*
 * Which codec is worth trying for the next block of a table: after some
 * blocks that did not get smaller, compression is tried only now and then.
 * One thread.
 */
#ifndef KVFS_ENGINE_TABLE_CODEC_CHOICE_H
#define KVFS_ENGINE_TABLE_CODEC_CHOICE_H

#include "util/compress.h"

/* Zero to begin with. */
struct codec_choice {
	unsigned failures; /* blocks in a row that did not get smaller */
	unsigned skip; /* blocks still to store without trying */
};

enum codec codec_choice_next(struct codec_choice *c);
/* What was tried for a block, and what it was stored with. */
void codec_choice_learn(struct codec_choice *c, enum codec tried,
    enum codec used);

#endif
