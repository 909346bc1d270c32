/* SPDX-License-Identifier: ISC */
/*
 * Write-ahead log, read side, for recovery. Format: wal_format.h.
 *
 * Anything that fails verification ends the chain silently: every log ends like
 * that after a crash. Only recovery, which knows all durable marks, can
 * distinguish a torn tail from damage (store/recover_tail.c). Memory for a
 * length is allocated only after its checksum is verified and the length fits
 * into the file.
 */
#include "engine/log/wal_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/key/key.h"
#include "engine/log/wal_reader_internal.h"
#include "util/compress.h"
#include "util/crc32c.h"
#include "util/log.h"

#define SECTOR 512 /* a disk writes it whole or not at all */

static unsigned long long
as_ull(uint64_t v)
{
	return v;
}

static bool
is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* ---- Header ---- */

/* Check the header as wal_reader_open() says. sector is the first sector of a
 * file of size bytes. */
static int
check_header(struct wal_reader *r, uint64_t number, uint64_t size,
    const uint8_t *sector, size_t len)
{
	struct wal_header *h = &r->header;

	if (is_zero(sector, len))
		return 0;
	if (len < WAL_HEADER_LEN) {
		log_error("%s: damage: the file is cut off within its header",
		    r->path);
		return -KVFS_ECORRUPT;
	}
	if (!wal_header_decode(sector, h, &r->salt)) {
		/* The process died while it wrote the header, or the disk
		 * refused it: no frame was ever written. */
		if (len < WAL_HEADER_LEN + WAL_FRAME_HEADER_LEN ||
		    wal_frame_peek_number(sector + WAL_HEADER_LEN) !=
			(uint32_t)number)
			return 0;
		log_error("%s: offset 0: damage: the log's header does not "
			  "match its checksum",
		    r->path);
		return -KVFS_ECHECKSUM;
	}
	if (h->version > WAL_VERSION) {
		log_error("%s: log version %u is newer than this program "
			  "(%u): use the newer one",
		    r->path, h->version, WAL_VERSION);
		return -EPROTO;
	}
	if (h->number != number)
		return 0;
	if (h->version == 0 || h->size < WAL_HEADER_LEN ||
	    h->next_seq > SEQ_MAX || h->durable_seq > SEQ_MAX) {
		log_error("%s: offset 0: damage: impossible log header",
		    r->path);
		return -KVFS_ECORRUPT;
	}
	if (size < h->size) {
		log_error("%s: damage: the file has %llu bytes, its header "
			  "says %llu",
		    r->path, as_ull(size), as_ull(h->size));
		return -KVFS_ECORRUPT;
	}
	return 1;
}

int
wal_reader_open(struct env_file *file, const char *path, uint64_t number,
    struct wal_reader **readerp)
{
	struct wal_reader *r = calloc(1, sizeof(*r));
	uint8_t sector[SECTOR];
	uint64_t size;
	ssize_t n;
	int rc = -ENOMEM;

	*readerp = NULL;
	if (r == NULL) {
		env_close(file);
		return rc;
	}
	r->file = file;
	file_window_init(&r->window, file);
	r->path = strdup(path);
	if (r->path == NULL)
		goto out;
	rc = env_size(file, &size);
	n = rc < 0 ? rc : env_read(file, sector, sizeof(sector), 0);
	if (n < 0) {
		rc = (int)n;
		log_error("%s: offset 0: cannot read the log: %s", path,
		    strerror(-rc));
		goto out;
	}
	rc = check_header(r, number, size, sector, (size_t)n);
	if (rc != 1)
		goto out;
	r->off = WAL_HEADER_LEN;
	r->chain = r->header.chain;
	r->durable_seq = r->header.durable_seq;
	*readerp = r;
	return 1;
out:
	wal_reader_close(r);
	return rc;
}

void
wal_reader_close(struct wal_reader *r)
{
	if (r == NULL)
		return;
	file_window_fini(&r->window);
	env_close(r->file);
	free(r->raw);
	free(r->path);
	free(r);
}

uint32_t
wal_reader_start_chain(const struct wal_reader *r)
{
	return r->header.chain;
}

uint64_t
wal_reader_start_seq(const struct wal_reader *r)
{
	return r->header.next_seq;
}

uint64_t
wal_reader_size(const struct wal_reader *r)
{
	return r->header.size;
}

uint64_t
wal_reader_durable_seq(const struct wal_reader *r)
{
	return r->durable_seq;
}

uint32_t
wal_reader_chain(const struct wal_reader *r)
{
	return r->chain;
}

uint64_t
wal_reader_off(const struct wal_reader *r)
{
	return r->off;
}

/* ---- Frames ---- */

