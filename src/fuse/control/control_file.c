/* SPDX-License-Identifier: ISC */
/* See control_file.h. */
#include "fuse/control/control_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/control/control.h"
#include "fuse/reply/reply.h"
#include "fuse/serve/protocol.h"

/* Longer than any valid write to a control file. */
#define TEXT_MAX 4096

/* Makes the text of a node. */
struct make_job {
	struct control_job base; /* first */
	struct control_node *node; /* held */
};

/* A slow write. */
struct write_job {
	struct control_job base; /* first */
	const struct control_spec *spec;
	fuse_req_t req;
	char *text; /* owned */
	size_t len;
};

/* ---- Answers ---- */

double
control_file_stat(struct control *c, const struct control_node *node,
    struct stat *st)
{
	bool is_made = control_node_is_made(c, node);

	control_fill_stat(c, node->st_ino, S_IFREG | node->spec->mode, st);
	st->st_size = is_made ? (off_t)control_text_size(&node->text) : 0;
	return is_made ? CACHE_SECONDS : 0;
}

/* An open file that cannot be read has a byte, lest read(2) ends there: so it
 * asks us, and fails. */
static void
answer_attr(struct control *c, const struct control_node *node,
    const struct control_ask *ask)
{
	struct stat st;
	double timeout = control_file_stat(c, node, &st);

	if (ask->is_use && !control_is_readable(node->spec))
		st.st_size = 1;
	if (ask->what == ASK_STATX)
		protocol_reply_statx(ask->req, &st, &st.st_mtim, timeout);
	else
		fuse_reply_attr(ask->req, &st, timeout);
}

static void
answer_read(struct control *c, const struct control_node *node,
    const struct control_ask *ask)
{
	struct slice bytes;
	char *copy;
	int rc = control_text_read(c, &node->text, ask->size, ask->off, &bytes,
	    &copy);

	reply_bytes(ask->req, rc, bytes);
	free(copy);
}

static void
answer_ask(struct control *c, const struct control_node *node,
    const struct control_ask *ask)
{
	if (ask->what == ASK_READ)
		answer_read(c, node, ask);
	else
		answer_attr(c, node, ask);
}

/* ---- Making the text ---- */

/* Answer all that have waited for the text; rc: whether it could be made. */
static void
answer_waiting(struct control *c, struct control_node *node, int rc)
{
	struct control_asks asks;
	struct control_ask *ask;

	control_node_made(c, node, rc, &asks);
	while ((ask = STAILQ_FIRST(&asks)) != NULL) {
		STAILQ_REMOVE_HEAD(&asks, link);
		if (rc < 0)
			reply_status(ask->req, rc);
		else
			answer_ask(c, node, ask);
		free(ask);
	}
}

/*
 * The kernel keeps a name that it may not use, and the inode with it, until it
 * looks the name up again. It is told to drop the name, so that FORGET comes
 * with the last close: a backup keeps space on the disk until then.
 */
static void
run_make(struct control_job *job)
{
	struct control_node *node = ((struct make_job *)job)->node;
	struct control *c = job->c;
	int rc = control_text_make(c, node->spec, &node->text);

	control_job_finish(job);
	answer_waiting(c, node, rc);
	if (rc == 0)
		kernel_cache_forget_name(c->conn, CONTROL_DIR_INO,
		    node->spec->name);
	control_node_put(c, node);
	free(job);
}

static int
start_make(struct control *c, struct control_node *node)
{
	struct make_job *job = malloc(sizeof(*job));
	int rc;

	if (job == NULL)
		return -ENOMEM;
	*job = (struct make_job){
		.base = { c, node->spec->read_job, run_make },
		.node = node,
	};
	control_node_hold(c, node);
	rc = control_job_start(&job->base);
	if (rc < 0) {
		control_node_put(c, node);
		free(job);
	}
	return rc;
}

