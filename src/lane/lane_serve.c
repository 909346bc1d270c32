/* SPDX-License-Identifier: ISC */
/* Sessions of a lane; see lane_serve.h. */
#include "lane/lane_serve.h"

#include <errno.h>
#include <stdlib.h>

#include "lane/lane_session.h"

static int
session_begin(struct lane_session *s, struct lane_hello *h)
{
	struct fs_attr attr;
	struct slice m;
	uint32_t type;
	int rc = lane_receive(&s->stream, &type, &m);

	if (rc < 0)
		return rc;
	rc = type == LANE_HELLO ? lane_get_hello(m, h) : -EPROTO;
	s->base = FS_ROOT_INO;
	if (rc == 0 && lane_is_reserved(s, h->base))
		rc = -EPERM;
	if (rc == 0)
		rc = lane_find(s, FS_ROOT_INO, h->base, &attr);
	if (rc == 0) {
		s->base = attr.ino;
		if (!S_ISDIR(attr.mode))
			rc = S_ISLNK(attr.mode) ? -ELOOP : -ENOTDIR;
	}
	if (rc == 0)
		rc = lane_send_result(s, LANE_WELCOME, (struct slice){ 0 }, 0,
		    0);
	else
		(void)lane_send_result(s, LANE_DONE, (struct slice){ 0 }, 0,
		    rc);
	return lane_flush(&s->stream) < 0 ? s->stream.error : rc;
}

void
lane_serve(const struct lane_server *server)
{
	struct lane_session *s = calloc(1, sizeof(*s));
	struct lane_hello h;

	if (s == NULL) {
		lane_refuse(server->fd, -ENOMEM);
		return;
	}
	s->server = server;
	lane_stream_init(&s->stream, server->fd);
	if (session_begin(s, &h) == 0) {
		switch (h.work) {
		case LANE_LOAD:
			lane_serve_load(s, &h);
			break;
		case LANE_DUMP:
			lane_serve_dump(s);
			break;
		case LANE_READ:
			lane_serve_read(s);
			break;
		default:
			break;
		}
	}
	lane_forget(s, s->base);
	lane_stream_fini(&s->stream);
	buf_fini(&s->names);
	buf_fini(&s->values);
	free(s);
}

void
lane_refuse(int fd, int rc)
{
	const struct lane_result r = { .rc = rc };
	struct lane_stream s;

	lane_stream_init(&s, fd);
	if (lane_put_result(&s.out, LANE_DONE, &r) == 0)
		(void)lane_flush(&s);
	lane_stream_fini(&s);
}
