/* SPDX-License-Identifier: ISC */
/* What segment_reader.c and segment_walk.c share. */
#ifndef KVFS_ENGINE_SEGMENT_INTERNAL_H
#define KVFS_ENGINE_SEGMENT_INTERNAL_H

#include "engine/segment.h"

struct segment_reader {
	struct env_file *file;
	char *path;
	uint64_t number;
};

#endif