static void
make_text(struct control *c, struct control_node *node)
{
	int rc;

	if (node->spec->read_job == JOB_NONE) {
		rc = control_text_make(c, node->spec, &node->text);
		answer_waiting(c, node, rc);
	} else {
		rc = start_make(c, node);
		if (rc < 0)
			answer_waiting(c, node, rc);
	}
}

static void
serve_ask(struct control_node *node, const struct control_ask *ask)
{
	struct control *c = request_control(ask->req);
	int turn = TURN_ANSWER;

	if (control_is_readable(node->spec))
		turn = control_node_turn(c, node, ask);
	if (turn < 0)
		reply_status(ask->req, turn);
	else if (turn == TURN_ANSWER)
		answer_ask(c, node, ask);
	else if (turn == TURN_MAKE)
		make_text(c, node);
}

/* ---- Requests ---- */

void
control_file_getattr(fuse_req_t req, struct control_node *node, bool is_open)
{
	const struct control_ask ask = {
		.req = req,
		.what = protocol_is_statx() ? ASK_STATX : ASK_ATTR,
		.is_use = is_open,
	};

	serve_ask(node, &ask);
}

void
control_file_setattr(fuse_req_t req, struct control_node *node, int to_set,
    off_t size)
{
	const int fixed = FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID |
	    FUSE_SET_ATTR_GID;

	if ((to_set & fixed) != 0 ||
	    ((to_set & FUSE_SET_ATTR_SIZE) != 0 && size != 0))
		reply_status(req, -EPERM);
	else if ((to_set & FUSE_SET_ATTR_SIZE) != 0 &&
	    !control_is_writable(node->spec))
		reply_status(req, -EACCES);
	else
		control_file_getattr(req, node, false);
}

void
control_file_read(fuse_req_t req, struct control_node *node, size_t size,
    off_t off)
{
	const struct control_ask ask = {
		.req = req,
		.what = ASK_READ,
		.is_use = true,
		.size = size,
		.off = (uint64_t)off,
	};

	if (!control_is_readable(node->spec))
		reply_status(req, -EACCES);
	else if (off < 0)
		reply_status(req, -EINVAL);
	else
		serve_ask(node, &ask);
}

static void
run_write(struct control_job *job)
{
	struct write_job *w = (struct write_job *)job;
	int rc = w->spec->act(job->c, w->text);

	control_job_finish(job);
	reply_count(w->req, rc < 0 ? rc : (ssize_t)w->len);
	free(w->text);
	free(w);
}

/* Takes text unless it fails. */
static int
start_write(fuse_req_t req, const struct control_spec *spec, char *text,
    size_t len)
{
	struct write_job *w = malloc(sizeof(*w));
	int rc;

	if (w == NULL)
		return -ENOMEM;
	*w = (struct write_job){
		.base = { request_control(req), spec->act_job, run_write },
		.spec = spec,
		.req = req,
		.text = text,
		.len = len,
	};
	rc = control_job_start(&w->base);
	if (rc < 0)
		free(w);
	return rc;
}

static void
act_on_text(fuse_req_t req, const struct control_spec *spec, struct slice text)
{
	char *copy = strndup(text.data, text.len);
	int rc = -ENOMEM;

	if (copy != NULL && spec->act_job != JOB_NONE) {
		rc = start_write(req, spec, copy, text.len);
		if (rc == 0)
			return; /* the job answers, and frees copy */
	} else if (copy != NULL) {
		rc = spec->act(request_control(req), copy);
	}
	free(copy);
	reply_count(req, rc < 0 ? rc : (ssize_t)text.len);
}

void
control_file_write(fuse_req_t req, const struct control_node *node,
    struct slice text)
{
	const struct control_spec *spec = node->spec;

	if (!control_is_writable(spec))
		reply_status(req, -EACCES);
	else if (text.len > TEXT_MAX)
		reply_status(req, -EINVAL);
	else if (spec->answer != NULL)
		spec->answer(req, text.len);
	else
		act_on_text(req, spec, text);
}
