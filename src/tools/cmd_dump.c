/* SPDX-License-Identifier: ISC */
/* kvfsctl dump: a tree of the store as an archive in the pax format. */
#include "tools/command.h"

#include <archive.h>
#include <archive_entry.h>
#include <err.h>
#include <errno.h>
#include <locale.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tools/archive_acl.h"
#include "tools/lane_client.h"
#include "util/coding.h"

struct dump {
	struct lane_client lane;
	struct archive *archive;
	struct archive_entry_linkresolver *links;
	struct lane_entry entry; /* the one that is received */
	struct archive_entry *file; /* its header is not written yet; or NULL */
	uint64_t offset; /* of its contents that were written */
	uint64_t size;
	bool is_written; /* its contents are wanted */
};

static int
dump_failed(const struct dump *d)
{
	warnx("standard output: %s", archive_error_string(d->archive));
	return -EIO;
}

/* libarchive 3.6 writes seconds and nanoseconds behind each other, with the sign
 * in front, also where the seconds are negative and the others are not. */
static time_t
written_sec(const struct timespec *t)
{
	return t->tv_sec < 0 && t->tv_nsec > 0 ? t->tv_sec + 1 : t->tv_sec;
}

static long
written_nsec(const struct timespec *t)
{
	return t->tv_sec < 0 && t->tv_nsec > 0 ? 1000000000 - t->tv_nsec :
						 t->tv_nsec;
}

static struct archive_entry *
make_entry(const struct lane_entry *le)
{
	const struct fs_bulk_entry *e = &le->e;
	struct archive_entry *ae = archive_entry_new();
	char text[LANE_PATH_MAX + 2];

	if (ae == NULL)
		return NULL;
	snprintf(text, sizeof(text), "%.*s", (int)e->path.len,
	    (const char *)e->path.data);
	archive_entry_set_pathname(ae, e->path.len != 0 ? text : ".");
	archive_entry_set_mode(ae, e->mode);
	archive_entry_set_uid(ae, e->uid);
	archive_entry_set_gid(ae, e->gid);
	archive_entry_set_mtime(ae, written_sec(&e->mtime),
	    written_nsec(&e->mtime));
	archive_entry_set_atime(ae, written_sec(&e->atime),
	    written_nsec(&e->atime));
	archive_entry_set_ino64(ae, (la_int64_t)le->ino);
	archive_entry_set_nlink(ae, S_ISDIR(e->mode) ? 1 : le->nlink);
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
		archive_entry_set_rdev(ae, e->rdev);
	if (S_ISREG(e->mode))
		archive_entry_set_size(ae, (la_int64_t)le->size);
	if (S_ISLNK(e->mode)) {
		snprintf(text, sizeof(text), "%.*s", (int)e->target.len,
		    (const char *)e->target.data);
		archive_entry_set_symlink(ae, text);
	}
	for (size_t i = 0; i < e->nxattrs; i++) {
		const struct fs_bulk_xattr *x = &e->xattrs[i];

		if (archive_acl_put(ae, x->name, x->value))
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)x->name.len,
		    (const char *)x->name.data);
		archive_entry_xattr_add_entry(ae, text, x->value.data,
		    x->value.len);
	}
	return ae;
}

/* Write the header that waits. A file that was there before, by another name,
 * is a link without contents. */
static int
write_header(struct dump *d)
{
	struct archive_entry *ae = d->file, *spare = NULL;
	int rc = 0;

	if (ae == NULL)
		return 0;
	d->file = NULL;
	archive_entry_linkify(d->links, &ae, &spare);
	d->size = archive_entry_size_is_set(ae) ?
	    (uint64_t)archive_entry_size(ae) :
	    0;
	d->is_written = archive_entry_hardlink(ae) == NULL;
	if (archive_write_header(d->archive, ae) < ARCHIVE_WARN)
		rc = dump_failed(d);
	archive_entry_free(ae);
	archive_entry_free(spare);
	return rc;
}

static int
begin_entry(struct dump *d, struct slice m)
{
	int rc = write_header(d);

	if (rc == 0)
		rc = lane_get_entry(m, &d->entry);
	if (rc < 0)
		return rc;
	d->offset = 0;
	d->file = make_entry(&d->entry);
	if (d->file == NULL)
		return -ENOMEM;
	/* Where its contents are may come before the header is written. */
	return S_ISREG(d->entry.e.mode) ? 0 : write_header(d);
}

