/* SPDX-License-Identifier: ISC */
/* See lane_stream.h. */
#include "lane/lane_stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "util/coding.h"

/* Send when so much is waiting; receive so much at once. */
#define SEND_BYTES (256u << 10)
#define RECEIVE_BYTES (256u << 10)

void
lane_stream_init(struct lane_stream *s, int fd)
{
	*s = (struct lane_stream){ .fd = fd };
}

void
lane_stream_fini(struct lane_stream *s)
{
	buf_fini(&s->in);
	buf_fini(&s->out);
}

/* A whole message is in the buffer: take it. False: there is none. */
static bool
next_message(struct lane_stream *s, uint32_t *typep, struct slice *mp)
{
	const uint8_t *p = s->in.data + s->at;
	size_t left = s->in.len - s->at, len;

	if (left < LANE_HEAD)
		return false;
	len = get_le32(p);
	*typep = get_le32(p + 4);
	if (len > LANE_MESSAGE_MAX) {
		s->error = -EPROTO;
		return false;
	}
	if (left - LANE_HEAD < len)
		return false;
	*mp = slice_make(p + LANE_HEAD, len);
	s->at += LANE_HEAD + len;
	return true;
}

/* Receive more, once; flags of recv(2). */
static int
receive_some(struct lane_stream *s, int flags)
{
	ssize_t n;

	if (s->at != 0) {
		memmove(s->in.data, s->in.data + s->at, s->in.len - s->at);
		s->in.len -= s->at;
		s->at = 0;
	}
	if (buf_reserve(&s->in, RECEIVE_BYTES) < 0)
		return s->error = -ENOMEM;
	do
		n = recv(s->fd, s->in.data + s->in.len, s->in.cap - s->in.len,
		    flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : (s->error = -errno);
	if (n == 0)
		return s->error = -ECONNRESET;
	s->in.len += (size_t)n;
	return 0;
}

/* Take what the other side has sent meanwhile. */
static int
take_some(struct lane_stream *s)
{
	struct slice m;
	uint32_t type;
	int rc = receive_some(s, MSG_DONTWAIT);

	while (rc == 0 && next_message(s, &type, &m))
		rc = s->take(s->arg, type, m);
	return rc < 0 ? rc : s->error;
}

/* Wait until there is room to send, and take what is received meanwhile. */
static int
wait_writable(struct lane_stream *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };
	int rc = 0;

	if (s->take != NULL)
		p.events |= POLLIN;
	while (rc == 0) {
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return -errno;
		if ((p.revents & POLLIN) != 0)
			rc = take_some(s);
		if ((p.revents & ~POLLIN) != 0)
			break;
	}
	return rc;
}

int
lane_flush(struct lane_stream *s)
{
	size_t done = 0;
	ssize_t n;
	int rc = s->error != 0 ? s->error : buf_error(&s->out);
	/* Without take, the socket's own time limit holds. */
	int flags = MSG_NOSIGNAL | (s->take != NULL ? MSG_DONTWAIT : 0);

	while (rc == 0 && done < s->out.len) {
		n = send(s->fd, s->out.data + done, s->out.len - done, flags);
		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN && s->take != NULL)
			rc = wait_writable(s);
		else if (errno != EINTR)
			rc = errno == EAGAIN ? -ETIMEDOUT : -errno;
	}
	buf_clear(&s->out);
	if (rc < 0)
		s->error = rc;
	return rc;
}

int
lane_send(struct lane_stream *s)
{
	if (s->error == 0 && buf_error(&s->out) == 0 && s->out.len < SEND_BYTES)
		return 0;
	return lane_flush(s);
}

int
lane_receive(struct lane_stream *s, uint32_t *typep, struct slice *mp)
{
	int rc = 0;

	*typep = 0;
	*mp = (struct slice){ 0 };
	if (s->error < 0)
		return s->error;
	if (next_message(s, typep, mp))
		return 0;
	if (s->error == 0 && s->out.len != 0)
		rc = lane_flush(s);
	while (rc == 0 && s->error == 0) {
		rc = receive_some(s, 0);
		if (rc == 0 && next_message(s, typep, mp))
			return 0;
	}
	return rc < 0 ? rc : s->error;
}
