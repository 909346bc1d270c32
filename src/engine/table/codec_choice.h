/* SPDX-License-Identifier: ISC */
/*
 * Chooses the codec to try for the next block of a table: after some blocks
 * that did not compress, compression is tried only now and then.
 * Threading: one thread.
 */
#ifndef KVFS_ENGINE_TABLE_CODEC_CHOICE_H
#define KVFS_ENGINE_TABLE_CODEC_CHOICE_H

#include "util/compress.h"

/* All zero at first. */
struct codec_choice {
	unsigned failures; /* blocks in a row that did not compress */
	unsigned skip; /* how many blocks to store without a try */
};

enum codec codec_choice_next(struct codec_choice *c);
/* Report the codec that was tried for a block and the one it was stored
 * with. */
void codec_choice_learn(struct codec_choice *c, enum codec tried,
    enum codec used);

#endif
