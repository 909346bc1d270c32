/* SPDX-License-Identifier: ISC */
/* Reading by a lane: files by name. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lane/lane_session.h"

/* More ranges of contents than these are sent with what is between them. */
#define RANGES_MAX 1024

/* Fill in its extended attributes. */
static int
read_xattrs(struct lane_session *s, uint64_t ino)
{
	struct fs_bulk_entry *e = &s->entry.e;
	struct fs *fs = s->server->fs;
	size_t n = 0, at[LANE_XATTRS_MAX + 1], len;
	const char *name;
	int rc;

	buf_clear(&s->names);
	buf_clear(&s->values);
	e->nxattrs = 0;
	rc = fs_listxattr(fs, ino, s->server->uid == 0, &s->names);
	for (len = 0; rc == 0 && len < s->names.len; n++) {
		if (n == LANE_XATTRS_MAX)
			return -E2BIG;
		name = (const char *)s->names.data + len;
		s->entry.xattrs[n].name = slice_str(name);
		at[n] = s->values.len;
		rc = fs_getxattr(fs, ino, slice_str(name), &s->values);
		if (rc == -ENODATA) {
			rc = 0;
			n--;
		}
		len += strlen(name) + 1;
	}
	at[n] = s->values.len;
	for (size_t i = 0; i < n; i++)
		s->entry.xattrs[i].value = slice_make(s->values.data + at[i],
		    at[i + 1] - at[i]);
	e->nxattrs = rc == 0 ? n : 0;
	return rc;
}

static int
send_entry(struct lane_session *s, struct slice path, uint64_t tag,
    const struct fs_attr *attr, struct slice target)
{
	struct lane_entry *le = &s->entry;
	int rc;

	le->e = (struct fs_bulk_entry){
		.path = path,
		.tag = tag,
		.mode = attr->mode,
		.valid = FS_SET_UID | FS_SET_GID | FS_SET_ATIME | FS_SET_MTIME,
		.uid = attr->uid,
		.gid = attr->gid,
		.rdev = attr->rdev,
		.atime = attr->atime,
		.mtime = attr->mtime,
		.target = target,
		.xattrs = le->xattrs,
	};
	le->ino = attr->ino;
	le->size = attr->size;
	le->blocks = attr->blocks;
	le->nlink = attr->nlink;
	rc = read_xattrs(s, attr->ino);
	return rc < 0 ? rc : lane_put_entry(&s->stream.out, le);
}

/* Tell where its contents are. *np: 0 when all is contents. */
static int
send_ranges(struct lane_session *s, const struct fs_attr *attr,
    uint64_t ranges[][2], size_t *np)
{
	struct buf *out = &s->stream.out;
	struct fs *fs = s->server->fs;
	int64_t at = 0, end = 0;
	size_t n = 0, begin;

	*np = 0;
	if (!s->sends_ranges || attr->blocks * 512 >= attr->size)
		return 0;
	while (n < RANGES_MAX) {
		at = fs_lseek(fs, attr->ino, (uint64_t)end,
		    SEEK_DATA | FS_SEEK_STORED);
		if (at < 0)
			break;
		end = fs_lseek(fs, attr->ino, (uint64_t)at,
		    SEEK_HOLE | FS_SEEK_STORED);
		if (n == RANGES_MAX - 1)
			end = (int64_t)attr->size;
		if (end <= at)
			break;
		ranges[n][0] = (uint64_t)at;
		ranges[n++][1] = (uint64_t)end;
	}
	if (at < 0 && at != -ENXIO)
		return (int)at;
	begin = lane_begin(out, LANE_RANGES);
	for (size_t i = 0; i < n; i++) {
		buf_put_u64(out, ranges[i][0]);
		buf_put_u64(out, ranges[i][1]);
	}
	*np = n;
	return lane_end(out, begin) < 0 ? -ENOMEM : 1;
}

