/* SPDX-License-Identifier: ISC */
/*
 * A file in memory, whose bytes and counts of calls a test can access directly.
 * It is for code that takes open files; env_mem.h has whole file systems. One
 * thread writes, several may read.
 */
#ifndef KVFS_SUPPORT_MEM_FILE_H
#define KVFS_SUPPORT_MEM_FILE_H

#include <stdatomic.h>

#include "engine/env/env.h"

struct mem_file {
	uint8_t *data; /* from malloc: len bytes used of cap */
	size_t len, cap;
	uint64_t writes, smallest_write, writebacks;
	_Atomic uint64_t reads, read_bytes;
	int read_error; /* if not 0, every read returns it */
	int write_error;
};

/* Zeroed, it is empty and valid. */
void mem_file_fini(struct mem_file *m);
/* Replace the contents by a copy. Aborts without memory. */
void mem_file_set(struct mem_file *m, const void *data, size_t len);
/* Borrows m until env_close(). Aborts without memory. */
struct env_file *mem_file_open(struct mem_file *m);

#endif
