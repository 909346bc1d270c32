/* SPDX-License-Identifier: ISC */
/* MOUNT/.kvfs; see control_dir.h. */
#include "fuse/control/control_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/control/control.h"
#include "fuse/control/control_file.h"
#include "fuse/control/control_report.h"
#include "fuse/reply/reply.h"

/* The order gives the inode numbers that users see: add new files at the
 * end. */
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
	    .read_job = JOB_CHECK },
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
	    .read_job = JOB_BACKUP },
};
#define NFILES (sizeof(files) / sizeof(files[0]))

/* What stat(2) tells is the same for all nodes of a file: programs compare the
 * file that they have opened with the one that they had looked at. */
static uint64_t
st_ino_of(const struct control_spec *spec)
{
	return CONTROL_DIR_INO - 255 + (uint64_t)(spec - files);
}

static const struct control_spec *
find_file(const char *name)
{
	for (size_t i = 0; i < NFILES; i++) {
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	}
	return NULL;
}

static void
stat_dir(const struct control *c, struct stat *st)
{
	control_fill_stat(c, CONTROL_DIR_INO, S_IFDIR | 0555, st);
}

static void
lookup_dir(fuse_req_t req)
{
	struct fuse_entry_param e = {
		.ino = CONTROL_DIR_INO,
		.attr_timeout = CACHE_SECONDS,
		.entry_timeout = CACHE_SECONDS,
	};

	stat_dir(request_control(req), &e.attr);
	fuse_reply_entry(req, &e);
}

/* A new node. A text that cannot be made now is made when it is used, and
 * that fails with the reason. */
static struct control_node *
make_node(struct control *c, const struct control_spec *spec)
{
	struct control_text text;
	struct control_node *node;
	bool is_made = spec->show != NULL && spec->read_job == JOB_NONE &&
	    control_text_make(c, spec, &text) == 0;

	node = control_node_add(c, spec, st_ino_of(spec),
	    is_made ? &text : NULL);
	if (node == NULL && is_made)
		control_text_fini(c, &text);
	return node;
}

static void
lookup_file(fuse_req_t req, const struct control_spec *spec)
{
	struct control *c = request_control(req);
	struct control_node *node = make_node(c, spec);
	struct fuse_entry_param e = { 0 };

	if (node == NULL) {
		reply_status(req, -ENOMEM);
		return;
	}
	e.ino = node->number;
	e.attr_timeout = control_file_stat(c, node, &e.attr);
	if (fuse_reply_entry(req, &e) < 0)
		control_node_forget(c, e.ino, 1);
	control_node_put(c, node);
}

void
control_lookup(fuse_req_t req, uint64_t parent, const char *name)
{
	const struct control_spec *spec = find_file(name);

	if (parent == FS_ROOT_INO || strcmp(name, ".") == 0)
		lookup_dir(req);
	else if (spec != NULL)
		lookup_file(req, spec);
	else
		reply_negative(req);
}

void
control_forget(fuse_req_t req, uint64_t ino, uint64_t n)
{
	control_node_forget(request_control(req), ino, n);
}

/* The node of a request, or NULL when it was answered with rc. */
static struct control_node *
node_of(struct control *c, fuse_req_t req, uint64_t ino, int rc)
{
	struct control_node *node = control_node_get(c, ino);

	if (node == NULL)
		reply_status(req, rc);
	return node;
}

void
control_getattr(fuse_req_t req, uint64_t ino, bool is_open)
{
	struct control *c = request_control(req);
	struct control_node *node;
	struct stat st;

	if (ino == CONTROL_DIR_INO) {
		stat_dir(c, &st);
		reply_raw_stat(req, &st, &st.st_mtim);
		return;
	}
	node = node_of(c, req, ino, -ESTALE);
	if (node != NULL) {
		control_file_getattr(req, node, is_open);
		control_node_put(c, node);
	}
}

void
control_setattr(fuse_req_t req, uint64_t ino, int to_set, off_t size)
{
	struct control *c = request_control(req);
	struct control_node *node = node_of(c, req, ino, -EPERM);

	if (node != NULL) {
		control_file_setattr(req, node, to_set, size);
		control_node_put(c, node);
	}
}

/* ---- Files ---- */

/*
 * Nothing is kept for an open, so nothing is lost where the kernel sends none.
 * With kernel_writeback the kernel knows sizes better, so that reads and
 * writes have to bypass its cache.
 */
void
control_open(fuse_req_t req, uint64_t ino, struct fuse_file_info *fi)
{
	struct control *c = request_control(req);

	if (ino == CONTROL_DIR_INO) {
		reply_status(req, -EISDIR);
		return;
	}
	fi->fh = 0;
	fi->keep_cache = 1;
	fi->noflush = 1;
	fi->direct_io = c->conn->kernel_writeback;
	fuse_reply_open(req, fi);
}

void
control_read(fuse_req_t req, uint64_t ino, size_t size, off_t off)
{
	struct control *c = request_control(req);
	struct control_node *node = node_of(c, req, ino, -EISDIR);

	if (node != NULL) {
		control_file_read(req, node, size, off);
		control_node_put(c, node);
	}
}

void
control_write(fuse_req_t req, uint64_t ino, struct slice text)
{
	struct control *c = request_control(req);
	struct control_node *node = node_of(c, req, ino, -EINVAL);

	if (node != NULL) {
		control_file_write(req, node, text);
		control_node_put(c, node);
	}
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

/* Offset n is before entry n: ".", "..", then the files. The kernel gets no
 * nodes: it looks up what it needs. */
void
control_readdir(fuse_req_t req, size_t size, off_t off, bool plus)
{
	char *buf = malloc(size);
	size_t len = 0;

	if (buf == NULL || off < 0) {
		free(buf);
		reply_status(req, buf == NULL ? -ENOMEM : -EINVAL);
		return;
	}
	for (uint64_t n = (uint64_t)off; n < NFILES + 2; n++) {
		struct fuse_entry_param e = { 0 };
		const struct control_spec *spec = n >= 2 ? &files[n - 2] : NULL;
		const char *name = n == 0 ? "." : "..";
		size_t need;

		e.attr.st_ino = CONTROL_DIR_INO;
		e.attr.st_mode = S_IFDIR;
		if (spec != NULL) {
			name = spec->name;
			e.attr.st_ino = st_ino_of(spec);
			e.attr.st_mode = S_IFREG;
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
