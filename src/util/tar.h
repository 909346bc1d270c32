/* SPDX-License-Identifier: ISC */
/*
 * Headers of the tar format, POSIX.1-1988 (ustar), as far as an archive
 * of plain files in one directory needs them: a header, the contents,
 * zeros up to a multiple of TAR_BLOCK; two blocks of zeros at the end.
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

/* Untrusted. 1 and the entry; 0 for a block of zeros, the end; -EINVAL for
 * what is neither, or no plain file. */
int tar_header_decode(const uint8_t h[TAR_BLOCK], struct tar_entry *e);

/* Bytes of a file and of the zeros behind it. */
static inline uint64_t
tar_padded(uint64_t size)
{
	return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

#endif
