/* SPDX-License-Identifier: ISC */
/*
 * Write-ahead log, write side. Format: wal_format.h.
 *
 * Invariants: [WAL_HEADER_LEN, used) is filled with frames without gaps. The
 * kernel has those below written; the rest is in buffer. chain is the checksum
 * of the last frame. The first failure is kept, and the writer takes no more
 * frames.
 * Threading: one caller at a time (the commit lock), except wal_writer_sync(),
 * which only uses file and error.
 */
#include "engine/log/wal_writer.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/key/key.h"
#include "engine/log/wal_format.h"
#include "util/compress.h"
#include "util/crc32c.h"
#include "util/log.h"

/* A body keeps a buffer up to this size for the next commit. */
#define BODY_KEEP_BYTES (1u << 20)

struct wal_writer {
	struct env_file *file;
	char *path;
	uint64_t number;
	uint64_t size;
	uint32_t salt;
	uint64_t buffer_cap;

	/* First failure, or 0. Relaxed: a thread that has to see it is
	 * synchronised with the one that failed, or gets the failure itself. */
	_Atomic int error;

	uint64_t used;
	uint64_t written;
	uint32_t chain;
	/* State before the last frame, for wal_writer_take_back(). */
	uint64_t last_used;
	uint32_t last_chain;
	uint8_t *buffer; /* the bytes from written to used */
};

/* ---- Bodies ---- */

void
wal_body_init(struct wal_body *body)
{
	*body = (struct wal_body){ 0 };
}

void
wal_body_fini(struct wal_body *body)
{
	buf_fini(&body->stored);
}

int
wal_body_encode(struct wal_body *body, struct slice payload, bool compress)
{
	if (payload.len > WAL_BODY_MAX)
		return -E2BIG;
	if (body->stored.cap > BODY_KEEP_BYTES &&
	    payload.len <= BODY_KEEP_BYTES)
		buf_fini(&body->stored);
	buf_clear(&body->stored);
	body->codec = (uint8_t)compress_append(compress ? CODEC_SNAPPY :
							  CODEC_NONE,
	    payload, &body->stored);
	if (buf_error(&body->stored) < 0)
		return buf_error(&body->stored);
	body->raw_len = (uint32_t)payload.len;
	body->sum = crc32c_sum(0, body->stored.data, body->stored.len);
	return 0;
}

uint64_t
wal_size_for(const struct wal_body *body)
{
	return WAL_HEADER_LEN + wal_frame_len(body->stored.len) +
	    WAL_FRAME_HEADER_LEN;
}

/* ---- Failures ---- */

static int
writer_error(const struct wal_writer *w)
{
	return atomic_load_explicit(&w->error, memory_order_relaxed);
}

/* Keep the first failure and log it once. Returns rc. */
static int
writer_fail(struct wal_writer *w, int rc, const char *what, uint64_t off)
{
	int none = 0;

	if (!atomic_compare_exchange_strong_explicit(&w->error, &none, rc,
		memory_order_relaxed, memory_order_relaxed))
		return none;
	log_error("%s: offset %llu: cannot %s the log: %s: the store takes "
		  "no more changes; check the disk, then open it again",
	    w->path, (unsigned long long)off, what, strerror(-rc));
	return rc;
}

/* A full disk is not a failure. Readers do not reach what was written of the
 * frame: the caller takes it back (wal_writer_take_back()), or writes it
 * again. */
static int
write_at(struct wal_writer *w, const struct iovec *iov, int iovcnt,
    uint64_t off)
{
	int rc = env_write(w->file, iov, iovcnt, off);

	if (rc == -EDQUOT)
		rc = -ENOSPC;
	return rc < 0 && rc != -ENOSPC ? writer_fail(w, rc, "write", off) : rc;
}

/*
 * After a write failed for lack of space, no part of the frame at off may be
 * taken for a frame: if its last bytes are zeros, it may look complete. If its
 * header is on disk, it is overwritten; if that fails, the log ends here.
 * Returns -ENOSPC, or that failure.
 */
