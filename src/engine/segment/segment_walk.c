/* SPDX-License-Identifier: ISC */
/*
 * Walk over all readable frames of a segment, for repair. Format: segment.h.
 *
 * A valid frame header tells where the next frame begins, so a damaged value
 * costs that value alone. After a damaged header the walk goes on at the next
 * magic. The header's checksum includes its offset, so contents that look like
 * a frame are not taken for one.
 */
#include "engine/segment/segment.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/env/file_window.h"
#include "engine/segment/segment_format.h"
#include "engine/segment/segment_internal.h"
#include "util/compress.h"
#include "util/log.h"

typedef int walk_fn(void *arg, const struct segment_pointer *p,
    struct slice user, struct slice raw);

struct walk {
	struct segment_reader *r;
	FILE *out;
	walk_fn *fn;
	void *arg;
	struct file_window window;
	uint64_t off, size;
	uint8_t *raw;
	size_t raw_cap;
	/* Where the current range without a frame begins; it ends at off. */
	uint64_t gap_begin;
	bool gap_has_data;
	int damages;
};

static void
walk_report(struct walk *w, uint64_t off, uint64_t len, const char *what)
{
	if (w->damages < INT_MAX)
		w->damages++;
	if (w->out != NULL)
		fprintf(w->out, "damage: %s: offset %llu, %llu bytes: %s\n",
		    w->r->path, (unsigned long long)off,
		    (unsigned long long)len, what);
}

/* A frame begins at off, or the file ends: report the damaged range before
 * it. */
static void
end_gap(struct walk *w)
{
	if (w->gap_has_data)
		walk_report(w, w->gap_begin, w->off - w->gap_begin,
		    "holds no readable value");
	w->gap_has_data = false;
}

/* Get want bytes at off, or fewer at the end of the file. */
static ssize_t
walk_read(struct walk *w, size_t want, const uint8_t **datap)
{
	uint64_t left = w->size - w->off;
	ssize_t n;

	if (want > left)
		want = (size_t)left;
	n = file_window_get(&w->window, w->off, want, datap);
	if (n >= 0 && (size_t)n < want)
		n = -EIO; /* the file shrank while it was read */
	if (n < 0) {
		log_error("%s: offset %llu: cannot read the segment: %s",
		    w->r->path, (unsigned long long)w->off, strerror((int)-n));
		return n;
	}
	return (uint64_t)n > left ? (ssize_t)left : n;
}

/* Go to the next magic behind off. */
static void
skip_gap(struct walk *w, const uint8_t *p, size_t len)
{
	static const uint8_t zeros[8];
	size_t i = 0;

	do {
		size_t n = len - i < 8 ? len - i : 8;

		if (!w->gap_has_data && memcmp(p + i, zeros, n) != 0) {
			w->gap_has_data = true;
			w->gap_begin = w->off + i;
		}
		i += n;
	} while (len - i >= 8 && !segment_frame_has_magic(p + i));
	w->off += i;
}

static int
walk_uncompress(struct walk *w, const struct segment_frame *f,
    struct slice stored, struct slice *rawp)
{
	uint8_t *grown;

	*rawp = stored;
	if (f->codec == CODEC_NONE)
		return 0;
	if (w->raw_cap < f->raw_len) {
		grown = realloc(w->raw, f->raw_len);
		if (grown == NULL)
			return -ENOMEM;
		w->raw = grown;
		w->raw_cap = f->raw_len;
	}
	*rawp = slice_make(w->raw, f->raw_len);
	return compress_decode(f->codec, stored, w->raw, f->raw_len);
}

/* A valid frame header is at off: pass the frame to fn and go behind it. */
static int
walk_visit_frame(struct walk *w, const struct segment_frame *head, uint64_t len)
{
	struct segment_pointer pointer = { w->r->number, w->off, (uint32_t)len,
		head->raw_len };
	struct segment_frame f = *head;
	struct slice stored, raw;
	const uint8_t *p;
	ssize_t n;
	int rc;

	n = walk_read(w, (size_t)len, &p);
	if (n < 0)
		return (int)n;
	/* The window may have moved. */
	f.user.data = p + SEGMENT_FRAME_HEADER_LEN;
	end_gap(w);
	w->off += len;
	if (!segment_body_verify(&f, p, w->r->number, pointer.off, &stored)) {
		walk_report(w, pointer.off, len,
		    "the value does not match its checksum");
		return 0;
	}
	rc = walk_uncompress(w, &f, stored, &raw);
	if (rc == -KVFS_ECORRUPT) {
		walk_report(w, pointer.off, len,
		    "the value cannot be uncompressed");
		return 0;
	}
	if (rc < 0)
		return rc;
	return w->fn(w->arg, &pointer, f.user, raw);
}

static int
walk_step(struct walk *w)
{
	struct segment_frame f;
	const uint8_t *p;
	uint64_t len;
	ssize_t n;

	n = walk_read(w, SEGMENT_FRAME_HEAD_MAX, &p);
	if (n < 0)
		return (int)n;
	if (segment_frame_decode(p, (size_t)n, w->r->number, w->off, &f) == 0) {
		len = segment_frame_len(f.user.len, f.stored_len);
		if (len <= w->size - w->off)
			return walk_visit_frame(w, &f, len);
	}
	skip_gap(w, p, (size_t)n);
	return 0;
}

int
segment_walk(struct segment_reader *r, FILE *out, walk_fn *fn, void *arg)
{
	struct walk w = { .r = r, .out = out, .fn = fn, .arg = arg };
	int rc;

	w.off = SEGMENT_HEADER_LEN;
	file_window_init(&w.window, r->file);
	rc = env_size(r->file, &w.size);
	while (rc >= 0 && w.off < w.size)
		rc = walk_step(&w);
	if (rc >= 0) {
		end_gap(&w);
		rc = w.damages;
	}
	file_window_fini(&w.window);
	free(w.raw);
	return rc;
}
