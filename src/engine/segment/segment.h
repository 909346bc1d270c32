/* SPDX-License-Identifier: ISC */
/*
 * Segments: append-only files of large values, each written once. Format:
 * kvfs-format(5), "Segment". A value is one self-describing frame. Its
 * checksums include its place, so that it can be verified and salvaged without
 * the tree. The tree holds a pointer to it. After WiscKey's value log and
 * RocksDB's BlobDB.
 *
 * All integers are little-endian.
 *
 *   header: offset size
 *      0  8  magic "kvfsseg" 0a
 *      8  4  version; magic, version and sum keep their place for good
 *     12  4  zero
 *     16  8  segment number
 *     24  4  zero
 *     28  4  CRC-32C of bytes 0..27
 *
 *   frame, at a multiple of 8, the first at 32: offset size
 *      0  4  magic f8 6b 76 56
 *      4  4  CRC-32C of the place, bytes 8..27 and the user key
 *      8  8  XXH3 of the stored value, seeded with the place's XXH3
 *     16  4  raw length
 *     20  4  stored length
 *     24  2  length of the user key
 *     26  1  codec (util/compress.h)
 *     27  1  zero
 *     28  .  user key, stored value, zeros up to a multiple of 8
 *
 *   place: segment number, offset of the frame (8 bytes each)
 *
 *   pointer: segment number (8), offset (8), frame length (4), raw length (4)
 *
 * Zero bytes between frames are space that an append has reserved and not
 * written, because the disk was full or the machine crashed. No pointer leads
 * there.
 */
#ifndef KVFS_ENGINE_SEGMENT_SEGMENT_H
#define KVFS_ENGINE_SEGMENT_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/env/env.h"
#include "kvfs/kv.h"
#include "kvfs/slice.h"
#include "util/buf.h"

#define SEGMENT_VERSION 1
#define SEGMENT_HEADER_LEN 32
#define SEGMENT_POINTER_LEN 24
#define SEGMENT_FRAME_HEADER_LEN 28

/*
 * Values of this size and more go to segments. Measured: thousand puts,
 * overwrites and gets a second, then bytes on disk by bytes overwritten. In
 * tables: 1 KiB 172/150/134 2.3, 2 KiB 110/77/161 2.3, 4 KiB 63/48/180 2.2. In
 * segments: 1 KiB 129/135/204 0.7, 2 KiB 109/102/254 0.6, 4 KiB 94/91/219 0.6.
 * The break-even is near 1.5 KiB. The limit is a little above 2 KiB, so that an
 * inode's row with contents stays in its table.
 */
#define SEGMENT_VALUE_MIN 2560

struct segment_pointer {
	uint64_t segment; /* file number */
	uint64_t off; /* of the frame */
	uint32_t frame_len; /* whole frame, as stored */
	uint32_t raw_len; /* of the value */
};

void segment_pointer_encode(const struct segment_pointer *p,
    uint8_t dst[SEGMENT_POINTER_LEN]);
/* s is untrusted: -KVFS_ECORRUPT for a wrong length or impossible fields. */
int segment_pointer_decode(struct slice s, struct segment_pointer *p);

/* ---- Writing (segment_writer.c) ---- */

struct segment_writer;

/* Begin an empty segment. Takes file, also on failure. */
int segment_writer_open(struct env_file *file, const char *path,
    uint64_t number, struct segment_writer **writerp);
void segment_writer_close(struct segment_writer *w);

/* A value ready to be appended: compressed if that makes it smaller.
 * segment_append() adds the checksum, which depends on the place. */
struct segment_value {
	struct slice user; /* borrows */
	struct slice stored; /* borrows raw, or points to buf */
	struct buf buf;
	uint32_t raw_len;
	uint8_t codec;
};
void segment_value_init(struct segment_value *v);
void segment_value_fini(struct segment_value *v);
/* Encode raw as the value of user; borrows both until the value is appended.
 * -EINVAL for a key that no store has, -E2BIG for a value above KV_VALUE_MAX,
 * -ENOMEM. */
int segment_value_encode(struct segment_value *v, struct slice user,
    struct slice raw, bool compress);

/*
 * Append count values by one write; pointers[i] tells where each one is. On
 * return the kernel has them; they are not yet durable. Several threads may
 * append at once: each reserves space by an atomic addition, then writes to its
 * own range. After a failure the writer takes no more values, except after
 * -ENOSPC and -EDQUOT, which may pass.
 */
int segment_append(struct segment_writer *w, const struct segment_value *v,
    size_t count, struct segment_pointer *pointers);
/* When it returns 0, all values whose append returned before the call are
 * durable. Costs nothing if nothing was appended since the last sync. */
int segment_writer_sync(struct segment_writer *w);
/* Bytes reserved so far, header included. */
uint64_t segment_writer_size(const struct segment_writer *w);
uint64_t segment_writer_number(const struct segment_writer *w);

/* ---- Reading (segment_reader.c). Any thread. ---- */

struct segment_reader;

/* Takes file, also on failure. Verifies the header. */
int segment_reader_open(struct env_file *file, const char *path,
    uint64_t number, struct segment_reader **readerp);
void segment_reader_close(struct segment_reader *r);
/* Read the value under p, verified and uncompressed. user has to be the key in
 * the frame. The caller releases *valuep with kv_value_release(). */
int segment_read(struct segment_reader *r, const struct segment_pointer *p,
    struct slice user, struct kv_value *valuep);
/* Whether segment_read() would succeed; logs nothing. Returns 0 or the error.
 * Recovery uses it for values that a crash may have cut off. */
int segment_probe(struct segment_reader *r, const struct segment_pointer *p,
    struct slice user);
/*
 * Walk all readable frames in order of offset, for repair. fn gets the pointer,
 * the user key and the raw value of each, verified. Damaged ranges are skipped;
 * each one is written to out (may be NULL) as a line "damage: PATH: what" and
 * counted, and so is a frame that a crash cut off. Returns the count, or an
 * error. A negative return of fn ends the walk and is returned.
 */
int segment_walk(struct segment_reader *r, FILE *out,
    int (*fn)(void *arg, const struct segment_pointer *p, struct slice user,
	struct slice raw),
    void *arg);

#endif