static int
invalidate_frame(struct wal_writer *w, uint64_t off)
{
	static const uint8_t zeros[WAL_FRAME_HEADER_LEN];
	struct iovec iov = { (void *)zeros, sizeof(zeros) };
	uint8_t there[sizeof(zeros)];
	ssize_t n = env_read(w->file, there, sizeof(there), off);
	int rc = n < 0 ? (int)n : 0;

	if (n == sizeof(there) && memcmp(there, zeros, sizeof(zeros)) != 0)
		rc = env_write(w->file, &iov, 1, off);
	return rc < 0 ? writer_fail(w, rc, "take back a part of", off) :
			-ENOSPC;
}

/* ---- Life ---- */

static int
check_size(struct wal_writer *w)
{
	uint64_t have;
	int rc = env_size(w->file, &have);

	if (rc == 0 && (w->size < WAL_HEADER_LEN || w->size > have))
		rc = -EINVAL;
	if (rc < 0)
		log_error("%s: cannot start a log of %llu bytes: %s", w->path,
		    (unsigned long long)w->size, strerror(-rc));
	return rc;
}

int
wal_writer_open(struct env_file *file, const char *path, uint64_t number,
    uint64_t size, uint32_t chain, uint64_t next_seq, uint64_t durable_seq,
    uint64_t buffer_bytes, struct wal_writer **writerp)
{
	struct wal_header h = { WAL_VERSION, chain, number, size, next_seq,
		durable_seq };
	uint8_t bytes[WAL_HEADER_LEN];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct wal_writer *w = calloc(1, sizeof(*w));
	int rc = -ENOMEM;

	*writerp = NULL;
	if (w == NULL) {
		env_close(file);
		return rc;
	}
	w->file = file;
	w->number = number;
	w->size = size;
	w->chain = chain;
	w->used = w->written = WAL_HEADER_LEN;
	/* A larger buffer than the file would never be filled. */
	w->buffer_cap = buffer_bytes < size ? buffer_bytes : size;
	w->path = strdup(path);
	if (w->path == NULL)
		goto fail;
	rc = check_size(w);
	if (rc < 0)
		goto fail;
	if (w->buffer_cap > 0) {
		rc = -ENOMEM;
		w->buffer = malloc(w->buffer_cap);
		if (w->buffer == NULL)
			goto fail;
	}
	w->salt = wal_header_encode(&h, bytes);
	rc = write_at(w, &iov, 1, 0);
	if (rc < 0)
		goto fail;
	*writerp = w;
	return 0;
fail:
	wal_writer_close(w);
	return rc;
}

void
wal_writer_close(struct wal_writer *w)
{
	if (w == NULL)
		return;
	env_close(w->file);
	free(w->buffer);
	free(w->path);
	free(w);
}

/* ---- Appending ---- */

bool
wal_writer_has_room(const struct wal_writer *w, const struct wal_body *body)
{
	/* The last frame header of a log is reserved for
	 * wal_writer_append_mark(). */
	return wal_frame_len(body->stored.len) + WAL_FRAME_HEADER_LEN <=
	    w->size - w->used;
}

int
wal_writer_flush(struct wal_writer *w)
{
	struct iovec iov = { w->buffer, w->used - w->written };
	int rc = writer_error(w);

	if (rc < 0 || iov.iov_len == 0)
		return rc;
	rc = write_at(w, &iov, 1, w->written);
	if (rc == 0)
		w->written = w->used;
	return rc;
}

static void
copy_to_buffer(struct wal_writer *w, const struct iovec *iov, int iovcnt)
{
	uint8_t *dst = w->buffer + (w->used - w->written);

	for (int i = 0; i < iovcnt; i++) {
		if (iov[i].iov_len == 0)
			continue;
		memcpy(dst, iov[i].iov_base, iov[i].iov_len);
		dst += iov[i].iov_len;
	}
}

