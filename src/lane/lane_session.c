/* SPDX-License-Identifier: ISC */
/* See lane_session.h. */
#include "lane/lane_session.h"

#include <errno.h>
#include <sys/stat.h>

bool
lane_is_reserved(const struct lane_session *s, struct slice path)
{
	const size_t len = sizeof(LANE_RESERVED) - 1;
	const char *p = path.data;

	return s->base == FS_ROOT_INO && path.len >= len &&
	    memcmp(p, LANE_RESERVED, len) == 0 &&
	    (path.len == len || p[len] == '/');
}

void
lane_forget(struct lane_session *s, uint64_t ino)
{
	if (ino != FS_ROOT_INO && ino != 0)
		fs_forget(s->server->fs, ino, 1);
}

int
lane_find(struct lane_session *s, uint64_t base, struct slice path,
    struct fs_attr *attrp)
{
	const char *p = path.data, *end = p + path.len, *slash;
	uint64_t up = base;
	int rc = fs_getattr(s->server->fs, base, attrp);

	while (rc == 0 && p < end) {
		slash = memchr(p, '/', (size_t)(end - p));
		if (slash == NULL)
			slash = end;
		if (S_ISLNK(attrp->mode))
			rc = -ELOOP;
		else if (slash != p)
			rc = fs_lookup(s->server->fs, up,
			    slice_make(p, (size_t)(slash - p)), attrp);
		if (slash != p || rc < 0) {
			if (up != base)
				lane_forget(s, up);
			up = attrp->ino;
		}
		p = slash + 1;
	}
	/* base itself: a lookup more, which it has already. */
	if (rc == 0 && up == base)
		rc = base == FS_ROOT_INO ? 0 : -EINVAL;
	return rc;
}

int
lane_send_result(struct lane_session *s, enum lane_type type, struct slice path,
    uint64_t tag, int rc)
{
	const struct lane_result r = { .rc = rc, .tag = tag, .path = path };
	int rc2 = lane_put_result(&s->stream.out, type, &r);

	return rc2 < 0 ? rc2 : lane_send(&s->stream);
}
