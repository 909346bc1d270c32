/* SPDX-License-Identifier: ISC */
/*
 * Segments, append side. Format: segment.h.
 *
 * Invariants: each byte of [SEGMENT_HEADER_LEN, size) is reserved for one
 * append. A pointer is returned only after its frame was written whole.
 * Threading: any thread. Appends share only the addition to size. A caller of
 * sync waits for the sync that is running, if that one began late enough to
 * cover it.
 */
#include "engine/segment/segment.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/segment/segment_format.h"
#include "util/compress.h"
#include "util/log.h"
#include "util/mutex.h"

/* A value keeps a buffer up to this size for its next use. */
#define VALUE_KEEP_BYTES (1u << 20)
#define IOV_PER_VALUE 3 /* head and key, stored value, padding */

struct segment_writer {
	struct env_file *file;
	char *path;
	uint64_t number;

	_Atomic uint64_t size;
	/* Appends that have ended. Each adds to it after its write (release); a
	 * sync reads it (acquire) and then covers them. */
	_Atomic uint64_t appended;
	_Atomic int error; /* the first one that is permanent; relaxed */
	atomic_flag has_told_full; /* relaxed: who logs it */

	struct mutex mu;
	struct cond sync_ended;
	uint64_t synced GUARDED_BY(mu); /* how many of appended are durable */
	bool is_syncing GUARDED_BY(mu);
};

/* ---- Values ---- */

void
segment_value_init(struct segment_value *v)
{
	*v = (struct segment_value){ 0 };
}

void
segment_value_fini(struct segment_value *v)
{
	buf_fini(&v->buf);
}

int
segment_value_encode(struct segment_value *v, struct slice user,
    struct slice raw, bool compress)
{
	if (user.len < KEY_PREFIX_LEN || user.len > KEY_USER_MAX)
		return -EINVAL;
	if (raw.len > KV_VALUE_MAX)
		return -E2BIG;
	if (v->buf.cap > VALUE_KEEP_BYTES && raw.len <= VALUE_KEEP_BYTES / 2)
		buf_fini(&v->buf);
	buf_clear(&v->buf);
	v->user = user;
	v->raw_len = (uint32_t)raw.len;
	v->stored = raw;
	v->codec = CODEC_NONE;
	if (!compress)
		return 0;
	v->codec = (uint8_t)compress_try(CODEC_SNAPPY, raw, &v->buf);
	if (buf_error(&v->buf) < 0)
		return buf_error(&v->buf);
	if (v->codec != CODEC_NONE)
		v->stored = buf_slice(&v->buf);
	return 0;
}

/* ---- Failures ---- */

static int
writer_error(const struct segment_writer *w)
{
	return atomic_load_explicit(&w->error, memory_order_relaxed);
}

/* Log a failure once, and keep it in error if it is permanent. Returns rc. */
static int
writer_fail(struct segment_writer *w, int rc, const char *what, uint64_t off)
{
	int none = 0;

	if (rc == -ENOSPC || rc == -EDQUOT) {
		if (!atomic_flag_test_and_set_explicit(&w->has_told_full,
			memory_order_relaxed))
			log_warn("%s: cannot %s the segment: %s: delete "
				 "something, or make room below the store",
			    w->path, what, strerror(-rc));
		return rc;
	}
	if (!atomic_compare_exchange_strong_explicit(&w->error, &none, rc,
		memory_order_relaxed, memory_order_relaxed))
		return none;
	log_error("%s: offset %llu: cannot %s the segment: %s: the store "
		  "takes no more changes; check the disk, then open it again",
	    w->path, (unsigned long long)off, what, strerror(-rc));
	return rc;
}

/* ---- Life ---- */

int
segment_writer_open(struct env_file *file, const char *path, uint64_t number,
    struct segment_writer **writerp)
{
	struct segment_writer *w = calloc(1, sizeof(*w));
	uint8_t bytes[SEGMENT_HEADER_LEN];
	struct iovec iov = { bytes, sizeof(bytes) };
	int rc = -ENOMEM;

	*writerp = NULL;
	if (w == NULL) {
		env_close(file);
		return rc;
	}
	mutex_init(&w->mu);
	cond_init(&w->sync_ended);
	atomic_flag_clear_explicit(&w->has_told_full, memory_order_relaxed);
	w->file = file;
	w->number = number;
	atomic_init(&w->size, SEGMENT_HEADER_LEN);
	atomic_init(&w->appended, 1); /* the header */
	w->path = strdup(path);
	if (w->path == NULL)
		goto fail;
	segment_header_encode(number, bytes);
	rc = env_write(file, &iov, 1, 0);
	if (rc < 0) {
		writer_fail(w, rc, "start", 0);
		goto fail;
	}
	*writerp = w;
	return 0;
fail:
	segment_writer_close(w);
	return rc;
}

