/* SPDX-License-Identifier: ISC */
/*
 * Segments, read side. Format: segment.h.
 *
 * A pointer and the frame that it leads to have to agree in every field. Memory
 * is allocated only for lengths up to KV_VALUE_MAX. It comes from malloc(3),
 * not from a pool: malloc takes 0.09 us for a buffer of 33 KiB, while reading,
 * checking and uncompressing a chunk of 32 KiB takes 20 to 75 us.
 * Threading: a reader does not change once open; any thread may use it.
 */
#include "engine/segment/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/segment/segment_format.h"
#include "engine/segment/segment_internal.h"
#include "util/coding.h"
#include "util/compress.h"
#include "util/log.h"

static int
check_header(const struct segment_reader *r, const uint8_t *bytes, size_t len)
{
	uint32_t version;
	uint64_t number;
	int rc;

	if (len < SEGMENT_HEADER_LEN) {
		log_error("%s: damage: the file is cut off within its header",
		    r->path);
		return -KVFS_ECORRUPT;
	}
	rc = segment_header_decode(bytes, &version, &number);
	if (rc < 0) {
		log_error("%s: offset 0: damage: the segment's header does "
			  "not match its checksum",
		    r->path);
		return rc;
	}
	if (version > SEGMENT_VERSION) {
		log_error("%s: segment version %u is newer than this program "
			  "(%u): use the newer one",
		    r->path, version, SEGMENT_VERSION);
		return -EPROTO;
	}
	if (version == 0 || number != r->number) {
		log_error("%s: damage: the header belongs to segment %llu",
		    r->path, (unsigned long long)number);
		return -KVFS_ECORRUPT;
	}
	return 0;
}

int
segment_reader_open(struct env_file *file, const char *path, uint64_t number,
    struct segment_reader **readerp)
{
	struct segment_reader *r = calloc(1, sizeof(*r));
	uint8_t bytes[SEGMENT_HEADER_LEN];
	ssize_t n;
	int rc = -ENOMEM;

	*readerp = NULL;
	if (r == NULL) {
		env_close(file);
		return rc;
	}
	r->file = file;
	r->number = number;
	r->path = strdup(path);
	if (r->path == NULL)
		goto fail;
	n = env_read(file, bytes, sizeof(bytes), 0);
	if (n < 0) {
		rc = (int)n;
		log_error("%s: offset 0: cannot read the segment: %s", path,
		    strerror(-rc));
		goto fail;
	}
	rc = check_header(r, bytes, (size_t)n);
	if (rc < 0)
		goto fail;
	*readerp = r;
	return 0;
fail:
	segment_reader_close(r);
	return rc;
}

void
segment_reader_close(struct segment_reader *r)
{
	if (r == NULL)
		return;
	env_close(r->file);
	free(r->path);
	free(r);
}

/* ---- One value ---- */

/* Read the bytes that p leads to. Returns owned, by free(3). *whatp says what
 * is wrong. */
static int
read_frame(struct segment_reader *r, const struct segment_pointer *p,
    uint8_t **framep, const char **whatp)
{
	uint8_t encoded[SEGMENT_POINTER_LEN];
	struct segment_pointer checked;
	uint8_t *frame;
	ssize_t n;

	*framep = NULL;
	*whatp = "the pointer to it is impossible";
	segment_pointer_encode(p, encoded);
	if (p->segment != r->number ||
	    segment_pointer_decode(slice_make(encoded, sizeof(encoded)),
		&checked) < 0)
		return -KVFS_ECORRUPT;
	*whatp = "cannot read it";
	frame = malloc(p->frame_len);
	if (frame == NULL)
		return -ENOMEM;
	n = env_read(r->file, frame, p->frame_len, p->off);
	if (n == (ssize_t)p->frame_len) {
		*framep = frame;
		return 0;
	}
	free(frame);
	if (n < 0)
		return (int)n;
	*whatp = "the file ends before it";
	return -KVFS_ECORRUPT;
}

/* Verify the frame against its pointer p and the key user. */
static int
verify_frame(const struct segment_reader *r, const struct segment_pointer *p,
    struct slice user, const uint8_t *frame, struct segment_frame *f,
    struct slice *storedp, const char **whatp)
{
	int rc = segment_frame_decode(frame, p->frame_len, r->number, p->off,
	    f);

	*whatp = "its header does not match its checksum";
	if (rc < 0)
		return rc;
	*whatp = "it has another length than the pointer to it says";
	if (f->raw_len != p->raw_len ||
	    segment_frame_len(f->user.len, f->stored_len) != p->frame_len)
		return -KVFS_ECORRUPT;
	*whatp = "it belongs to another key";
	if (!slice_eq(f->user, user))
		return -KVFS_ECORRUPT;
	*whatp = "it does not match its checksum";
	if (!segment_body_verify(f, frame, r->number, p->off, storedp))
		return -KVFS_ECHECKSUM;
	return 0;
}

/* Make a value of a verified frame. Takes frame, also on failure. */
static int
make_value(const struct segment_frame *f, struct slice stored, uint8_t *frame,
    struct kv_value *valuep, const char **whatp)
{
	void *pin = frame;
	struct slice data = stored;
	int rc;

	if (f->codec != CODEC_NONE) {
		pin = malloc(f->raw_len != 0 ? f->raw_len : 1);
		*whatp = "no memory for it";
		rc = -ENOMEM;
		if (pin != NULL) {
			*whatp = "it cannot be uncompressed";
			rc = compress_decode(f->codec, stored, pin, f->raw_len);
		}
		free(frame);
		if (rc < 0) {
			free(pin);
			return rc;
		}
		data = slice_make(pin, f->raw_len);
	}
	*valuep = (struct kv_value){ data, free, pin };
	return 0;
}

int
segment_read_value(struct segment_reader *r, const struct segment_pointer *p,
    struct slice user, struct kv_value *valuep, const char **whatp)
{
	struct segment_frame f;
	struct slice stored;
	uint8_t *frame;
	int rc;

	rc = read_frame(r, p, &frame, whatp);
	if (rc < 0)
		return rc;
	rc = verify_frame(r, p, user, frame, &f, &stored, whatp);
	if (rc < 0) {
		free(frame);
		return rc;
	}
	return make_value(&f, stored, frame, valuep, whatp);
}

int
segment_read(struct segment_reader *r, const struct segment_pointer *p,
    struct slice user, struct kv_value *valuep)
{
	const char *what;
	int rc;

	*valuep = (struct kv_value){ 0 };
	rc = segment_read_value(r, p, user, valuep, &what);
	if (rc < 0)
		log_error("%s: offset %llu: damaged or unreadable value: %s: "
			  "%s",
		    r->path, (unsigned long long)p->off, what, strerror(-rc));
	return rc;
}

int
segment_probe(struct segment_reader *r, const struct segment_pointer *p,
    struct slice user)
{
	struct kv_value value = { 0 };
	const char *what;
	int rc = segment_read_value(r, p, user, &value, &what);

	kv_value_release(&value);
	return rc;
}
