/* SPDX-License-Identifier: ISC */
/*
 * Reads a log of which any part may be damaged: every frame whose checksums are
 * valid with the log's salt. Format: wal_format.h.
 *
 * Frames lie side by side, so a gap between two valid frames is damage. Behind
 * the last one anything may follow: zeros, or old contents of a recycled file.
 * Only a frame that has this log's salt and fails its checksum is reported
 * there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/key/key.h"
#include "engine/repair/salvage.h"
#include "engine/log/wal_format.h"
#include "util/compress.h"
#include "util/crc32c.h"
#include "util/log.h"

/* The largest log holds one batch of maximal size. */
#define LOG_BYTES_MAX (WAL_BODY_MAX + (1u << 20))
#define SUMMED_BYTES 60 /* of the header */
#define FIRST_SECTOR 512

struct reader {
	const char *path;
	uint64_t number;
	uint8_t *data;
	size_t len;
	uint64_t want_bytes; /* as the header says */
	uint32_t salt[2]; /* without a header: as stored and as computed */
	struct wal_salvage *info;
	uint8_t *raw;
	size_t raw_cap;
	salvage_damage_fn damage;
	void *arg;
};

static bool
is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static void
report_damage(struct reader *r, uint64_t off, uint64_t end, const char *what)
{
	struct salvage_damage d = { .off = off,
		.len = end - off,
		.what = what };

	if (r->damage != NULL)
		r->damage(r->arg, &d);
}

/* Returns 1 for a log, 0 if it is none, or -EPROTO. */
static int
read_header(struct reader *r)
{
	struct wal_header h;

	if (is_zero(r->data, r->len < FIRST_SECTOR ? r->len : FIRST_SECTOR))
		return 0;
	if (r->len < WAL_HEADER_LEN)
		return 0;
	if (wal_header_decode(r->data, &h, &r->salt[0])) {
		r->salt[1] = r->salt[0];
		if (h.version > WAL_VERSION) {
			log_error("%s: log version %u is newer than this "
				  "program (%u): use the newer one",
			    r->path, h.version, WAL_VERSION);
			return -EPROTO;
		}
		if (h.number != r->number)
			return 0;
		r->info->has_header = true;
		r->want_bytes = h.size;
		r->info->start_seq = h.next_seq;
		r->info->durable_seq = h.durable_seq;
		return 1;
	}
	r->salt[0] = get_le32(r->data + SUMMED_BYTES);
	r->salt[1] = crc32c_sum(0, r->data, SUMMED_BYTES);
	return 1;
}

/* Decode the frame header at off; false if its checksum is wrong. */
static bool
decode_frame(const struct reader *r, size_t off, struct wal_frame_header *h)
{
	uint32_t sum;

	if (r->len - off < WAL_FRAME_HEADER_LEN)
		return false;
	for (int i = 0; i < 2; i++)
		if (wal_frame_decode(r->data + off, r->salt[i], h, &sum))
			return h->number == (uint32_t)r->number &&
			    h->stored_len <= WAL_BODY_MAX &&
			    h->raw_len <= WAL_BODY_MAX &&
			    h->count <= SEQ_MAX - h->seq;
	return false;
}

/* Decode the payload of a frame. Returns 1, 0 or -ENOMEM. */
static int
decode_body(struct reader *r, size_t off, const struct wal_frame_header *h,
    struct slice *payloadp)
{
	const uint8_t *p = r->data + off + WAL_FRAME_HEADER_LEN;
	struct slice stored = slice_make(p, h->stored_len);
	uint8_t *grown;

	if (wal_frame_len(h->stored_len) > r->len - off ||
	    crc32c_sum(0, p, h->stored_len) != h->body_sum)
		return 0;
	if (h->codec == CODEC_NONE) {
		*payloadp = stored;
		return h->stored_len == h->raw_len;
	}
	if (r->raw_cap < h->raw_len) {
		grown = realloc(r->raw, h->raw_len);
		if (grown == NULL)
			return -ENOMEM;
		r->raw = grown;
		r->raw_cap = h->raw_len;
	}
	*payloadp = slice_make(r->raw, h->raw_len);
	return compress_decode(h->codec, stored, r->raw, h->raw_len) == 0;
}

static int
salvage_frames(struct reader *r,
    int (*frame)(void *arg, const struct wal_frame *f))
{
	size_t off = WAL_HEADER_LEN, end = off;
	struct wal_frame_header h;
	bool found = false;
	int rc = 0;

	while (
	    rc >= 0 && r->len > off && r->len - off >= WAL_FRAME_HEADER_LEN) {
		struct wal_frame f = { .off = off };

		rc = decode_frame(r, off, &h) ?
		    decode_body(r, off, &h, &f.payload) :
		    0;
		if (rc == 0)
			off += 8;
		if (rc != 1)
			continue;
		if (off != end)
			report_damage(r, end, off,
			    "no frame there can be read");
		found = true;
		if (h.durable_seq > r->info->durable_seq)
			r->info->durable_seq = h.durable_seq;
		f.seq = h.seq;
		f.count = h.count;
		f.durable_seq = h.durable_seq;
		if (h.count != 0)
			rc = frame(r->arg, &f);
		off += (size_t)wal_frame_len(h.stored_len);
		end = off;
	}
	if (rc < 0)
		return rc;
	r->info->is_log = r->info->has_header || found;
	if (r->want_bytes > r->len && r->want_bytes <= LOG_BYTES_MAX)
		report_damage(r, end, r->want_bytes, "the file is cut off");
	else if (r->len > end && r->len - end >= WAL_FRAME_HEADER_LEN &&
	    wal_frame_peek_number(r->data + end) == (uint32_t)r->number) {
		r->info->is_log = true;
		report_damage(r, end, r->len,
		    "a frame that a crash cut off, or damage");
	}
	return 0;
}

int
wal_salvage(struct env_file *file, const char *path, uint64_t number,
    int (*frame)(void *arg, const struct wal_frame *f),
    salvage_damage_fn damage, void *arg, struct wal_salvage *infop)
{
	struct reader r = { .path = path,
		.number = number,
		.info = infop,
		.damage = damage,
		.arg = arg };
	uint64_t size = 0;
	int rc;

	*infop = (struct wal_salvage){ 0 };
	(void)env_size(file, &size);
	if (size > LOG_BYTES_MAX)
		size = LOG_BYTES_MAX;
	if (frame == NULL && size > FIRST_SECTOR)
		size = FIRST_SECTOR;
	r.data = malloc((size_t)size + 1);
	if (r.data == NULL)
		return -ENOMEM;
	r.len = salvage_read(file, r.data, (size_t)size, 0);
	rc = read_header(&r);
	if (rc == 1) {
		infop->is_log = infop->has_header;
		rc = frame != NULL ? salvage_frames(&r, frame) : 0;
	}
	free(r.raw);
	free(r.data);
	return rc;
}
