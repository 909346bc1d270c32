/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl load: unpack an archive into a store. libarchive reads it, whatever
 * its format and compression; the lane takes files, in few commits. As with
 * tar(1), root gets the owners and modes of the archive, others their own.
 */
#include "tools/command.h"

#include <archive.h>
#include <archive_entry.h>
#include <err.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/archive_acl.h"
#include "tools/lane_client.h"
#include "tools/load_owner.h"
#include "util/clock.h"

#define READ_BYTES (1u << 20)
#define PROGRESS_NS 200000000ULL

struct load {
	struct lane_client lane;
	struct archive *archive;
	struct lane_entry entry;
	struct buf path, target, acls[2];
	bool is_root, was_warned;
	mode_t umask;
	uint64_t names, bytes, shown_ns; /* for the progress */
	uint64_t refused; /* names that were reported here */
};

/* ---- Names ---- */

/*
 * The path of an entry without "/" at its beginning, and without "." as a
 * component. False: it has "..", and was reported.
 */
static bool
take_path(struct load *l, const char *name, struct buf *path)
{
	const char *p = name;
	size_t n;

	buf_clear(path);
	if (*p == '/' && !l->was_warned) {
		warnx("names are taken without the / at their beginning");
		l->was_warned = true;
	}
	for (; *p != '\0'; p += n) {
		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			warnx("%s: not loaded: its name has .. in it", name);
			l->refused++;
			return false;
		}
		if (n == 0 || (n == 1 && p[0] == '.'))
			continue;
		if (path->len != 0)
			buf_put_u8(path, '/');
		buf_append(path, p, n);
	}
	return true;
}

/* ---- Attributes ---- */

static void
take_xattrs(struct load *l, struct archive_entry *ae)
{
	struct fs_bulk_entry *e = &l->entry.e;
	const char *name;
	const void *value;
	size_t len, n = 0;

	e->xattrs = l->entry.xattrs;
	for (int i = 0; i < 2; i++) {
		buf_clear(&l->acls[i]);
		archive_acl_get(ae, i == 1, &l->acls[i]);
		if (l->acls[i].len != 0)
			l->entry.xattrs[n++] = (struct fs_bulk_xattr){
				slice_str(i == 1 ? ACL_DEFAULT_NAME :
						   ACL_ACCESS_NAME),
				buf_slice(&l->acls[i])
			};
	}
	(void)archive_entry_xattr_reset(ae);
	while (n < LANE_XATTRS_MAX &&
	    archive_entry_xattr_next(ae, &name, &value, &len) == ARCHIVE_OK)
		l->entry.xattrs[n++] = (struct fs_bulk_xattr){ slice_str(name),
			slice_make(value, len) };
	e->nxattrs = n;
}

/* libarchive 3.6 reads the "-3599.5" of a pax archive as -3599 seconds, and the
 * half of one to be added. */
static struct timespec
make_time(time_t sec, long nsec)
{
	if (sec < 0 && nsec > 0)
		return (struct timespec){ sec - 1, 1000000000 - nsec };
	return (struct timespec){ sec, nsec };
}

static void
take_attributes(struct load *l, struct archive_entry *ae)
{
	struct fs_bulk_entry *e = &l->entry.e;
	mode_t perm = archive_entry_perm(ae);

	*e = (struct fs_bulk_entry){ .path = buf_slice(&l->path) };
	if (!l->is_root)
		perm &= 0777 & ~l->umask;
	e->mode = archive_entry_filetype(ae) |
	    (archive_entry_filetype(ae) == AE_IFLNK ? 0777 : perm);
	if (l->is_root) {
		e->valid = FS_SET_UID | FS_SET_GID;
		e->uid = load_owner_uid(ae);
		e->gid = load_owner_gid(ae);
	}
	e->rdev = archive_entry_rdev(ae);
	if (archive_entry_mtime_is_set(ae)) {
		e->valid |= FS_SET_MTIME;
		e->mtime = make_time(archive_entry_mtime(ae),
		    archive_entry_mtime_nsec(ae));
	}
	if (archive_entry_atime_is_set(ae)) {
		e->valid |= FS_SET_ATIME;
		e->atime = make_time(archive_entry_atime(ae),
		    archive_entry_atime_nsec(ae));
	}
	if (archive_entry_filetype(ae) == AE_IFLNK &&
	    archive_entry_symlink(ae) != NULL)
		e->target = slice_str(archive_entry_symlink(ae));
	take_xattrs(l, ae);
}

/* ---- Contents ---- */

static void
show_progress(struct load *l, bool is_end)
{
	uint64_t now = clock_now_ns();

	if (!isatty(STDERR_FILENO) ||
	    (!is_end && now - l->shown_ns < PROGRESS_NS))
		return;
	l->shown_ns = now;
	fprintf(stderr, "\r%llu names, %llu MiB%s",
	    (unsigned long long)l->names, (unsigned long long)(l->bytes >> 20),
	    is_end ? "\n" : "");
}

static int
send_block(struct load *l, const char *p, size_t len, uint64_t off)
{
	size_t n;
	int rc = 0;

	while (rc == 0 && len != 0) {
		n = len < LANE_DATA_MAX ? len : LANE_DATA_MAX;
		rc = lane_put_data(&l->lane.stream.out, off, slice_make(p, n));
		if (rc == 0)
			rc = lane_client_send(&l->lane);
		p += n;
		off += n;
		len -= n;
		l->bytes += n;
	}
	return rc;
}

