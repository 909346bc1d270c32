/* SPDX-License-Identifier: ISC */
/* The file of the manifest; see manifest.h for the format and its rules. */
#include "engine/tree/manifest.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "engine/env/store_files.h"
#include "kvfs/kv.h"
#include "util/coding.h"
#include "util/crc32c.h"
#include "util/log.h"

#define MAGIC "kvfsMAN1"
#define HEADER_LEN 32
#define RECORD_MAGIC "MREC"
#define RECORD_MAGIC_LEN 4
#define RECORD_HEADER_LEN 16
#define RECORD_MAX (256u << 20)

struct manifest {
	struct env_file *file;
	uint64_t number;
	uint64_t bytes;
	uint32_t chain;
	int error; /* the first failure; it is permanent */
	char path[PATH_MAX];
};

static void
header_encode(uint8_t h[HEADER_LEN], uint64_t number)
{
	memset(h, 0, HEADER_LEN);
	/* Bytes, not a string: NOLINTNEXTLINE(*-not-null-terminated-result) */
	memcpy(h, MAGIC, 8);
	put_le32(h + 8, MANIFEST_VERSION);
	put_le64(h + 16, number);
	put_le32(h + 28, crc32c_sum(0, h, 28));
}

/* The checksum of a record. Its header already has the length and the checksum
 * of the record before. */
static uint32_t
record_sum(const uint8_t header[RECORD_HEADER_LEN], struct slice payload)
{
	return crc32c_sum(crc32c_sum(0, header + 4, 8), payload.data,
	    payload.len);
}

/* Append a record of e to out; chain is the checksum of the record before.
 * Returns its own checksum. Failures stay in out. */
static uint32_t
record_encode(const struct version_edit *e, uint32_t chain, struct buf *out)
{
	size_t at = out->len, len;
	const struct slice magic = slice_str(RECORD_MAGIC);
	uint32_t sum;
	uint8_t *h;

	buf_extend(out, RECORD_HEADER_LEN);
	version_edit_encode(e, out);
	if (buf_error(out) < 0)
		return 0;
	h = out->data + at;
	len = out->len - at - RECORD_HEADER_LEN;
	memcpy(h, magic.data, magic.len);
	put_le32(h + 4, (uint32_t)len);
	put_le32(h + 8, chain);
	sum = record_sum(h, slice_make(h + RECORD_HEADER_LEN, len));
	put_le32(h + 12, sum);
	return sum;
}

/* Write a record at off. On success *chainp becomes its checksum. */
static int
write_record(struct env_file *file, uint64_t off, uint32_t *chainp,
    const struct version_edit *e, uint64_t *lenp)
{
	struct buf b = { 0 };
	uint32_t sum = record_encode(e, *chainp, &b);
	int rc = buf_error(&b);

	if (rc == 0 && b.len - RECORD_HEADER_LEN > RECORD_MAX)
		rc = -E2BIG;
	if (rc == 0) {
		struct iovec iov = { b.data, b.len };

		rc = env_write(file, &iov, 1, off);
	}
	if (rc == 0) {
		*chainp = sum;
		*lenp = b.len;
	}
	buf_fini(&b);
	return rc;
}

int
manifest_encode(uint64_t number, const struct version_edit *snapshot,
    struct buf *out)
{
	uint8_t header[HEADER_LEN];

	header_encode(header, number);
	buf_append(out, header, sizeof(header));
	(void)record_encode(snapshot, get_le32(header + 28), out);
	if (buf_error(out) < 0)
		return buf_error(out);
	return out->len <= RECORD_MAX ? 0 : -E2BIG;
}

int
manifest_create(struct env_dir *dir, uint64_t number,
    const struct version_edit *snapshot, struct manifest **manifestp)
{
	struct manifest *m = calloc(1, sizeof(*m));
	uint8_t header[HEADER_LEN];
	struct iovec iov = { header, sizeof(header) };
	uint64_t len = 0;
	bool made = false;
	int rc = -ENOMEM;

	*manifestp = NULL;
	if (m == NULL)
		goto fail;
	m->number = number;
	filename_path(m->path, dir->path, FILE_MANIFEST, number);
	rc = store_file_open(dir, FILE_TEMP, number, ENV_WRITE | ENV_CREATE,
	    &m->file);
	if (rc < 0)
		goto fail;
	made = true;
	header_encode(header, number);
	m->chain = get_le32(header + 28);
	rc = env_write(m->file, &iov, 1, 0);
	if (rc == 0)
		rc = write_record(m->file, HEADER_LEN, &m->chain, snapshot,
		    &len);
	if (rc == 0)
		rc = env_sync(m->file);
	if (rc == 0)
		rc = store_file_rename(dir, FILE_TEMP, number, FILE_MANIFEST,
		    number);
	if (rc < 0)
		goto fail;
	made = false;
	rc = env_dir_sync(dir);
	if (rc < 0)
		goto fail;
	m->bytes = HEADER_LEN + len;
	*manifestp = m;
	return 0;
fail:
	if (m != NULL)
		log_error("%s: cannot write the manifest: %s", m->path,
		    strerror(-rc));
	if (made)
		store_file_unlink(dir, FILE_TEMP, number);
	manifest_close(m);
	return rc;
}

int
manifest_append(struct manifest *m, const struct version_edit *e)
{
	uint64_t len = 0;
	uint32_t chain = m->chain;
	int rc = m->error;

	if (rc < 0)
		return rc;
	rc = write_record(m->file, m->bytes, &chain, e, &len);
	if (rc == -ENOSPC || rc == -ENOMEM || rc == -E2BIG) {
		/* The next record overwrites what was written of this one.
		 * Until then readers take it for a torn tail. */
		return rc;
	}
	if (rc == 0) {
		rc = env_sync(m->file);
		/* After a failed sync the contents of the disk are unknown,
		 * whatever the error says. */
		if (rc == -ENOSPC || rc == -ENOMEM)
			rc = -EIO;
	}
	if (rc < 0) {
		m->error = rc;
		return rc;
	}
	m->chain = chain;
	m->bytes += len;
	return 0;
}

