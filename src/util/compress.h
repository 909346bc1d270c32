/* SPDX-License-Identifier: ISC */
/*
 * Compression, where it saves space; nothing else uses snappy. Formats store
 * the codec with the compressed bytes. Any thread.
 */
#ifndef KVFS_UTIL_COMPRESS_H
#define KVFS_UTIL_COMPRESS_H

#include <stdint.h>

#include "kvfs/slice.h"
#include "util/buf.h"

/* On disk: never renumber. */
enum codec {
	CODEC_NONE = 0,
	CODEC_SNAPPY = 1,
	/*
	 * 2 is kept for zstd, which is not worth a further library. Of
	 * /usr/include, /usr/share/doc and /usr/share/man in a store (284 MB
	 * of blocks and values, of which much is compressed already) snappy
	 * leaves 161.2 MB, zstd-1 144.6, zstd-3 143.0: 11 % less. It would
	 * reach what is rewritten at the bottom only: there table blocks
	 * took 37.0 MB by snappy and 35.4 by zstd-3, and values are written
	 * once, and moved only when most of their segment is dead. Of text
	 * alone, /usr/include, snappy leaves 39.8 MB, zstd-1 29.4, zstd-3
	 * 28.2. A chunk of text takes snappy 11 us to uncompress, zstd 16; to
	 * compress, zstd-1 twice as long, zstd-3 two to three times.
	 * (libzstd 1.5.4, CPU time, medians of three rounds.)
	 */
};

/* Shorter input is not compressed: it would save nothing. */
#define COMPRESS_MIN_BYTES 64

/*
 * Append raw to out: compressed with the codec want if that saves an eighth
 * (LevelDB's rule), else unchanged. Returns the codec used. Without memory
 * out->error is set.
 */
enum codec compress_append(enum codec want, struct slice raw, struct buf *out);
/* The same, but appends nothing if it would be unchanged (CODEC_NONE). */
enum codec compress_try(enum codec want, struct slice raw, struct buf *out);

/*
 * Decompress to dst, which has raw_len bytes. The input is untrusted:
 * -KVFS_ECORRUPT when it does not decode to exactly raw_len bytes, or codec is
 * unknown.
 */
int compress_decode(uint8_t codec, struct slice stored, void *dst,
    size_t raw_len);

#endif
