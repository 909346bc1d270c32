/* SPDX-License-Identifier: ISC */
/*
 * Segments: append-only files of large values, each written once. Format:
 * kvfs-format(5), "Segment". A value is one self-describing frame, whose
 * sums are bound to its place, so that it can be verified and salvaged by
 * itself. The tree holds a pointer. After WiscKey's value log and RocksDB's
 * BlobDB.
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
 * Bytes between frames that are zero were given out and never written: a
 * full disk, or a crash. No pointer leads there.
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
 * Values from this size on live in segments. Thousand puts, overwrites and
 * gets a second, and disk bytes by overwritten ones, in tables: 1 KiB
 * 172/150/134 2.3, 2 KiB 110/77/161 2.3, 4 KiB 63/48/180 2.2; in segments:
 * 1 KiB 129/135/204 0.7, 2 KiB 109/102/254 0.6, 4 KiB 94/91/219 0.6. The
 * break-even is near 1.5 KiB; a little above 2 KiB keeps an inode's row with
 * contents in its table.
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
/* Untrusted: -KVFS_ECORRUPT for a wrong length or impossible fields. */
int segment_pointer_decode(struct slice s, struct segment_pointer *p);

/* ---- Writing (segment_writer.c) ---- */

struct segment_writer;

/* Start an empty segment; takes file, also on failure. */
int segment_writer_open(struct env_file *file, const char *path,
    uint64_t number, struct segment_writer **writerp);
void segment_writer_close(struct segment_writer *w);

/* A value made ready: compressed where it pays. The checksum needs the
 * place, so it is set by segment_append(). */
struct segment_value {
	struct slice user; /* borrowed */
	struct slice stored; /* borrowed: raw bytes or buf's */
	struct buf buf;
	uint32_t raw_len;
	uint8_t codec;
};
void segment_value_init(struct segment_value *v);
void segment_value_fini(struct segment_value *v);
/* -EINVAL for a key that no store has, -E2BIG for a value beyond
 * KV_VALUE_MAX. */
int segment_value_encode(struct segment_value *v, struct slice user,
    struct slice raw, bool compress);

/*
 * Append count values in one write; pointers[i] tells where. They have
 * reached the kernel on return. Several threads may append at once: space
 * is given first, by an atomic addition, then each writes its own. After a
 * failure the writer takes no more, but for -ENOSPC and -EDQUOT, which pass.
 */
int segment_append(struct segment_writer *w, const struct segment_value *v,
    size_t count, struct segment_pointer *pointers);
/* Everything whose append returned before the call is durable on return;
 * free when nothing was appended since the last. */
int segment_writer_sync(struct segment_writer *w);
/* Bytes given out so far. */
uint64_t segment_writer_size(const struct segment_writer *w);
uint64_t segment_writer_number(const struct segment_writer *w);

/* ---- Reading (segment_reader.c). Any thread. ---- */

struct segment_reader;

/* Takes file, also on failure. Verifies the header. */
int segment_reader_open(struct env_file *file, const char *path,
    uint64_t number, struct segment_reader **readerp);
void segment_reader_close(struct segment_reader *r);
/* The value under p, verified and uncompressed; user must be the key that
 * the frame carries. *valuep is released by the caller. */
int segment_read(struct segment_reader *r, const struct segment_pointer *p,
    struct slice user, struct kv_value *valuep);
/* Whether segment_read() would succeed, without its messages: recovery
 * asks for values that a crash may have cut off. 0 or its error. */
int segment_probe(struct segment_reader *r, const struct segment_pointer *p,
    struct slice user);
/*
 * Walk the frames that are readable, in order of place; fn gets each one's
 * pointer, user key and raw value, verified. Damaged stretches are skipped,
 * reported as one line "damage: PATH: what" on out (may be NULL) and
 * counted: returns how many, or an error. A frame that a crash has cut off
 * counts too, though no pointer leads to it. For repair. A negative return
 * of fn ends the walk and is returned.
 */
int segment_walk(struct segment_reader *r, FILE *out,
    int (*fn)(void *arg, const struct segment_pointer *p, struct slice user,
	struct slice raw),
    void *arg);

#endif
