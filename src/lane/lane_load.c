/* SPDX-License-Identifier: ISC */
/* Loading by a lane: messages become bulk changes. */
#include <errno.h>
#include <sys/stat.h>

#include "lane/lane_session.h"

struct load {
	struct lane_session *s;
	struct fs_bulk *bulk;
};

static void
load_failed(void *arg, struct slice path, uint64_t tag, int rc)
{
	struct load *l = arg;

	(void)lane_send_result(l->s, LANE_FAILED, path, tag, rc);
}

static void
load_name_changed(void *arg, uint64_t dir, struct slice name)
{
	const struct lane_server *server = ((struct load *)arg)->s->server;

	server->name_changed(server->arg, dir, name);
}

static void
load_inode_changed(void *arg, uint64_t ino, bool is_dir)
{
	const struct lane_server *server = ((struct load *)arg)->s->server;

	server->inode_changed(server->arg, ino, is_dir);
}

/* What the other side may not do, as the kernel would say. */
static int
load_restrict(const struct lane_session *s, struct fs_bulk_entry *e)
{
	struct fs_bulk_xattr *x = (struct fs_bulk_xattr *)(uintptr_t)e->xattrs;
	size_t n = 0;

	if (lane_is_reserved(s, e->path))
		return -EPERM;
	if (s->server->uid == 0)
		return 0;
	e->valid &= ~(unsigned)(FS_SET_UID | FS_SET_GID);
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
		return -EPERM;
	for (size_t i = 0; i < e->nxattrs; i++)
		if (!(x[i].name.len > 8 &&
			memcmp(x[i].name.data, "trusted.", 8) == 0) &&
		    !(x[i].name.len > 9 &&
			memcmp(x[i].name.data, "security.", 9) == 0))
			x[n++] = x[i];
	e->nxattrs = n;
	return 0;
}

static int
load_entry(struct load *l, struct slice m)
{
	struct lane_entry *le = &l->s->entry;
	int rc = lane_get_entry(m, le);

	if (rc < 0)
		return rc;
	rc = load_restrict(l->s, &le->e);
	if (rc == 0)
		return fs_bulk_add(l->bulk, &le->e);
	return fs_bulk_refuse(l->bulk, le->e.path, le->e.tag, rc);
}

static int
load_link(struct load *l, struct slice m)
{
	struct slice path, target;
	uint64_t tag;
	int rc = lane_get_link(m, &path, &target, &tag);

	if (rc < 0)
		return rc;
	if (!lane_is_reserved(l->s, path) && !lane_is_reserved(l->s, target))
		return fs_bulk_link(l->bulk, path, target, tag);
	return fs_bulk_refuse(l->bulk, path, tag, -EPERM);
}

static int
load_data(struct load *l, struct slice m)
{
	struct slice data;
	uint64_t off;
	int rc = lane_get_data(m, &off, &data);

	return rc < 0 ? rc : fs_bulk_write(l->bulk, off, data);
}

static int
load_end_file(struct load *l, struct slice m)
{
	uint64_t size;
	bool is_whole;
	int rc = lane_get_end_file(m, &size, &is_whole);

	return rc < 0 ? rc : fs_bulk_end_file(l->bulk, size, is_whole);
}

static int
load_remove(struct load *l, struct slice m)
{
	struct slice path;
	uint64_t tag;
	int rc = lane_get_path(m, &path, &tag);

	if (rc < 0)
		return rc;
	if (!lane_is_reserved(l->s, path))
		return fs_bulk_remove(l->bulk, path, tag);
	return fs_bulk_refuse(l->bulk, path, tag, -EPERM);
}

static int
load_done(struct load *l, int rc)
{
	const struct lane_result r = {
		.rc = rc,
		.stored = l->bulk != NULL ? fs_bulk_stored(l->bulk) : 0,
		.failures = l->bulk != NULL ? fs_bulk_failures(l->bulk) : 0,
	};
	int rc2 = lane_put_result(&l->s->stream.out, LANE_DONE, &r);

	return rc2 < 0 ? rc2 : lane_flush(&l->s->stream);
}

static int
load_message(struct load *l, uint32_t type, struct slice m)
{
	int rc;

	switch (type) {
	case LANE_ENTRY:
		return load_entry(l, m);
	case LANE_DATA:
		return load_data(l, m);
	case LANE_END_FILE:
		return load_end_file(l, m);
	case LANE_LINK:
		return load_link(l, m);
	case LANE_REMOVE:
		return load_remove(l, m);
	case LANE_COMMIT:
		rc = fs_bulk_commit(l->bulk);
		return rc < 0 ? rc : load_done(l, 0);
	default:
		return -EPROTO;
	}
}

void
lane_serve_load(struct lane_session *s, const struct lane_hello *h)
{
	const struct lane_server *server = s->server;
	struct load l = { .s = s };
	struct fs_bulk_options opts = {
		.base = s->base,
		.flags = h->flags,
		.cred = { .uid = server->uid,
		    .gid = server->gid,
		    .umask = h->umask },
		.batch_bytes = server->batch_bytes,
		.arg = &l,
		.failed = load_failed,
	};
	struct slice m;
	uint32_t type;
	int rc;

	if (server->name_changed != NULL) {
		opts.name_changed = load_name_changed;
		opts.inode_changed = load_inode_changed;
	}
	rc = fs_bulk_open(server->fs, &opts, &l.bulk);
	while (rc == 0) {
		rc = lane_receive(&s->stream, &type, &m);
		if (rc < 0)
			break;
		rc = load_message(&l, type, m);
		if (rc == 0)
			rc = lane_send(&s->stream);
	}
	if (s->stream.error == 0)
		(void)load_done(&l, rc);
	fs_bulk_close(l.bulk);
}
