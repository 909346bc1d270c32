/* SPDX-License-Identifier: ISC */
/* See value.h. */
#include "tools/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define PIECE_BYTES (1u << 20)

int
value_copy_out(struct target *t, const char *key, FILE *out)
{
	struct target_file f;
	uint64_t off = 0;
	ssize_t n;
	char *piece;
	int rc = key_check(key);

	if (rc < 0)
		return rc;
	rc = target_open_file(t, key, &f);
	if (rc < 0)
		return rc;
	piece = malloc(PIECE_BYTES);
	n = piece == NULL ? -ENOMEM : 1;
	while (n > 0) {
		n = target_read(t, &f, piece, PIECE_BYTES, off);
		if (n <= 0)
			break;
		/* command_close() reports failed writes to standard output. */
		if (fwrite(piece, 1, (size_t)n, out) != (size_t)n)
			break;
		off += (uint64_t)n;
	}
	free(piece);
	rc = target_close_file(t, &f);
	return n < 0 ? (int)n : rc;
}

static int
write_all(struct target *t, struct target_file *f, struct slice s,
    uint64_t *offp)
{
	const char *p = s.data;
	ssize_t n;

	while (s.len > 0) {
		n = target_write(t, f, p, s.len, *offp);
		if (n < 0)
			return (int)n;
		p += n;
		s.len -= (size_t)n;
		*offp += (uint64_t)n;
	}
	return 0;
}

static int
write_source(struct target *t, struct target_file *f,
    const struct value_source *src, bool *source_failed)
{
	uint64_t off = 0;
	char *piece;
	ssize_t n;
	int rc = write_all(t, f, src->bytes, &off);

	if (rc < 0 || src->fd < 0)
		return rc;
	piece = malloc(PIECE_BYTES);
	if (piece == NULL)
		return -ENOMEM;
	while (rc == 0) {
		n = read(src->fd, piece, PIECE_BYTES);
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = -errno;
			*source_failed = true;
		} else {
			rc = write_all(t, f, slice_make(piece, (size_t)n),
			    &off);
		}
	}
	free(piece);
	return rc;
}

/* A temporary name is longer than its key, so it may exceed KEY_MAX. */
#define TEMP_MAX (KEY_MAX + 64)

/* Make an unused random name in the directory of key. A process that is killed
 * leaves such a file, whose name shows the key. */
static int
temp_key(const char *key, char temp[TEMP_MAX])
{
	const char *slash = strrchr(key, '/');
	int dir_len = slash == NULL ? 0 : (int)(slash - key) + 1;
	uint64_t chance;

	if (getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
		return -EIO;
	snprintf(temp, TEMP_MAX, "%.*s.kvfsctl-put.%ld.%016" PRIx64, dir_len,
	    key, (long)getpid(), chance);
	return 0;
}

/* The mode of the temporary file: that of any new file for a new value; for one
 * that replaces another, private to the caller until it has the mode and owner
 * of the old one. */
static mode_t
temp_mode(bool is_new)
{
	return is_new ? 0666 : 0600;
}

int
value_replace(struct target *t, const char *key, const struct value_source *src,
    bool *source_failed)
{
	char temp[TEMP_MAX];
	struct target_file f;
	struct stat old;
	bool is_new;
	int rc = key_check(key), rc2;

	*source_failed = false;
	if (rc == 0 && (*key == '\0' || key[strlen(key) - 1] == '/'))
		rc = -EISDIR;
	if (rc < 0)
		return rc;
	rc = target_stat(t, key, &old);
	is_new = rc == -ENOENT;
	if (rc < 0 && !is_new)
		return rc;
	if (rc == 0 && !S_ISREG(old.st_mode))
		return S_ISDIR(old.st_mode) ? -EISDIR :
		    S_ISLNK(old.st_mode)    ? -ELOOP :
					      -EEXIST;
	do {
		rc = temp_key(key, temp);
		if (rc == 0)
			rc = target_create_file(t, temp, temp_mode(is_new), &f);
	} while (rc == -EEXIST);
	if (rc < 0)
		return rc;
	rc = write_source(t, &f, src, source_failed);
	if (rc == 0 && !is_new)
		rc = target_copy_attributes(t, &f, key, &old);
	rc2 = target_close_file(t, &f);
	if (rc == 0)
		rc = rc2;
	if (rc == 0)
		rc = target_rename(t, temp, key);
	if (rc < 0)
		target_remove(t, temp, false);
	return rc;
}

int
value_make_parents(struct target *t, const char *key)
{
	const char *p = key, *name;
	char dir[KEY_MAX];
	int rc = key_check(key);

	while (rc == 0 && key_component(&p, &name) > 0 && *p == '/') {
		memcpy(dir, key, (size_t)(p - key));
		dir[p - key] = '\0';
		rc = target_mkdir(t, dir);
		if (rc == -EEXIST)
			rc = 0;
	}
	return rc;
}