static int
take_ranges(struct dump *d, struct slice m)
{
	const uint8_t *p = m.data;
	uint64_t off = 0;

	if (d->file == NULL || m.len % 16 != 0)
		return -EPROTO;
	for (size_t i = 0; i < m.len; i += 16) {
		off = get_le64(p + i);
		archive_entry_sparse_add_entry(d->file, (la_int64_t)off,
		    (la_int64_t)(get_le64(p + i + 8) - off));
	}
	/* Nothing but holes: an empty piece at the end. */
	if (m.len == 0)
		archive_entry_sparse_add_entry(d->file,
		    (la_int64_t)d->entry.size, 0);
	return 0;
}

static int
write_zeros(struct dump *d, uint64_t until)
{
	static const char zeros[16384];
	uint64_t n;

	while (d->offset < until) {
		n = until - d->offset < sizeof(zeros) ? until - d->offset :
							sizeof(zeros);
		if (archive_write_data(d->archive, zeros, (size_t)n) < 0)
			return dump_failed(d);
		d->offset += n;
	}
	return 0;
}

/* The format wants all bytes, and leaves out holes itself. */
static int
write_contents(struct dump *d, struct slice m)
{
	struct slice data;
	uint64_t off;
	int rc = lane_get_data(m, &off, &data);

	if (rc == 0)
		rc = write_header(d);
	if (rc < 0 || !d->is_written)
		return rc;
	rc = write_zeros(d, off);
	if (rc == 0 && data.len != 0 &&
	    archive_write_data(d->archive, data.data, data.len) < 0)
		rc = dump_failed(d);
	d->offset += data.len;
	return rc;
}

static int
end_file(struct dump *d)
{
	int rc = write_header(d);

	/* One that has become shorter meanwhile. */
	if (rc == 0 && d->is_written)
		rc = write_zeros(d, d->size);
	return rc;
}

static int
dump_message(struct dump *d, uint32_t type, struct slice m)
{
	switch (type) {
	case LANE_ENTRY:
		return begin_entry(d, m);
	case LANE_RANGES:
		return take_ranges(d, m);
	case LANE_DATA:
		return write_contents(d, m);
	case LANE_END_FILE:
		return end_file(d);
	default:
		return -EPROTO;
	}
}

static int
dump_all(struct dump *d)
{
	struct slice m;
	uint32_t type;
	int rc = 0;

	while (rc == 0 && !d->lane.is_done) {
		rc = lane_client_receive(&d->lane, &type, &m);
		if (rc < 0)
			return lane_client_report(&d->lane, rc);
		if (!d->lane.is_done)
			rc = dump_message(d, type, m);
	}
	if (rc == -EPROTO || rc == -ENOMEM)
		return lane_client_report(&d->lane, rc);
	if (rc == 0 && archive_write_close(d->archive) != ARCHIVE_OK)
		rc = dump_failed(d);
	return rc < 0 || d->lane.failures != 0;
}

static int
open_archive(struct dump *d)
{
	if (isatty(STDOUT_FILENO)) {
		warnx("standard output is a terminal: give a file or a pipe");
		return 1;
	}
	d->archive = archive_write_new();
	d->links = archive_entry_linkresolver_new();
	if (d->archive == NULL || d->links == NULL)
		return command_failed("standard output", -ENOMEM);
	(void)archive_write_set_format_pax(d->archive);
	/* The form of attributes that tar(1) knows too. */
	(void)archive_write_set_options(d->archive, "xattrheader=SCHILY");
	archive_entry_linkresolver_set_strategy(d->links,
	    archive_format(d->archive));
	if (archive_write_open_fd(d->archive, STDOUT_FILENO) != ARCHIVE_OK)
		return dump_failed(d) != 0;
	return 0;
}

static int
dump_run(const struct command *cmd, int argc, char **argv)
{
	struct lane_hello h = { .work = LANE_DUMP };
	static struct dump d;
	struct target *t;
	int status;

	if (getopt(argc, argv, "+") != -1 || argc - optind < 1 ||
	    argc - optind > 2)
		return command_misuse(cmd);
	argv += optind;
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	if (argv[1] != NULL)
		h.base = slice_str(argv[1]);
	if (command_open(argv[0], TARGET_READ, &t) != 0)
		return 1;
	d.lane.fd = -1;
	status = open_archive(&d);
	if (status == 0)
		status = lane_client_open(&d.lane, argv[0], t, &h);
	if (status == 0)
		status = dump_all(&d);
	lane_client_close(&d.lane);
	archive_entry_free(d.file);
	archive_entry_linkresolver_free(d.links);
	if (status != 0 && d.archive != NULL)
		(void)archive_write_fail(d.archive);
	(void)archive_write_free(d.archive);
	return command_close(t, status);
}

const struct command cmd_dump = {
	.name = "dump",
	.summary =
	    "write a tree of the store to standard output, as an archive",
	.usage = "dump STORE|MOUNTPOINT [DIRECTORY] >ARCHIVE",
	.run = dump_run,
};
