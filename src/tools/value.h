/* SPDX-License-Identifier: ISC */
/* Reads and writes whole values of any length, in pieces of one buffer. */
#ifndef KVFS_TOOLS_VALUE_H
#define KVFS_TOOLS_VALUE_H

#include "kvfs/slice.h"
#include "tools/target.h"

/* Write the value of key to out. */
int value_copy_out(struct target *t, const char *key, FILE *out);

/* The source of a new value: bytes, or, if that is empty and fd is not -1, fd
 * until its end. Both borrowed. */
struct value_source {
	struct slice bytes;
	int fd;
};

/*
 * Replace key's value by that of src, atomically: it is written under a
 * temporary name in the same directory, and renamed. So readers, also after a
 * crash, see the old value or the new one. Mode and owner of the old value are
 * kept. After a failure the old value is unchanged; *source_failed: it was src
 * that could not be read.
 */
int value_replace(struct target *t, const char *key,
    const struct value_source *src, bool *source_failed);

/* Make the directories above key that are missing. */
int value_make_parents(struct target *t, const char *key);

#endif
