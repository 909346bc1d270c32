/* SPDX-License-Identifier: ISC */
/*
 * Reading a tree by a lane. The listings of the directories above the current
 * one are held open, a path of them, and read piece by piece. No lock is held
 * while something is sent.
 */
#include <errno.h>
#include <stdlib.h>

#include "lane/lane_session.h"

/* Names that are read from a directory at once. */
#define NAMES_AT_ONCE 256

/* A directory that is being listed. */
struct level {
	struct fs_dir *dir;
	uint64_t ino;
	int64_t offset; /* of the names after these */
	size_t path_len; /* of its path */
	struct buf names; /* each with its NUL */
	size_t at, count;
};

struct dump {
	struct lane_session *s;
	struct level *levels;
	size_t depth, cap;
	struct buf path;
};

static bool
take_name(void *arg, const struct fs_dirent *e)
{
	struct level *l = arg;

	if (l->count == NAMES_AT_ONCE)
		return false;
	l->offset = e->next;
	if (slice_eq(e->name, slice_str(".")) ||
	    slice_eq(e->name, slice_str("..")))
		return true;
	buf_append_slice(&l->names, e->name);
	buf_put_u8(&l->names, 0);
	l->count++;
	return true;
}

/* List ino, whose path is in d->path. Takes its lookup, unless it is the base,
 * which keeps it. */
static int
push_level(struct dump *d, uint64_t ino)
{
	size_t cap = d->cap != 0 ? d->cap * 2 : 16;
	struct level *l = d->levels;
	int rc = 0;

	if (d->depth == d->cap) {
		l = realloc(d->levels, cap * sizeof(*l));
		if (l == NULL) {
			rc = -ENOMEM;
			goto fail;
		}
		d->levels = l;
		d->cap = cap;
	}
	l += d->depth;
	*l = (struct level){ .ino = ino, .path_len = d->path.len };
	rc = fs_opendir(d->s->server->fs, ino, &l->dir);
	if (rc < 0)
		goto fail;
	d->depth++;
	return 0;
fail:
	if (d->depth != 0)
		lane_forget(d->s, ino);
	return rc;
}

static void
pop_level(struct dump *d)
{
	struct level *l = &d->levels[--d->depth];

	fs_closedir(d->s->server->fs, l->dir);
	buf_fini(&l->names);
	if (d->depth != 0)
		lane_forget(d->s, l->ino);
}

/* The next name of the innermost directory; NULL at its end. */
static const char *
next_name(struct dump *d, int *rcp)
{
	struct level *l = &d->levels[d->depth - 1];
	const char *name;

	*rcp = 0;
	if (l->at == l->names.len) {
		buf_clear(&l->names);
		l->at = l->count = 0;
		*rcp = fs_readdir(d->s->server->fs, l->dir, l->offset, false,
		    take_name, l);
		if (*rcp == 0)
			*rcp = buf_error(&l->names);
		if (*rcp < 0 || l->names.len == 0)
			return NULL;
	}
	name = (const char *)l->names.data + l->at;
	l->at += strlen(name) + 1;
	return name;
}

static int
dump_name(struct dump *d, const char *name)
{
	struct lane_session *s = d->s;
	struct level *l = &d->levels[d->depth - 1];
	struct fs_attr attr;
	int rc;

	d->path.len = l->path_len;
	if (l->path_len != 0)
		buf_put_u8(&d->path, '/');
	buf_append_slice(&d->path, slice_str(name));
	if (buf_error(&d->path) < 0)
		return -ENOMEM;
	if (d->path.len > LANE_PATH_MAX)
		return lane_send_result(s, LANE_FAILED,
		    slice_make(d->path.data, 200), 0, -ENAMETOOLONG);
	rc = fs_lookup(s->server->fs, l->ino, slice_str(name), &attr);
	if (rc == -ENOENT)
		return 0; /* removed meanwhile */
	if (rc < 0)
		return lane_send_result(s, LANE_FAILED, buf_slice(&d->path), 0,
		    rc);
	rc = lane_send_file(s, buf_slice(&d->path), 0, &attr);
	if (rc < 0 || !S_ISDIR(attr.mode)) {
		lane_forget(s, attr.ino);
		return rc;
	}
	rc = push_level(d, attr.ino);
	return rc < 0 ?
	    lane_send_result(s, LANE_FAILED, buf_slice(&d->path), 0, rc) :
	    0;
}

static int
dump_tree(struct dump *d)
{
	struct fs_attr attr;
	const char *name;
	int rc = fs_getattr(d->s->server->fs, d->s->base, &attr), rc2;

	if (rc == 0)
		rc = lane_send_file(d->s, (struct slice){ 0 }, 0, &attr);
	if (rc == 0)
		rc = push_level(d, d->s->base);
	while (rc == 0 && d->depth != 0) {
		name = next_name(d, &rc2);
		d->path.len = d->levels[d->depth - 1].path_len;
		if (name != NULL)
			rc = dump_name(d, name);
		else if (rc2 < 0)
			rc = lane_send_result(d->s, LANE_FAILED,
			    buf_slice(&d->path), 0, rc2);
		if (name == NULL)
			pop_level(d);
	}
	return rc;
}

void
lane_serve_dump(struct lane_session *s)
{
	struct dump d = { .s = s };
	int rc;

	s->sends_ranges = true;
	rc = dump_tree(&d);

	while (d.depth != 0)
		pop_level(&d);
	free(d.levels);
	buf_fini(&d.path);
	if (s->stream.error == 0) {
		(void)lane_send_result(s, LANE_DONE, (struct slice){ 0 }, 0,
		    rc);
		(void)lane_flush(&s->stream);
	}
}