/* *is_wholep: the archive has all of it. */
static int
send_contents(struct load *l, bool *is_wholep)
{
	const void *block;
	size_t len;
	la_int64_t off;
	int rc = 0, a;

	while (rc == 0 &&
	    (a = archive_read_data_block(l->archive, &block, &len, &off)) ==
		ARCHIVE_OK) {
		rc = send_block(l, block, len, (uint64_t)off);
		show_progress(l, false);
	}
	*is_wholep = rc == 0 && a == ARCHIVE_EOF;
	return rc;
}

static int
send_file(struct load *l, struct archive_entry *ae)
{
	bool is_whole = true;
	int rc = 0;

	if (archive_entry_size(ae) > 0)
		rc = send_contents(l, &is_whole);
	if (rc == 0)
		rc = lane_put_end_file(&l->lane.stream.out,
		    (uint64_t)archive_entry_size(ae), is_whole);
	if (rc == 0 && !is_whole) {
		warnx("%.*s: %s", (int)l->path.len, (const char *)l->path.data,
		    archive_error_string(l->archive));
		l->refused++;
	}
	return rc;
}

/* ---- Entries ---- */

/* One more name for a file. If the archive has its contents here, as cpio's may,
 * the file is made here, and the other is the link. */
static int
send_link(struct load *l, struct archive_entry *ae)
{
	struct buf *out = &l->lane.stream.out;
	int rc;

	if (!take_path(l, archive_entry_hardlink(ae), &l->target))
		return 0;
	if (archive_entry_size(ae) <= 0)
		return lane_put_link(out, buf_slice(&l->path),
		    buf_slice(&l->target), 0);
	archive_entry_set_filetype(ae, AE_IFREG);
	take_attributes(l, ae);
	rc = lane_put_entry(out, &l->entry);
	if (rc == 0)
		rc = send_file(l, ae);
	return rc < 0 ?
	    rc :
	    lane_put_link(out, buf_slice(&l->target), buf_slice(&l->path), 0);
}

static int
send_entry(struct load *l, struct archive_entry *ae)
{
	const char *name = archive_entry_pathname(ae);
	int rc;

	if (name == NULL) {
		warnx("an entry without a name that could be read is left out");
		l->refused++;
		return 0;
	}
	if (!take_path(l, name, &l->path))
		return 0;
	l->names++;
	if (archive_entry_hardlink(ae) != NULL) {
		rc = send_link(l, ae);
	} else {
		take_attributes(l, ae);
		rc = lane_put_entry(&l->lane.stream.out, &l->entry);
		if (rc == -E2BIG) {
			warnx("%s: too many attributes", name);
			l->refused++;
			return 0;
		}
		if (rc == 0 && archive_entry_filetype(ae) == AE_IFREG)
			rc = send_file(l, ae);
	}
	show_progress(l, false);
	return rc < 0 ? rc : lane_client_send(&l->lane);
}

static int
load_all(struct load *l)
{
	struct archive_entry *ae;
	int a, rc = 0;

	for (;;) {
		a = archive_read_next_header(l->archive, &ae);
		if (a == ARCHIVE_EOF || a == ARCHIVE_FATAL)
			break;
		if (a == ARCHIVE_RETRY)
			continue;
		rc = send_entry(l, ae);
		if (rc < 0)
			return lane_client_report(&l->lane, rc);
	}
	if (a == ARCHIVE_FATAL) {
		warnx("standard input: %s", archive_error_string(l->archive));
		l->refused++;
	}
	rc = lane_client_commit(&l->lane);
	show_progress(l, true);
	if (rc < 0)
		return lane_client_report(&l->lane, rc);
	return l->refused != 0 || l->lane.failures != 0;
}

/* ---- The command ---- */

static int
open_archive(struct load *l)
{
	l->archive = archive_read_new();
	if (l->archive == NULL)
		return command_failed("standard input", -ENOMEM);
	(void)archive_read_support_filter_all(l->archive);
	(void)archive_read_support_format_all(l->archive);
	if (archive_read_open_fd(l->archive, STDIN_FILENO, READ_BYTES) !=
	    ARCHIVE_OK) {
		warnx("standard input: %s", archive_error_string(l->archive));
		return 1;
	}
	return 0;
}

static int
load_run(const struct command *cmd, int argc, char **argv)
{
	struct lane_hello h = {
		.work = LANE_LOAD,
		.flags = FS_BULK_PARENTS | FS_BULK_DIR_TIMES,
	};
	struct load *l;
	struct target *t;
	int status;

	if (getopt(argc, argv, "+") != -1 || argc - optind < 1 ||
	    argc - optind > 2)
		return command_misuse(cmd);
	argv += optind;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return command_failed(argv[0], -ENOMEM);
	/* Names are bytes; libarchive takes them from UTF-8 by the locale. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	l->is_root = geteuid() == 0;
	l->umask = umask(0);
	(void)umask(l->umask);
	h.umask = l->umask;
	if (argv[1] != NULL)
		h.base = slice_str(argv[1]);
	if (command_open(argv[0], TARGET_WRITE, &t) != 0) {
		free(l);
		return 1;
	}
	status = open_archive(l);
	if (status == 0)
		status = lane_client_open(&l->lane, argv[0], t, &h);
	else
		l->lane.fd = -1;
	if (status == 0)
		status = load_all(l);
	lane_client_close(&l->lane);
	(void)archive_read_free(l->archive);
	buf_fini(&l->path);
	buf_fini(&l->target);
	buf_fini(&l->acls[0]);
	buf_fini(&l->acls[1]);
	free(l);
	return command_close(t, status);
}

const struct command cmd_load = {
	.name = "load",
	.summary = "unpack an archive from standard input into the store",
	.usage = "load STORE|MOUNTPOINT [DIRECTORY] <ARCHIVE",
	.run = load_run,
};