void
segment_writer_close(struct segment_writer *w)
{
	if (w == NULL)
		return;
	env_close(w->file);
	cond_fini(&w->sync_ended);
	mutex_fini(&w->mu);
	free(w->path);
	free(w);
}

/* ---- Appending ---- */

/* Fill iov and pointers for count frames in a row from off; their headers are
 * written to heads. */
static void
lay_out(const struct segment_writer *w, const struct segment_value *v,
    size_t count, uint64_t off, uint8_t *heads, struct iovec *iov,
    struct segment_pointer *pointers)
{
	static const uint8_t padding[8];

	for (size_t i = 0; i < count; i++) {
		struct segment_frame f = { .user = v[i].user,
			.raw_len = v[i].raw_len,
			.stored_len = (uint32_t)v[i].stored.len,
			.codec = v[i].codec };
		size_t head = SEGMENT_FRAME_HEADER_LEN + f.user.len;
		uint64_t len = segment_frame_len(f.user.len, f.stored_len);

		f.body_sum = segment_body_sum(v[i].stored, w->number, off);
		segment_frame_encode(&f, w->number, off, heads);
		*iov++ = (struct iovec){ heads, head };
		*iov++ = (struct iovec){ (void *)v[i].stored.data,
			f.stored_len };
		*iov++ = (struct iovec){ (void *)padding,
			len - head - f.stored_len };
		pointers[i] = (struct segment_pointer){ w->number, off,
			(uint32_t)len, f.raw_len };
		heads += head;
		off += len;
	}
}

int
segment_append(struct segment_writer *w, const struct segment_value *v,
    size_t count, struct segment_pointer *pointers)
{
	size_t heads_len = 0;
	uint64_t len = 0;
	uint64_t off, end;
	struct iovec *iov;
	int rc = writer_error(w);

	if (rc < 0 || count == 0)
		return rc;
	if (count > INT_MAX / IOV_PER_VALUE)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		heads_len += SEGMENT_FRAME_HEADER_LEN + v[i].user.len;
		len += segment_frame_len(v[i].user.len, v[i].stored.len);
	}
	/* One block of memory: the vectors, then the frame headers. */
	iov = malloc(count * IOV_PER_VALUE * sizeof(*iov) + heads_len);
	if (iov == NULL)
		return -ENOMEM;
	/* Relaxed: a thread depends on its own range only. */
	off = atomic_fetch_add_explicit(&w->size, len, memory_order_relaxed);
	lay_out(w, v, count, off, (uint8_t *)(iov + count * IOV_PER_VALUE), iov,
	    pointers);
	rc = env_write(w->file, iov, (int)count * IOV_PER_VALUE, off);
	free(iov);
	if (rc == 0) {
		atomic_fetch_add_explicit(&w->appended, 1,
		    memory_order_release);
		return 0;
	}
	memset(pointers, 0, count * sizeof(*pointers));
	/* Give the range back. If a later append has already reserved the next
	 * one, the range stays as a gap, which readers skip. */
	end = off + len;
	atomic_compare_exchange_strong_explicit(&w->size, &end, off,
	    memory_order_relaxed, memory_order_relaxed);
	return writer_fail(w, rc, "write", off);
}

/* ---- Durability ---- */

/* One disk sync; the lock is dropped meanwhile. A failure stays in error. */
static void
sync_locked(struct segment_writer *w) REQUIRES(&w->mu)
{
	uint64_t covers = atomic_load_explicit(&w->appended,
	    memory_order_acquire);
	int rc;

	mutex_assert_held(&w->mu);
	w->is_syncing = true;
	mutex_unlock(&w->mu);
	rc = env_sync(w->file);
	if (rc < 0) {
		/* The kernel marks the pages clean: after a failed sync even a
		 * full disk is a permanent error. */
		if (rc == -ENOSPC || rc == -EDQUOT)
			rc = -EIO;
		writer_fail(w, rc, "sync", 0);
	}
	mutex_lock(&w->mu);
	w->is_syncing = false;
	if (rc == 0)
		w->synced = covers;
	cond_broadcast(&w->sync_ended);
}

int
segment_writer_sync(struct segment_writer *w)
{
	uint64_t target = atomic_load_explicit(&w->appended,
	    memory_order_acquire);
	int rc;

	mutex_lock(&w->mu);
	for (;;) {
		rc = writer_error(w);
		if (rc < 0 || w->synced >= target)
			break;
		if (w->is_syncing)
			cond_wait(&w->sync_ended, &w->mu);
		else
			sync_locked(w);
	}
	mutex_unlock(&w->mu);
	return rc;
}

uint64_t
segment_writer_size(const struct segment_writer *w)
{
	return atomic_load_explicit(&w->size, memory_order_relaxed);
}

uint64_t
segment_writer_number(const struct segment_writer *w)
{
	return w->number;
}
