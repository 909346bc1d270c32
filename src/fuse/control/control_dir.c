/* SPDX-License-Identifier: ISC */
/* MOUNT/.kvfs; see control_dir.h. */
#include "fuse/control/control_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/control/control_file.h"
#include "fuse/control/control_report.h"
#include "fuse/reply/reply.h"

#define CONTROL_DIR_INO UINT64_MAX
#define FIRST_FILE_INO CONTROL_INO_MIN

/* The order gives the inode numbers: add new files at the end. */
static const struct control_spec files[] = {
	{ .name = "stats", .mode = 0444, .show = control_show_stats },
	{ .name = "metrics", .mode = 0444, .show = control_show_metrics },
	{ .name = "options",
	    .mode = 0600,
	    .show = control_show_options,
	    .act = control_do_options },
	{ .name = "check",
	    .mode = 0400,
	    .show = control_show_check,
	    .open_job = JOB_CHECK },
	{ .name = "sync",
	    .mode = 0600,
	    .show = control_show_sync,
	    .answer = kernel_cache_sync },
	{ .name = "flush",
	    .mode = 0200,
	    .act = control_do_flush,
	    .act_job = JOB_FLUSH },
	{ .name = "compact",
	    .mode = 0200,
	    .act = control_do_compact,
	    .act_job = JOB_COMPACT },
	{ .name = "backup",
	    .mode = 0600,
	    .backup = control_open_backup,
	    .act = control_end_backups,
	    .open_job = JOB_BACKUP },
};
#define NFILES (sizeof(files) / sizeof(files[0]))

static const struct control_spec *
spec_of(uint64_t ino)
{
	uint64_t i = ino - FIRST_FILE_INO;

	return i < NFILES ? &files[i] : NULL;
}

static bool
fill_stat(const struct control *c, uint64_t ino, struct stat *st)
{
	const struct control_spec *spec = spec_of(ino);

	if (spec == NULL && ino != CONTROL_DIR_INO)
		return false;
	*st = (struct stat){
		.st_ino = ino,
		.st_mode = spec != NULL ? S_IFREG | spec->mode : S_IFDIR | 0555,
		.st_nlink = spec != NULL ? 1 : 2,
		.st_uid = c->uid,
		.st_gid = c->gid,
		.st_blksize = 4096,
		.st_atim = c->started,
		.st_mtim = c->started,
		.st_ctim = c->started,
	};
	return true;
}

static uint64_t
ino_of(uint64_t parent, const char *name)
{
	if (parent == FS_ROOT_INO || strcmp(name, ".") == 0)
		return CONTROL_DIR_INO;
	for (size_t i = 0; i < NFILES && parent == CONTROL_DIR_INO; i++) {
		if (strcmp(files[i].name, name) == 0)
			return FIRST_FILE_INO + i;
	}
	return 0;
}

void
control_lookup(fuse_req_t req, uint64_t parent, const char *name)
{
	struct fuse_entry_param e = {
		.ino = ino_of(parent, name),
		.attr_timeout = CACHE_SECONDS,
		.entry_timeout = CACHE_SECONDS,
	};

	if (e.ino != 0 && fill_stat(request_control(req), e.ino, &e.attr))
		fuse_reply_entry(req, &e);
	else
		reply_negative(req);
}

void
control_getattr(fuse_req_t req, uint64_t ino)
{
	struct stat st;

	if (fill_stat(request_control(req), ino, &st))
		reply_raw_stat(req, &st, &st.st_mtim);
	else
		reply_status(req, -ENOENT);
}

/* ---- Files ---- */

void
control_open(fuse_req_t req, uint64_t ino, struct fuse_file_info *fi)
{
	const struct control_spec *spec = spec_of(ino);

	if (spec == NULL)
		reply_status(req, -EISDIR);
	else
		control_file_open(req, spec, fi);
}

void
control_release(fuse_req_t req, const struct fuse_file_info *fi)
{
	control_file_release(req, fi);
}

void
control_read(fuse_req_t req, size_t size, off_t off, struct fuse_file_info *fi)
{
	control_file_read(req, size, off, fi);
}

void
control_write(fuse_req_t req, uint64_t ino, struct slice text)
{
	const struct control_spec *spec = spec_of(ino);

	if (spec == NULL)
		reply_status(req, -EINVAL);
	else
		control_file_write(req, spec, text);
}

/* ---- The directory ---- */

void
control_opendir(fuse_req_t req, uint64_t ino, struct fuse_file_info *fi)
{
	fi->fh = 0;
	if (ino == CONTROL_DIR_INO)
		fuse_reply_open(req, fi);
	else
		reply_status(req, -ENOTDIR);
}

/* Offset n is before entry n: ".", "..", then the files. */
void
control_readdir(fuse_req_t req, uint64_t ino, size_t size, off_t off, bool plus)
{
	struct control *c = request_control(req);
	char *buf = malloc(size);
	size_t len = 0;

	if (buf == NULL || off < 0) {
		free(buf);
		reply_status(req, buf == NULL ? -ENOMEM : -EINVAL);
		return;
	}
	for (uint64_t n = (uint64_t)off; n < NFILES + 2; n++) {
		struct fuse_entry_param e = { 0 };
		const char *name = n == 0 ? "." : n == 1 ? ".." : NULL;
		size_t need;

		if (name == NULL) {
			name = files[n - 2].name;
			fill_stat(c, FIRST_FILE_INO + n - 2, &e.attr);
		} else {
			fill_stat(c, ino, &e.attr);
		}
		need = plus ? fuse_add_direntry_plus(req, buf + len, size - len,
				  name, &e, (off_t)n + 1) :
			      fuse_add_direntry(req, buf + len, size - len,
				  name, &e.attr, (off_t)n + 1);
		if (need > size - len)
			break;
		len += need;
	}
	reply_bytes(req, 0, slice_make(buf, len));
	free(buf);
}