uint64_t
manifest_number(const struct manifest *m)
{
	return m->number;
}

uint64_t
manifest_bytes(const struct manifest *m)
{
	return m->bytes;
}

void
manifest_close(struct manifest *m)
{
	if (m == NULL)
		return;
	env_close(m->file);
	free(m);
}

/* Read the whole file. Its size is bounded by the number of tables. */
static int
read_all(struct env_dir *dir, uint64_t number, const char *path,
    struct buf *out)
{
	struct env_file *file = NULL;
	uint64_t size = 0;
	ssize_t n;
	int rc = store_file_open(dir, FILE_MANIFEST, number, ENV_READ, &file);

	if (rc == 0)
		rc = env_size(file, &size);
	if (rc == 0 && size > 4ULL * RECORD_MAX)
		rc = -KVFS_ECORRUPT;
	if (rc == 0 && buf_extend(out, size) == NULL)
		rc = -ENOMEM;
	if (rc == 0 && size > 0) {
		n = env_read(file, out->data, size, 0);
		if (n < 0)
			rc = (int)n;
		else
			out->len = (size_t)n;
	}
	env_close(file);
	if (rc < 0)
		log_error("%s: cannot read the manifest: %s", path,
		    strerror(-rc));
	return rc;
}

static int
header_check(const char *path, struct slice file, uint64_t number,
    uint32_t *chainp)
{
	const uint8_t *h = file.data;
	uint32_t version;

	if (file.len < HEADER_LEN || memcmp(h, MAGIC, 8) != 0 ||
	    crc32c_sum(0, h, 28) != get_le32(h + 28) ||
	    get_le64(h + 16) != number) {
		log_error("%s: damaged: no valid header; run kvfsctl repair",
		    path);
		return -KVFS_ECORRUPT;
	}
	version = get_le32(h + 8);
	if (version == 0) {
		log_error("%s: damaged: impossible version; run kvfsctl "
			  "repair",
		    path);
		return -KVFS_ECORRUPT;
	}
	if (version > MANIFEST_VERSION || get_le32(h + 12) != 0) {
		log_error("%s: written by a newer kvfs (format %u, this one "
			  "knows %u); use that version",
		    path, version, MANIFEST_VERSION);
		return -EPROTO;
	}
	*chainp = get_le32(h + 28);
	return 0;
}

/* Read the record at off: its payload and checksums. False if there is no whole
 * record. */
static bool
record_at(struct slice file, size_t off, struct slice *payloadp,
    uint32_t *prevp, uint32_t *sump)
{
	const uint8_t *p = (const uint8_t *)file.data + off;
	uint32_t len;

	if (file.len - off < RECORD_HEADER_LEN ||
	    memcmp(p, RECORD_MAGIC, RECORD_MAGIC_LEN) != 0)
		return false;
	len = get_le32(p + 4);
	if (len > RECORD_MAX || len > file.len - off - RECORD_HEADER_LEN)
		return false;
	*payloadp = slice_make(p + RECORD_HEADER_LEN, len);
	*prevp = get_le32(p + 8);
	*sump = get_le32(p + 12);
	return record_sum(p, *payloadp) == *sump;
}

/* Whether a whole record follows anywhere behind off. Then the record at off
 * was once written whole, and is damaged now. */
static bool
record_follows(struct slice file, size_t off)
{
	const uint8_t *base = file.data, *p;
	struct slice payload;
	uint32_t prev, sum;

	while (++off < file.len) {
		p = memmem(base + off, file.len - off, RECORD_MAGIC,
		    RECORD_MAGIC_LEN);
		if (p == NULL)
			return false;
		off = (size_t)(p - base);
		if (record_at(file, off, &payload, &prev, &sum))
			return true;
	}
	return false;
}

int
manifest_read(struct env_dir *dir, uint64_t number,
    int (*fn)(void *arg, struct version_edit *e), void *arg)
{
	struct buf file = { 0 };
	struct version_edit e;
	struct slice payload;
	uint32_t chain = 0, prev, sum;
	size_t off = HEADER_LEN;
	char path[PATH_MAX];
	bool first = true;
	int rc;

	filename_path(path, dir->path, FILE_MANIFEST, number);
	rc = read_all(dir, number, path, &file);
	if (rc == 0)
		rc = header_check(path, buf_slice(&file), number, &chain);
	while (rc == 0 && off < file.len) {
		if (!record_at(buf_slice(&file), off, &payload, &prev, &sum) ||
		    prev != chain) {
			if (!first && !record_follows(buf_slice(&file), off))
				break;
			log_error("%s: damaged at offset %zu; run kvfsctl "
				  "repair",
			    path, off);
			rc = -KVFS_ECHECKSUM;
			break;
		}
		rc = version_edit_decode(payload, &e);
		if (rc == 0) {
			rc = fn(arg, &e);
			version_edit_fini(&e);
		}
		if (rc < 0)
			log_error("%s: impossible record at offset %zu; run "
				  "kvfsctl repair",
			    path, off);
		off += RECORD_HEADER_LEN + payload.len;
		chain = sum;
		first = false;
	}
	if (rc == 0 && first) {
		log_error("%s: damaged: no record; run kvfsctl repair", path);
		rc = -KVFS_ECORRUPT;
	}
	buf_fini(&file);
	return rc;
}