/* Send [off, end) of the contents, or up to the end of the file. */
static int
send_contents(struct lane_session *s, uint64_t ino, uint64_t off, uint64_t end,
    bool *is_brokenp)
{
	struct buf *out = &s->stream.out;
	size_t begin, len;
	struct fs_read r;
	int rc = 0;

	*is_brokenp = false;
	while (rc == 0 && off < end) {
		len = end - off < LANE_DATA_MAX ? (size_t)(end - off) :
						  LANE_DATA_MAX;
		rc = fs_read_how(s->server->fs, ino, off, len, FS_READ_NOATIME,
		    &r);
		if (rc < 0) {
			*is_brokenp = true;
			return rc;
		}
		begin = lane_begin(out, LANE_DATA);
		buf_put_u64(out, off);
		for (size_t i = 0; i < r.count; i++)
			buf_append_slice(out, r.pieces[i]);
		len = r.bytes;
		fs_read_done(&r);
		rc = lane_end(out, begin);
		if (rc == 0)
			rc = lane_send(&s->stream);
		off += len;
		if (len == 0)
			break;
	}
	return rc;
}

/* The same for all of it. */
static int
send_all_contents(struct lane_session *s, const struct fs_attr *attr,
    bool *is_brokenp)
{
	uint64_t(*ranges)[2] = calloc(RANGES_MAX, sizeof(*ranges));
	size_t n = 0;
	int rc;

	*is_brokenp = ranges == NULL;
	if (ranges == NULL)
		return -ENOMEM;
	rc = send_ranges(s, attr, ranges, &n);
	*is_brokenp = rc < 0;
	if (rc == 0)
		rc = send_contents(s, attr->ino, 0, attr->size, is_brokenp);
	else if (rc > 0)
		rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = send_contents(s, attr->ino, ranges[i][0], ranges[i][1],
		    is_brokenp);
	free(ranges);
	return rc;
}

int
lane_send_file(struct lane_session *s, struct slice path, uint64_t tag,
    const struct fs_attr *attr)
{
	struct buf target = { 0 };
	bool is_broken = false;
	int rc = 0;

	if (S_ISLNK(attr->mode))
		rc = fs_readlink(s->server->fs, attr->ino, &target);
	if (rc == 0)
		rc = send_entry(s, path, tag, attr, buf_slice(&target));
	buf_fini(&target);
	if (rc < 0)
		return lane_send_result(s, LANE_FAILED, path, tag, rc);
	if (S_ISREG(attr->mode)) {
		rc = send_all_contents(s, attr, &is_broken);
		if (rc < 0 && !is_broken)
			return rc;
		if (is_broken)
			rc = lane_send_result(s, LANE_FAILED, path, tag, rc);
		if (rc == 0)
			rc = lane_put_end_file(&s->stream.out, attr->size,
			    !is_broken);
	}
	return rc < 0 ? rc : lane_send(&s->stream);
}

/* ---- Files by name ---- */

static int
read_one(struct lane_session *s, struct slice path, uint64_t tag)
{
	struct fs_attr attr;
	int rc = lane_is_reserved(s, path) ? -EPERM :
					     lane_find(s, s->base, path, &attr);

	if (rc < 0)
		return lane_send_result(s, LANE_FAILED, path, tag, rc);
	if (S_ISREG(attr.mode))
		rc = lane_send_file(s, path, tag, &attr);
	else
		rc = lane_send_result(s, LANE_FAILED, path, tag,
		    S_ISDIR(attr.mode)     ? -EISDIR :
			S_ISLNK(attr.mode) ? -ELOOP :
					     -EINVAL);
	lane_forget(s, attr.ino);
	return rc;
}

void
lane_serve_read(struct lane_session *s)
{
	struct slice m, path;
	uint32_t type;
	uint64_t tag;
	int rc;

	do {
		rc = lane_receive(&s->stream, &type, &m);
		if (rc == 0)
			rc = type == LANE_GET ? lane_get_path(m, &path, &tag) :
						-EPROTO;
		if (rc == 0)
			rc = read_one(s, path, tag);
	} while (rc == 0);
	if (s->stream.error == 0) {
		(void)lane_send_result(s, LANE_DONE, (struct slice){ 0 }, 0,
		    rc);
		(void)lane_flush(&s->stream);
	}
}
