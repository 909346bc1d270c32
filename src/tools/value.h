/* SPDX-License-Identifier: ISC */
/* Whole values in and out of a target, streamed: any length, one buffer. */
#ifndef KVFS_TOOLS_VALUE_H
#define KVFS_TOOLS_VALUE_H

#include "kvfs/slice.h"
#include "tools/target.h"

/* Write the value of key to out. */
int value_copy_out(struct target *t, const char *key, FILE *out);

/* Where a new value comes from: the bytes, or fd until its end when bytes
 * is empty and fd is not -1. */
struct value_source {
	struct slice bytes;
	int fd;
};

/*
 * Make key's value what src gives. Readers, and whoever comes after a
 * crash, see the old value or the new one: it is written under a name of
 * its own beside key and renamed. Mode and owner of a value that was there
 * are kept. On failure the old value is untouched. Reading src can fail
 * too: *source_failed tells.
 */
int value_replace(struct target *t, const char *key,
    const struct value_source *src, bool *source_failed);

/* Make the directories above key that are missing. */
int value_make_parents(struct target *t, const char *key);

#endif
