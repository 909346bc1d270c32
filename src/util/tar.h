/* SPDX-License-Identifier: ISC */
/*
 * Headers of the tar format, POSIX.1-1988 (ustar), for archives of plain files
 * in one directory. Each file is a header, the contents, and zeros up to a
 * multiple of TAR_BLOCK; at the end there are two blocks of zeros.
 */
#ifndef KVFS_UTIL_TAR_H
#define KVFS_UTIL_TAR_H

#include <stdint.h>
#include <sys/types.h>

#define TAR_BLOCK 512
#define TAR_NAME_MAX 99
#define TAR_END_BYTES (2u * TAR_BLOCK)

struct tar_entry {
	char name[TAR_NAME_MAX + 1];
	uint64_t size;
	uint32_t mode;
	uid_t uid;
	gid_t gid;
	int64_t mtime; /* seconds */
};

void tar_header_encode(const struct tar_entry *e, uint8_t h[TAR_BLOCK]);

/* Decode an untrusted header: 1; 0 for a block of zeros, which is the end;
 * -EINVAL for anything else, and for what is no plain file. */
int tar_header_decode(const uint8_t h[TAR_BLOCK], struct tar_entry *e);

/* The bytes of a file and the zeros after it. */
static inline uint64_t
tar_padded(uint64_t size)
{
	return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

#endif
