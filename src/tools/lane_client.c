/* SPDX-License-Identifier: ISC */
/* See lane_client.h. */
#include "tools/lane_client.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

const char *
lane_client_reason(int rc)
{
	switch (rc) {
	case -ELOOP:
		return "symbolic links are not followed";
	case -KVFS_ECORRUPT:
	case -KVFS_ECHECKSUM:
		return "damaged; kvfsctl check says where";
	case -EROFS:
		return "the store is read-only";
	case -E2BIG:
		return "too much for one step";
	default:
		return strerror(-rc);
	}
}

int
lane_client_report(const struct lane_client *c, int rc)
{
	const char *reason = lane_client_reason(rc);

	if (rc == -ECONNRESET || rc == -EPIPE || rc == -ESHUTDOWN)
		reason = "the mount has ended, or dropped this command";
	else if (rc == -EPROTO)
		reason = "its daemon is of another version: mount it again";
	else if (rc == -EPERM)
		reason = "only the owner of the mount and root may do that";
	else if (rc == -EBUSY)
		reason = "its daemon has too many such commands at work";
	else if (rc == -ENOTSUP)
		reason = "its daemon has no socket for that: its log says why";
	else if (rc == -EHOSTUNREACH || rc == -ECONNREFUSED)
		reason = "the socket of its daemon cannot be reached from here";
	warnx("%s: %s", c->name, reason);
	return 1;
}

static void
take_failed(struct lane_client *c, struct slice m)
{
	struct lane_result r;

	if (lane_get_result(m, &r) < 0)
		return;
	c->failures++;
	if (c->print_failed != NULL)
		c->print_failed(&r);
	else
		warnx("%.*s: %s", (int)r.path.len, (const char *)r.path.data,
		    lane_client_reason(r.rc));
}

/* What comes while something is sent. */
static int
take_message(void *arg, uint32_t type, struct slice m)
{
	struct lane_client *c = arg;

	if (type == LANE_FAILED) {
		take_failed(c, m);
		return 0;
	}
	if (type != LANE_DONE || lane_get_result(m, &c->done) < 0)
		return -EPROTO;
	c->done.path = (struct slice){ 0 };
	c->is_done = true;
	return c->done.rc < 0 ? c->done.rc : 0;
}

int
lane_client_receive(struct lane_client *c, uint32_t *typep, struct slice *mp)
{
	int rc;

	for (;;) {
		rc = lane_receive(&c->stream, typep, mp);
		if (rc == -EPIPE) {
			/* Not sent, but it may have said why before. */
			c->stream.error = 0;
			rc = lane_receive(&c->stream, typep, mp);
		}
		if (rc < 0 || *typep != LANE_FAILED)
			break;
		take_failed(c, *mp);
		if (c->returns_failed)
			break;
	}
	if (rc == 0 && *typep == LANE_DONE)
		rc = take_message(c, *typep, *mp);
	return rc;
}

/* The other side has ended; it may have said why before. */
static int
find_reason(struct lane_client *c, int rc)
{
	struct slice m;
	uint32_t type;

	if (rc != -EPIPE && rc != -ECONNRESET)
		return rc;
	c->stream.error = 0;
	buf_clear(&c->stream.out);
	while (!c->is_done && lane_client_receive(c, &type, &m) == 0)
		;
	return c->is_done && c->done.rc < 0 ? c->done.rc : rc;
}

int
lane_client_send(struct lane_client *c)
{
	int rc = lane_send(&c->stream);

	return rc < 0 ? find_reason(c, rc) : 0;
}

int
lane_client_commit(struct lane_client *c)
{
	struct slice m;
	uint32_t type = 0;
	int rc;

	lane_end(&c->stream.out, lane_begin(&c->stream.out, LANE_COMMIT));
	rc = lane_flush(&c->stream);
	if (rc < 0)
		return find_reason(c, rc);
	c->is_done = false;
	while (rc == 0 && !c->is_done)
		rc = lane_client_receive(c, &type, &m);
	return rc;
}

int
lane_client_begin(struct lane_client *c, const char *name,
    const struct lane_hello *h)
{
	uint32_t type = 0;
	struct slice m;
	int rc;

	c->name = name;
	c->is_done = false;
	c->failures = 0;
	lane_stream_init(&c->stream, c->fd);
	/* Answers to gets are taken as they come. */
	c->stream.take = h->work != LANE_READ ? take_message : NULL;
	c->stream.arg = c;
	rc = lane_put_hello(&c->stream.out, h);
	if (rc == 0)
		rc = lane_client_receive(c, &type, &m);
	if (rc == 0 && type != LANE_WELCOME)
		rc = -EPROTO;
	if (rc == 0)
		return 0;
	if (c->is_done && h->base.len != 0 &&
	    (rc == -ENOENT || rc == -ENOTDIR || rc == -ELOOP))
		warnx("%.*s: %s", (int)h->base.len, (const char *)h->base.data,
		    lane_client_reason(rc));
	else
		lane_client_report(c, rc);
	return 1;
}

int
lane_client_open(struct lane_client *c, const char *name, struct target *t,
    const struct lane_hello *h)
{
	int rc = target_lane(t, h->work != LANE_LOAD, &c->fd);

	if (rc == 0)
		return lane_client_begin(c, name, h);
	c->name = name;
	lane_stream_init(&c->stream, c->fd);
	return lane_client_report(c, rc);
}

void
lane_client_close(struct lane_client *c)
{
	lane_stream_fini(&c->stream);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}
