/* SPDX-License-Identifier: ISC */
/* See tar.h. Numbers are octal digits; sizes from 8 GiB on are big-endian bytes
 * after 0x80, as in GNU tar. */
#include "util/tar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	NAME = 0,
	MODE = 100,
	UID = 108,
	GID = 116,
	SIZE = 124,
	MTIME = 136,
	SUM = 148,
	TYPE = 156,
	MAGIC = 257,
};

#define PLAIN_FILE '0'
#define SIZE_LEN 12
#define OCTAL_SIZE_MAX 077777777777ull
#define SIZE_IS_BYTES 0x80

/* Write len digits and a NUL. */
static void
put_octal(uint8_t *to, unsigned len, uint64_t v)
{
	for (unsigned i = len; i > 0; i--, v >>= 3)
		to[i - 1] = (uint8_t)('0' + (v & 7));
	to[len] = '\0';
}

static int
get_octal(const uint8_t *from, unsigned len, uint64_t *vp)
{
	uint64_t v = 0;
	unsigned i = 0;

	while (i < len && from[i] == ' ')
		i++;
	if (i == len)
		return -EINVAL;
	for (; i < len && from[i] != '\0' && from[i] != ' '; i++) {
		if (from[i] < '0' || from[i] > '7' || v > UINT64_MAX >> 3)
			return -EINVAL;
		v = v << 3 | (uint64_t)(from[i] - '0');
	}
	*vp = v;
	return 0;
}

static void
put_size(uint8_t *to, uint64_t size)
{
	if (size <= OCTAL_SIZE_MAX) {
		put_octal(to, SIZE_LEN - 1, size);
		return;
	}
	memset(to, 0, SIZE_LEN);
	to[0] = SIZE_IS_BYTES;
	for (unsigned i = SIZE_LEN; size != 0; size >>= 8)
		to[--i] = (uint8_t)size;
}

static int
get_size(const uint8_t *from, uint64_t *sizep)
{
	uint64_t size = 0;

	if (from[0] != SIZE_IS_BYTES)
		return get_octal(from, SIZE_LEN, sizep);
	for (unsigned i = 1; i < SIZE_LEN; i++) {
		if (size > UINT64_MAX >> 8)
			return -EINVAL;
		size = size << 8 | from[i];
	}
	*sizep = size;
	return 0;
}

/* The checksum of a header, with blanks in place of its own digits. */
static uint64_t
header_sum(const uint8_t h[TAR_BLOCK])
{
	uint64_t sum = 8ull * ' ';

	for (unsigned i = 0; i < TAR_BLOCK; i++)
		if (i < SUM || i >= TYPE)
			sum += h[i];
	return sum;
}

void
tar_header_encode(const struct tar_entry *e, uint8_t h[TAR_BLOCK])
{
	memset(h, 0, TAR_BLOCK);
	memcpy(h + NAME, e->name, strnlen(e->name, TAR_NAME_MAX));
	put_octal(h + MODE, 7, e->mode & 07777);
	put_octal(h + UID, 7, e->uid);
	put_octal(h + GID, 7, e->gid);
	put_size(h + SIZE, e->size);
	put_octal(h + MTIME, 11, e->mtime > 0 ? (uint64_t)e->mtime : 0);
	h[TYPE] = PLAIN_FILE;
	/* Bytes, no string: NOLINTNEXTLINE(*-not-null-terminated-result) */
	memcpy(h + MAGIC, "ustar\00000", 8);
	put_octal(h + SUM, 6, header_sum(h));
	h[SUM + 7] = ' ';
}

int
tar_header_decode(const uint8_t h[TAR_BLOCK], struct tar_entry *e)
{
	static const uint8_t zeros[TAR_BLOCK];
	uint64_t sum, mode, uid, gid, mtime;

	*e = (struct tar_entry){ 0 };
	if (memcmp(h, zeros, TAR_BLOCK) == 0)
		return 0;
	if (get_octal(h + SUM, 8, &sum) < 0 || sum != header_sum(h) ||
	    memcmp(h + MAGIC, "ustar", 5) != 0 || h[TYPE] != PLAIN_FILE)
		return -EINVAL;
	if (get_octal(h + MODE, 8, &mode) < 0 ||
	    get_octal(h + UID, 8, &uid) < 0 ||
	    get_octal(h + GID, 8, &gid) < 0 ||
	    get_octal(h + MTIME, 12, &mtime) < 0 ||
	    get_size(h + SIZE, &e->size) < 0)
		return -EINVAL;
	memcpy(e->name, h + NAME, TAR_NAME_MAX);
	e->mode = (uint32_t)mode;
	e->uid = (uid_t)uid;
	e->gid = (gid_t)gid;
	e->mtime = (int64_t)mtime;
	return e->name[0] != '\0' ? 1 : -EINVAL;
}
