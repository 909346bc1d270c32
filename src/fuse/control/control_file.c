/* SPDX-License-Identifier: ISC */
/*
 * Open control files; see control_file.h. Reads bypass the kernel's cache
 * (direct_io). The text of an open is made at the open and kept until the
 * release, so that all reads see the same.
 */
#include "fuse/control/control_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/reply/handle.h"
#include "fuse/reply/reply.h"
#include "util/thread.h"

/* Longer than any valid write to a control file. */
#define TEXT_MAX 4096

/* One open file: its text, or a backup. */
struct control_text {
	struct handle base;
	struct control *c;
	char *data;
	size_t len;
	struct kv_backup *backup;
	unsigned ends; /* control.backup_ends at the open */
};

/* Slow work, and the request that it answers when it has ended. */
struct job {
	struct control *c;
	const struct control_spec *spec;
	unsigned bit; /* of control.jobs */
	fuse_req_t req;
	struct fuse_file_info fi; /* for an open */
	char *text; /* owned, of a write; NULL for an open */
	size_t len;
};

static void
text_close(struct handle *base)
{
	struct control_text *t = (struct control_text *)base;

	if (t->backup != NULL)
		atomic_fetch_sub_explicit(&t->c->backups, 1,
		    memory_order_relaxed);
	kv_backup_close(t->backup);
	free(t->data);
	free(t);
}

/* Make the text of an open for reading. */
static int
text_make(struct control *c, const struct control_spec *spec,
    struct control_text *t)
{
	FILE *out;
	int rc;

	if (spec->backup != NULL) {
		rc = spec->backup(c, &t->backup);
		if (rc == 0)
			atomic_fetch_add_explicit(&c->backups, 1,
			    memory_order_relaxed);
		return rc;
	}
	out = open_memstream(&t->data, &t->len);
	if (out == NULL)
		return -ENOMEM;
	rc = spec->show(c, out);
	if (fclose(out) != 0 && rc == 0)
		rc = -ENOMEM;
	return rc;
}

static int
text_open(struct control *c, const struct control_spec *spec, bool reads,
    struct control_text **tp)
{
	struct control_text *t = calloc(1, sizeof(*t));
	int rc;

	*tp = NULL;
	if (t == NULL)
		return -ENOMEM;
	t->c = c;
	t->ends = atomic_load_explicit(&c->backup_ends, memory_order_seq_cst);
	rc = reads ? text_make(c, spec, t) : 0;
	if (rc < 0) {
		text_close(&t->base);
		return rc;
	}
	t->base.close = text_close;
	handle_add(&c->conn->handles, &t->base);
	*tp = t;
	return 0;
}

/* rc and t: the result of text_make(). */
static void
answer_open(fuse_req_t req, struct fuse_file_info *fi, int rc,
    struct control_text *t)
{
	fi->fh = (uint64_t)(uintptr_t)t;
	if (rc < 0)
		reply_status(req, rc);
	else if (fuse_reply_open(req, fi) < 0)
		handle_end(&request_connection(req)->handles, &t->base);
}

/* ---- Slow work ---- */

/* Call it before the answer: after that the caller may ask for the same job
 * again, and must not get EBUSY. */
static void
finish_job(struct job *job)
{
	mutex_lock(&job->c->mu);
	job->c->jobs &= ~job->bit;
	mutex_unlock(&job->c->mu);
}

static void
end_job(struct job *job)
{
	struct control *c = job->c;

	mutex_lock(&c->mu);
	c->job_threads--;
	cond_broadcast(&c->idle);
	mutex_unlock(&c->mu);
	free(job->text);
	free(job);
}

static void *
run_job(void *arg)
{
	struct job *job = arg;
	struct control_text *t;
	int rc;

	if (job->text == NULL) {
		rc = text_open(job->c, job->spec, true, &t);
		finish_job(job);
		answer_open(job->req, &job->fi, rc, t);
	} else {
		rc = job->spec->act(job->c, job->text);
		finish_job(job);
		reply_count(job->req, rc < 0 ? rc : (ssize_t)job->len);
	}
	end_job(job);
	return NULL;
}

/* Takes text. Starts the thread, which answers the request; answers it here
 * on failure. */
