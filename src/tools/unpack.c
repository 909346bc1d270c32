/* SPDX-License-Identifier: ISC */
/*
 * See unpack.h. Tables and segments of the archive never change in the
 * store: where both are on one file system they are linked and not
 * read. The manifest, which makes a store of the files, is named last, when
 * all else is on disk.
 */
#include "tools/unpack.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/tar.h"

#define COPY_BYTES (1u << 20)
#define MANIFEST "MANIFEST-"
/* The name of the manifest until the backup is complete. */
#define UNFINISHED "BACKUP-UNFINISHED"

/* ---- Signals ---- */

static volatile sig_atomic_t caught;

static void
unpack_note_signal(int sig)
{
	caught = sig;
}

void
unpack_catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = unpack_note_signal }, old;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		/* Signals that nohup(1) ignores stay ignored. */
		if (sigaction(signals[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
	}
}

int
unpack_signal(void)
{
	return caught;
}

/* ---- Failures ---- */

static int
read_failed(const struct unpack *u, int rc)
{
	const char *reason = strerror(-rc);

	if (caught != 0)
		return -EINTR;
	if (rc == -ECANCELED)
		reason = "the mount is being ended";
	else if (rc == -ENOTCONN || rc == -ECONNABORTED || rc == -ENODEV)
		reason = "the daemon of this mount is gone";
	else if (rc == -EINVAL)
		reason = "its backup is not understood; is the daemon of "
			 "another version?";
	warnx("%s: %s; no backup was made", u->from_name, reason);
	return rc;
}

static int
write_failed(const struct unpack *u, const char *name, int rc)
{
	if (caught != 0)
		return -EINTR;
	warnx("%s/%s: %s; no backup was made", u->to_name, name, strerror(-rc));
	return rc;
}

/* ---- One file ---- */

static bool
is_manifest(const char *name)
{
	return strncmp(name, MANIFEST, strlen(MANIFEST)) == 0;
}

/* Can it be the name of a file of a store, without a "/"? */
static bool
is_good_name(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			   "abcdefghijklmnopqrstuvwxyz-.",
			*p) == NULL)
			return false;
	return name[0] != '.' && strcmp(name, UNFINISHED) != 0;
}

/* Link the store's file into the copy: true if that was possible. */
static bool
link_file(struct unpack *u, const struct tar_entry *e)
{
	struct stat st;

	if (u->store < 0 || is_manifest(e->name) ||
	    linkat(u->store, e->name, u->to, e->name, 0) < 0)
		return false;
	if (fstatat(u->to, e->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && (uint64_t)st.st_size == e->size) {
		u->linked++;
		return true;
	}
	(void)unlinkat(u->to, e->name, 0);
	return false;
}

static int
write_all(int fd, const char *buf, size_t len, off_t off)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, buf, len, off);

		if (n < 0)
			return -errno;
		buf += n;
		off += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
copy_contents(struct unpack *u, const struct tar_entry *e, const char *name,
    int fd, uint64_t off)
{
	char *buf = malloc(COPY_BYTES);
	uint64_t done = 0;
	ssize_t n;
	int rc = buf != NULL ? 0 : write_failed(u, name, -ENOMEM);

	while (rc == 0 && done < e->size) {
		size_t len = e->size - done < COPY_BYTES ?
		    (size_t)(e->size - done) :
		    COPY_BYTES;

		n = caught != 0 ?
		    -EINTR :
		    target_backup_read(u->from, buf, len, off + done);
		if (n >= 0 && (size_t)n < len)
			n = -EINVAL;
		if (n < 0) {
			rc = read_failed(u, (int)n);
			break;
		}
		rc = write_all(fd, buf, len, (off_t)done);
		if (rc < 0)
			rc = write_failed(u, name, rc);
		/* Start writing to disk now, so that the sync at the end is
		 * short. */
		(void)sync_file_range(fd, (off_t)done, (off_t)len,
		    SYNC_FILE_RANGE_WRITE);
		done += len;
	}
	free(buf);
	return rc;
}

static int
copy_file(struct unpack *u, const struct tar_entry *e, uint64_t off)
{
	const char *name = is_manifest(e->name) ? UNFINISHED : e->name;
	int fd, rc;

	fd = openat(u->to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return write_failed(u, name, -errno);
	rc = copy_contents(u, e, name, fd, off);
	if (rc == 0 && fsync(fd) < 0)
		rc = write_failed(u, name, -errno);
	if (close(fd) < 0 && rc == 0)
		rc = write_failed(u, name, -errno);
	u->copied++;
	u->copied_bytes += e->size;
	return rc;
}

/* ---- All files ---- */

/* Call fn for each entry, with the offset of its contents. */
static int
each_entry(struct unpack *u,
    int (*fn)(struct unpack *u, const struct tar_entry *e, uint64_t off))
{
	uint8_t h[TAR_BLOCK];
	struct tar_entry e;
	uint64_t off = 0;
	ssize_t n;
	int rc;

	for (;;) {
		n = caught != 0 ?
		    -EINTR :
		    target_backup_read(u->from, h, sizeof(h), off);
		if (n < 0)
			return read_failed(u, (int)n);
		rc = n == sizeof(h) ? tar_header_decode(h, &e) : -EINVAL;
		if (rc == 0)
			return 0;
		if (rc < 0 || !is_good_name(e.name) ||
		    e.size > INT64_MAX - off - sizeof(h) - TAR_BLOCK)
			return read_failed(u, -EINVAL);
		rc = fn(u, &e, off + sizeof(h));
		if (rc < 0)
			return rc;
		off += sizeof(h) + tar_padded(e.size);
	}
}

/* Give the manifest its name, after all other files are on disk. */
static int
name_manifest(struct unpack *u, const char *manifest)
{
	if (fsync(u->to) < 0)
		return write_failed(u, ".", -errno);
	if (renameat(u->to, UNFINISHED, u->to, manifest) < 0 ||
	    fsync(u->to) < 0)
		return write_failed(u, manifest, -errno);
	return 0;
}

static int
bring_entry(struct unpack *u, const struct tar_entry *e, uint64_t off)
{
	int rc = link_file(u, e) ? 0 : copy_file(u, e, off);

	if (rc == 0 && is_manifest(e->name))
		rc = name_manifest(u, e->name);
	return rc;
}

/* Remove all files, the manifest first: the directory was empty before, so it
 * has no others. */
static void
remove_files(struct unpack *u)
{
	int fd = openat(u->to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *de;

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((de = readdir(dir)) != NULL)
		if (is_manifest(de->d_name))
			(void)unlinkat(u->to, de->d_name, 0);
	rewinddir(dir);
	while ((de = readdir(dir)) != NULL)
		if (is_good_name(de->d_name) ||
		    strcmp(de->d_name, UNFINISHED) == 0)
			(void)unlinkat(u->to, de->d_name, 0);
	closedir(dir);
}

int
unpack_run(struct unpack *u)
{
	int rc = each_entry(u, bring_entry);

	if (rc == 0 && caught != 0)
		rc = -EINTR;
	if (rc < 0)
		remove_files(u);
	return rc;
}
