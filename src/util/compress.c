/* SPDX-License-Identifier: ISC */
/* See compress.h. */
#include "util/compress.h"

#include <errno.h>
#include <snappy-c.h>

enum codec
compress_try(enum codec want, struct slice raw, struct buf *out)
{
	size_t n;

	if (want != CODEC_SNAPPY || raw.len < COMPRESS_MIN_BYTES)
		return CODEC_NONE;
	n = snappy_max_compressed_length(raw.len);
	if (buf_reserve(out, n) < 0)
		return CODEC_NONE;
	if (snappy_compress(raw.data, raw.len, (char *)out->data + out->len,
		&n) != SNAPPY_OK ||
	    n > raw.len - raw.len / 8)
		return CODEC_NONE;
	out->len += n;
	return CODEC_SNAPPY;
}

enum codec
compress_append(enum codec want, struct slice raw, struct buf *out)
{
	enum codec used = compress_try(want, raw, out);

	if (used == CODEC_NONE && buf_error(out) == 0)
		buf_append_slice(out, raw);
	return used;
}

int
compress_decode(uint8_t codec, struct slice stored, void *dst, size_t raw_len)
{
	size_t n;

	switch (codec) {
	case CODEC_NONE:
		if (stored.len != raw_len)
			return -EUCLEAN;
		if (raw_len != 0)
			memcpy(dst, stored.data, raw_len);
		return 0;
	case CODEC_SNAPPY:
		if (snappy_uncompressed_length(stored.data, stored.len, &n) !=
			SNAPPY_OK ||
		    n != raw_len)
			return -EUCLEAN;
		if (snappy_uncompress(stored.data, stored.len, dst, &n) !=
			SNAPPY_OK ||
		    n != raw_len)
			return -EUCLEAN;
		return 0;
	default:
		return -EUCLEAN;
	}
}
