/* SPDX-License-Identifier: ISC */
/*
 * Encodes and decodes the values of rows, and nothing else does. Format:
 * kvfs-format(5), "Rows".
 *
 * Every value begins with a tag: the version in the low four bits, flags
 * that an older program must refuse in the high four. Decoders treat bytes
 * as untrusted: -KVFS_ECORRUPT when they are not valid, -EPROTO when they
 * are of a newer version. Slices that they return borrow the value.
 */
#ifndef KVFS_FS_SCHEMA_H
#define KVFS_FS_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "fs/schema_key.h"
#include "kvfs/kv.h"
#include "util/coding.h"

/* Contents are cut in pieces of this size. On disk: see struct super_row. */
#define CHUNK_SIZE 32768u
/* The largest contents of a regular file that are written to its row, and the
 * largest that a row may have. */
#define INLINE_MAX 2048u
#define INLINE_LIMIT 4095u
/* The most patches of one chunk, and their bytes together: pages of 4 KiB never
 * reach it, and appends of 100 bytes, each committed, cost 744 bytes. */
#define PATCH_ROWS_MAX 32u
#define PATCH_BYTES_MAX CHUNK_SIZE
/* Granularity of st_blocks. */
#define ALLOC_UNIT 4096u
#define SIZE_LIMIT ((uint64_t)INT64_MAX)

/* On disk: never renumber. */
enum attr_flags {
	ATTR_CHUNKS = 1 << 0, /* the chunk group may have rows */
	ATTR_RDEV = 1 << 1,
	ATTR_XATTRS = 1 << 2, /* the xattr group has rows */
	ATTR_EXPIRES = 1 << 3,
	ATTR_ATIME_SAME = 1 << 4, /* as btime */
	ATTR_MTIME_SAME = 1 << 5, /* as atime */
	ATTR_CTIME_SAME = 1 << 6, /* as mtime */
	ATTR_INLINE = 1 << 7, /* contents follow the record */
	ATTR_PATCHES = 1 << 8, /* the patch group may have rows */
};
#define ATTR_KNOWN 0x1ffu
/* The flags of a record in memory; the others follow from its fields. */
#define ATTR_KEPT ((unsigned)(ATTR_CHUNKS | ATTR_EXPIRES | ATTR_PATCHES))

/* The attributes of an inode as a row holds them. */
struct attr_rec {
	uint32_t mode, nlink, uid, gid;
	uint32_t flags; /* ATTR_KEPT */
	uint32_t inline_len;
	uint64_t rdev;
	uint64_t size; /* not of directories */
	uint64_t entries; /* of directories: their number, without . and .. */
	uint64_t alloc; /* bytes of contents, each piece in whole ALLOC_UNITs */
	uint32_t nxattrs;
	int64_t expires; /* seconds; with ATTR_EXPIRES */
	struct timespec atime, mtime, ctime, btime;
};

struct dentry_row {
	uint64_t ino;
	uint32_t type; /* S_IFMT bits */
	bool is_ref; /* attributes are in the inode row */
	struct attr_rec rec;
	struct slice inline_data;
};

/* The store's own description, name "format". */
struct super_row {
	uint32_t version;
	uint32_t refuse_flags; /* unknown ones: do not open */
	uint32_t ro_flags; /* unknown ones: open read-only at most */
	uint32_t chunk_size;
	uint64_t created;
};
#define SUPER_VERSION 1
/* refuse_flags. On disk: never renumber. */
enum super_refuse_flags {
	SUPER_PATCHES = 1 << 0, /* there may be patches */
};

/* The number of inodes, name "inodes". */
struct count_row {
	bool is_exact; /* the last user closed the store */
	uint64_t inodes;
};

static inline uint64_t
alloc_of(uint64_t len)
{
	return (len + ALLOC_UNIT - 1) & ~(uint64_t)(ALLOC_UNIT - 1);
}
static inline uint64_t
chunks_of(uint64_t size)
{
	return size / CHUNK_SIZE + (size % CHUNK_SIZE != 0);
}

/* Is the type in mode one that an inode may have? */
bool schema_is_type(uint32_t mode);

/* ---- Values. Encoders write at most SCHEMA_ROW_MAX bytes to dst and
 * return how many; inline contents are appended by the caller. ---- */

#define SCHEMA_ROW_MAX 192u

size_t schema_put_dentry(uint8_t *dst, uint64_t ino,
    const struct attr_rec *rec);
size_t schema_put_ref(uint8_t *dst, uint64_t ino, uint32_t type);
int schema_get_dentry(struct slice value, struct dentry_row *rowp);

size_t schema_put_inode(uint8_t *dst, const struct attr_rec *rec);
int schema_get_inode(struct slice value, struct attr_rec *recp,
    struct slice *inlinep);

/* The tag in front of every value: 0, -KVFS_ECORRUPT or -EPROTO. */
int schema_get_tag(struct cursor *c);

/* Chunk, patch, xattr and orphan values are this tag, then the bytes. */
#define SCHEMA_TAG 1u
#define SCHEMA_TAG_LEN 1u
int schema_get_bytes(struct slice value, struct slice *bytesp);
/* As schema_get_bytes(), and no longer than a chunk. */
int schema_get_chunk(struct slice value, struct slice *bytesp);

size_t schema_put_super(uint8_t *dst, const struct super_row *row);
int schema_get_super(struct slice value, struct super_row *rowp);
/* May this program read a store of this description? */
bool schema_knows_super(const struct super_row *row);
size_t schema_put_number(uint8_t *dst, uint64_t v);
int schema_get_number(struct slice value, uint64_t *vp);
size_t schema_put_count(uint8_t *dst, const struct count_row *row);
int schema_get_count(struct slice value, struct count_row *rowp);

#endif
