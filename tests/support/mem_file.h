/* SPDX-License-Identifier: ISC */
/*
 * One file as bytes in memory that a test reads, changes and counts the
 * calls of directly. For code that is given open files; env_mem.h has whole
 * file systems. One thread writes, several may read.
 */
#ifndef KVFS_SUPPORT_MEM_FILE_H
#define KVFS_SUPPORT_MEM_FILE_H

#include <stdatomic.h>

#include "engine/env/env.h"

struct mem_file {
	uint8_t *data; /* from malloc; len bytes of cap are there */
	size_t len, cap;
	uint64_t writes, smallest_write, writebacks;
	_Atomic uint64_t reads, read_bytes;
	int read_error; /* returned by every read when it is not 0 */
	int write_error;
};

/* Zeroed, it is empty and valid. */
void mem_file_fini(struct mem_file *m);
/* Replace the contents by a copy. Aborts without memory. */
void mem_file_set(struct mem_file *m, const void *data, size_t len);
/* Borrows m until env_close(). Aborts without memory. */
struct env_file *mem_file_open(struct mem_file *m);

#endif