/* Add a frame of len bytes at used; in the buffer, if it fits. */
static int
put_frame(struct wal_writer *w, const struct iovec *iov, int iovcnt,
    uint64_t len)
{
	int rc;

	if (len > w->buffer_cap - (w->used - w->written)) {
		rc = wal_writer_flush(w);
		if (rc < 0)
			return rc;
	}
	if (len <= w->buffer_cap) {
		copy_to_buffer(w, iov, iovcnt);
		w->used += len;
		return 0;
	}
	rc = write_at(w, iov, iovcnt, w->used);
	if (rc == -ENOSPC)
		rc = invalidate_frame(w, w->used);
	if (rc < 0)
		return rc;
	w->used += len;
	w->written = w->used;
	return 0;
}

int
wal_writer_append(struct wal_writer *w, const struct wal_body *body,
    uint64_t seq, uint32_t count, uint64_t durable_seq)
{
	static const uint8_t padding[8];
	struct wal_frame_header h = { .prev = w->chain,
		.number = (uint32_t)w->number,
		.seq = seq,
		.durable_seq = durable_seq,
		.count = count };
	uint8_t bytes[WAL_FRAME_HEADER_LEN];
	struct iovec iov[3] = { { bytes, sizeof(bytes) } };
	int iovcnt = 1;
	uint64_t len;
	uint32_t sum;
	int rc = writer_error(w);

	assert(seq <= SEQ_MAX && durable_seq <= SEQ_MAX);
	assert(body != NULL || count == 0);
	if (rc < 0)
		return rc;
	if (body != NULL) {
		h.codec = body->codec;
		h.stored_len = (uint32_t)body->stored.len;
		h.raw_len = body->raw_len;
		h.body_sum = body->sum;
		iov[1] = (struct iovec){ body->stored.data, h.stored_len };
		iov[2] = (struct iovec){ (void *)padding,
			-(size_t)h.stored_len & 7 };
		iovcnt = 3;
	}
	len = wal_frame_len(h.stored_len);
	if (len > w->size - w->used)
		return -EINVAL;
	sum = wal_frame_encode(&h, w->salt, bytes);
	w->last_used = w->used;
	w->last_chain = w->chain;
	rc = put_frame(w, iov, iovcnt, len);
	if (rc == 0)
		w->chain = sum;
	return rc;
}

int
wal_writer_take_back(struct wal_writer *w)
{
	assert(w->last_used >= w->written);
	w->used = w->last_used;
	w->chain = w->last_chain;
	return invalidate_frame(w, w->used);
}

int
wal_writer_append_mark(struct wal_writer *w, uint64_t durable_seq)
{
	/* The mark is not on the chain, which the next log continues from the
	 * frame before it. */
	struct wal_frame_header h = { .prev = ~w->chain,
		.number = (uint32_t)w->number,
		.durable_seq = durable_seq };
	uint8_t bytes[WAL_FRAME_HEADER_LEN];
	struct iovec iov = { bytes, sizeof(bytes) };
	int rc = writer_error(w);

	if (rc < 0)
		return rc;
	if (w->written != w->used || sizeof(bytes) > w->size - w->used)
		return -EINVAL;
	(void)wal_frame_encode(&h, w->salt, bytes);
	return write_at(w, &iov, 1, w->used);
}

int
wal_writer_sync(struct wal_writer *w)
{
	int rc = writer_error(w);

	if (rc < 0)
		return rc;
	rc = env_sync(w->file);
	return rc < 0 ? writer_fail(w, rc, "sync", 0) : 0;
}

uint32_t
wal_writer_chain(const struct wal_writer *w)
{
	return w->chain;
}

uint64_t
wal_writer_number(const struct wal_writer *w)
{
	return w->number;
}

uint64_t
wal_writer_size(const struct wal_writer *w)
{
	return w->size;
}

uint64_t
wal_writer_waiting(const struct wal_writer *w)
{
	return w->used - w->written;
}

uint64_t
wal_writer_used(const struct wal_writer *w)
{
	return w->used;
}