static void
start_job(fuse_req_t req, const struct control_spec *spec,
    const struct fuse_file_info *fi, char *text, size_t len)
{
	struct control *c = request_control(req);
	struct job *job = calloc(1, sizeof(*job));
	pthread_t thread;
	bool busy;
	int rc;

	if (job == NULL) {
		free(text);
		reply_status(req, -ENOMEM);
		return;
	}
	*job = (struct job){ .c = c,
		.spec = spec,
		.bit = 1u << (fi != NULL ? spec->open_job : spec->act_job),
		.req = req,
		.text = text,
		.len = len };
	if (fi != NULL)
		job->fi = *fi;
	mutex_lock(&c->mu);
	busy = (c->jobs & job->bit) != 0;
	if (!busy) {
		c->jobs |= job->bit;
		c->job_threads++;
	}
	mutex_unlock(&c->mu);
	if (busy) {
		free(text);
		free(job);
		reply_status(req, -EBUSY);
		return;
	}
	rc = thread_start(&thread, true, run_job, job);
	if (rc < 0) {
		finish_job(job);
		end_job(job);
		reply_status(req, rc);
	}
}

/* ---- Files ---- */

static bool
is_writable(const struct control_spec *spec)
{
	return spec->act != NULL || spec->answer != NULL;
}

void
control_file_open(fuse_req_t req, const struct control_spec *spec,
    struct fuse_file_info *fi)
{
	int mode = fi->flags & O_ACCMODE, rc;
	struct control_text *t;

	if ((mode != O_WRONLY && spec->show == NULL && spec->backup == NULL) ||
	    (mode != O_RDONLY && !is_writable(spec))) {
		reply_status(req, -EACCES);
		return;
	}
	fi->direct_io = 1;
	fi->noflush = 1;
	if (spec->open_job != JOB_NONE && mode != O_WRONLY) {
		start_job(req, spec, fi, NULL, 0);
		return;
	}
	rc = text_open(request_control(req), spec, mode != O_WRONLY, &t);
	answer_open(req, fi, rc, t);
}

void
control_file_release(fuse_req_t req, const struct fuse_file_info *fi)
{
	struct control_text *t = (struct control_text *)(uintptr_t)fi->fh;

	if (t != NULL)
		handle_end(&request_connection(req)->handles, &t->base);
}

static ssize_t
read_backup(struct control *c, const struct control_text *t, char *buf,
    size_t len, uint64_t off)
{
	if (t->ends !=
	    atomic_load_explicit(&c->backup_ends, memory_order_seq_cst))
		return -ECANCELED;
	return kv_backup_read(t->backup, buf, len, off);
}

static ssize_t
read_text(const struct control_text *t, char *buf, size_t len, uint64_t off)
{
	if (off >= t->len)
		return 0;
	if (len > t->len - off)
		len = (size_t)(t->len - off);
	memcpy(buf, t->data + off, len);
	return (ssize_t)len;
}

/* The reply is sent from a copy: as soon as the kernel has the bytes, it may
 * release the handle, while this thread still sends. */
void
control_file_read(fuse_req_t req, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	const struct control_text *t =
	    (const struct control_text *)(uintptr_t)fi->fh;
	char *copy = off >= 0 ? malloc(size + 1) : NULL;
	ssize_t n;

	if (copy == NULL) {
		reply_status(req, off >= 0 ? -ENOMEM : -EINVAL);
		return;
	}
	if (t->backup != NULL)
		n = read_backup(request_control(req), t, copy, size,
		    (uint64_t)off);
	else
		n = read_text(t, copy, size, (uint64_t)off);
	if (n < 0)
		reply_status(req, (int)n);
	else
		reply_bytes(req, 0, slice_make(copy, (size_t)n));
	free(copy);
}

void
control_file_write(fuse_req_t req, const struct control_spec *spec,
    struct slice text)
{
	struct control *c = request_control(req);
	char *copy;
	int rc;

	if (!is_writable(spec) || text.len > TEXT_MAX) {
		reply_status(req, -EINVAL);
		return;
	}
	if (spec->answer != NULL) {
		spec->answer(req, text.len);
		return;
	}
	copy = strndup(text.data, text.len);
	if (copy == NULL) {
		reply_status(req, -ENOMEM);
	} else if (spec->act_job != JOB_NONE) {
		start_job(req, spec, NULL, copy, text.len);
	} else {
		rc = spec->act(c, copy);
		free(copy);
		reply_count(req, rc < 0 ? rc : (ssize_t)text.len);
	}
}