static int
read_failed(const struct wal_reader *r, uint64_t off, int rc)
{
	log_error("%s: offset %llu: cannot read the log: %s", r->path,
	    as_ull(off), strerror(-rc));
	return rc;
}

int
wal_reader_bytes(struct wal_reader *r, uint64_t off, size_t want,
    const uint8_t **datap, size_t *havep)
{
	ssize_t n = file_window_get(&r->window, off, want, datap);

	if (n >= 0 && (size_t)n < want)
		n = -KVFS_ECORRUPT; /* the file was longer when it was opened */
	if (n < 0)
		return read_failed(r, off, (int)n);
	*havep = (size_t)n;
	return 0;
}

bool
wal_reader_is_possible(const struct wal_reader *r,
    const struct wal_frame_header *h, uint64_t off)
{
	if (h->stored_len > WAL_BODY_MAX || h->raw_len > WAL_BODY_MAX ||
	    wal_frame_len(h->stored_len) > r->header.size - off)
		return false;
	if (h->codec == CODEC_NONE && h->stored_len != h->raw_len)
		return false;
	if (h->codec != CODEC_NONE && h->codec != CODEC_SNAPPY)
		return false;
	return h->count <= SEQ_MAX - h->seq;
}

int
wal_reader_body(struct wal_reader *r, const struct wal_frame_header *h,
    uint64_t off, struct slice *storedp)
{
	size_t len = (size_t)wal_frame_len(h->stored_len);
	const uint8_t *p;
	size_t have;
	int rc;

	rc = wal_reader_bytes(r, off, len, &p, &have);
	if (rc < 0)
		return rc;
	p += WAL_FRAME_HEADER_LEN;
	len -= WAL_FRAME_HEADER_LEN;
	if (!is_zero(p + h->stored_len, len - h->stored_len) ||
	    crc32c_sum(0, p, h->stored_len) != h->body_sum)
		return 0;
	*storedp = slice_make(p, h->stored_len);
	return 1;
}

static int
uncompress_body(struct wal_reader *r, const struct wal_frame_header *h,
    struct slice stored, struct slice *payloadp)
{
	uint8_t *grown;
	int rc;

	if (h->codec == CODEC_NONE) {
		*payloadp = stored;
		return 0;
	}
	if (r->raw_cap < h->raw_len) {
		grown = realloc(r->raw, h->raw_len);
		if (grown == NULL)
			return -ENOMEM;
		r->raw = grown;
		r->raw_cap = h->raw_len;
	}
	rc = compress_decode(h->codec, stored, r->raw, h->raw_len);
	*payloadp = slice_make(r->raw, h->raw_len);
	return rc;
}

static int
impossible_frame(const struct wal_reader *r, uint64_t off)
{
	log_error("%s: offset %llu: damage: impossible log frame under a "
		  "right checksum",
	    r->path, as_ull(off));
	return -KVFS_ECORRUPT;
}

static int
read_frame(struct wal_reader *r, struct wal_frame *framep)
{
	struct wal_frame_header h;
	struct slice stored;
	const uint8_t *p;
	size_t have;
	uint32_t sum;
	int rc;

	if (r->header.size - r->off < WAL_FRAME_HEADER_LEN)
		return 0;
	rc = wal_reader_bytes(r, r->off, WAL_FRAME_HEADER_LEN, &p, &have);
	if (rc < 0)
		return rc;
	if (!wal_frame_decode(p, r->salt, &h, &sum) ||
	    h.number != (uint32_t)r->header.number || h.prev != r->chain)
		return 0;
	if (!wal_reader_is_possible(r, &h, r->off))
		return impossible_frame(r, r->off);
	rc = wal_reader_body(r, &h, r->off, &stored);
	if (rc != 1)
		return rc;
	rc = uncompress_body(r, &h, stored, &framep->payload);
	if (rc == -KVFS_ECORRUPT)
		return impossible_frame(r, r->off);
	if (rc < 0)
		return read_failed(r, r->off, rc);
	framep->seq = h.seq;
	framep->count = h.count;
	framep->durable_seq = h.durable_seq;
	framep->off = r->off;
	if (h.durable_seq > r->durable_seq)
		r->durable_seq = h.durable_seq;
	r->chain = sum;
	r->off += wal_frame_len(h.stored_len);
	return 1;
}

int
wal_reader_next(struct wal_reader *r, struct wal_frame *framep)
{
	int rc = 0;

	*framep = (struct wal_frame){ 0 };
	if (!r->has_ended)
		rc = read_frame(r, framep);
	if (rc != 1) {
		*framep = (struct wal_frame){ 0 };
		r->has_ended = true;
	}
	return rc;
}
