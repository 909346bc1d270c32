/* SPDX-License-Identifier: ISC */
/* What segment_reader.c, segment_walk.c and repair_write.c share. */
#ifndef KVFS_ENGINE_SEGMENT_SEGMENT_INTERNAL_H
#define KVFS_ENGINE_SEGMENT_SEGMENT_INTERNAL_H

#include "engine/segment/segment.h"

struct segment_reader {
	struct env_file *file;
	char *path;
	uint64_t number;
};

/* As segment_read(), but *whatp says what is wrong, and nothing is logged. */
int segment_read_value(struct segment_reader *r,
    const struct segment_pointer *p, struct slice user, struct kv_value *valuep,
    const char **whatp);

#endif
