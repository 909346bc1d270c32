/* SPDX-License-Identifier: ISC */
/* Names of a store's files: (kind, number) <-> name. */
#ifndef KVFS_ENGINE_ENV_FILENAME_H
#define KVFS_ENGINE_ENV_FILENAME_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

enum file_kind {
	FILE_LOCK, /* LOCK */
	FILE_MANIFEST, /* MANIFEST-000001 */
	FILE_WAL, /* 000001.log */
	FILE_TABLE, /* 000001.sst */
	FILE_SEGMENT, /* 000001.seg */
	FILE_HOT, /* HOT: the list of hot blocks */
	FILE_TEMP, /* 000001.tmp: unfinished; removed when the store is
	              opened */
};

/* Large enough for every name. */
#define FILENAME_BYTES 40

/* Write the name of a file in the store's directory. */
void filename_make(char dst[FILENAME_BYTES], enum file_kind kind,
    uint64_t number);
/* Write DIR/NAME, for messages; cut off if it is too long. */
void filename_path(char dst[PATH_MAX], const char *dir, enum file_kind kind,
    uint64_t number);
/* 0, or -EINVAL if name is not a name of a store's file. */
int filename_parse(const char *name, enum file_kind *kindp, uint64_t *numberp);

#endif
