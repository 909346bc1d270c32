/* SPDX-License-Identifier: ISC */
/*
 * Reads the bytes of a backup's archive at any offset. An offset belongs to one
 * member, and there to its header, its contents or its padding.
 */
#include <unistd.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/state/db_state.h"
#include "engine/store/backup.h"
#include "util/log.h"
#include "util/tar.h"

static void
make_header(struct backup *b, const struct member *m, uint8_t h[TAR_BLOCK])
{
	struct tar_entry e = { .size = m->size,
		.mode = 0600,
		.uid = geteuid(),
		.gid = getegid(),
		.mtime = b->made };

	filename_make(e.name, m->kind, m->number);
	tar_header_encode(&e, h);
}

int
backup_open_file(struct backup *b, enum file_kind kind, uint64_t number,
    struct env_file **filep)
{
	char name[FILENAME_BYTES], path[PATH_MAX];
	int rc;

	filename_make(name, kind, number);
	filename_path(path, b->db->store.path, kind, number);
	rc = env_open(b->db->store.dir, name, ENV_READ, filep);
	if (rc == -ENOENT) {
		log_error("%s: missing: the store is damaged; run kvfsctl "
			  "repair",
		    path);
		return -KVFS_ECORRUPT;
	}
	if (rc < 0)
		log_error("%s: cannot be read for a backup: %s", path,
		    strerror(-rc));
	return rc;
}

static int use_file_locked(struct backup *b, const struct member *m)
    REQUIRES(&b->mu);

static int
use_file_locked(struct backup *b, const struct member *m)
{
	int rc;

	mutex_assert_held(&b->mu);
	if (b->current == m)
		return 0;
	env_close(b->file);
	b->current = NULL;
	rc = backup_open_file(b, m->kind, m->number, &b->file);
	if (rc < 0)
		return rc;
	env_advise(b->file, 0, 0, ENV_ADVICE_SEQUENTIAL);
	b->current = m;
	return 0;
}

static ssize_t
read_file(struct backup *b, const struct member *m, void *buf, size_t len,
    uint64_t off)
{
	ssize_t n;

	mutex_lock(&b->mu);
	n = use_file_locked(b, m);
	if (n == 0)
		n = env_read(b->file, buf, len, off);
	mutex_unlock(&b->mu);
	if (n >= 0 && (size_t)n < len) {
		log_error("%s: %06llu is shorter than it was: the store is "
			  "damaged; run kvfsctl check",
		    b->db->store.path, (unsigned long long)m->number);
		return -KVFS_ECORRUPT;
	}
	return n;
}

/* Find the last member that begins at or before off. */
static const struct member *
find_member(const struct backup *b, uint64_t off)
{
	size_t lo = 0, hi = b->count;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->members[mid].off <= off)
			lo = mid;
		else
			hi = mid;
	}
	return &b->members[lo];
}

/* Read at most len bytes from one piece: a header, contents or padding. */
static ssize_t
read_piece(struct backup *b, uint8_t *buf, size_t len, uint64_t off)
{
	const struct member *m = find_member(b, off);
	uint64_t at = off - m->off, piece_end;
	uint8_t h[TAR_BLOCK];

	if (at < TAR_BLOCK)
		piece_end = TAR_BLOCK;
	else if (at < TAR_BLOCK + m->size)
		piece_end = TAR_BLOCK + m->size;
	else if (at < TAR_BLOCK + tar_padded(m->size))
		piece_end = TAR_BLOCK + tar_padded(m->size);
	else
		piece_end = b->base.size - m->off;
	if (len > piece_end - at)
		len = (size_t)(piece_end - at);
	if (at < TAR_BLOCK) {
		make_header(b, m, h);
		memcpy(buf, h + at, len);
	} else if (at - TAR_BLOCK >= m->size) {
		memset(buf, 0, len);
	} else if (m->kind == FILE_MANIFEST) {
		memcpy(buf, b->manifest.data + (at - TAR_BLOCK), len);
	} else {
		return read_file(b, m, buf, len, at - TAR_BLOCK);
	}
	return (ssize_t)len;
}

ssize_t
backup_read(struct kv_backup *base, void *buf, size_t len, uint64_t off)
{
	struct backup *b = backup_of(base);
	size_t done = 0;

	if (off >= base->size)
		return 0;
	if (len > base->size - off)
		len = (size_t)(base->size - off);
	while (done < len) {
		ssize_t n = read_piece(b, (uint8_t *)buf + done, len - done,
		    off + done);

		if (n < 0)
			return n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}
