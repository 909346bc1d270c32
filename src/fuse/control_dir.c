/* SPDX-License-Identifier: ISC */
/*
 * MOUNT/.kvfs; see control_dir.h. Reading bypasses the kernel's cache
 * (direct_io), so the text of an open is one piece: it is made then and
 * kept until the release.
 */
#include "fuse/control_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/control_report.h"
#include "fuse/handle.h"
#include "fuse/reply.h"
#include "util/log.h"

#define CONTROL_DIR_INO UINT64_MAX
#define FIRST_FILE_INO CONTROL_INO_MIN
/* More than any write to a control file means. */
#define TEXT_MAX 4096

struct control_spec {
	const char *name;
	mode_t mode;
	/* The text of an open for reading, and what a write does. */
	int (*show)(struct session *s, FILE *out);
	int (*act)(struct session *s, const char *text);
	bool slow_show, slow_act; /* on a thread of their own */
};

static const struct control_spec files[] = {
	{ "stats", 0444, control_show_stats, NULL, false, false },
	{ "metrics", 0444, control_show_metrics, NULL, false, false },
	{ "options", 0600, control_show_options, control_do_options, false,
	    false },
	{ "check", 0400, control_show_check, NULL, true, false },
	{ "sync", 0600, control_show_sync, control_do_sync, false, false },
	{ "flush", 0200, NULL, control_do_flush, false, true },
	{ "compact", 0200, NULL, control_do_compact, false, true },
};
#define NFILES (sizeof(files) / sizeof(files[0]))

/* The text of one open file. */
struct control_text {
	struct handle base;
	char *data;
	size_t len;
};

/* Slow work, with the request that it answers at its end. */
struct job {
	struct session *s;
	const struct control_spec *spec;
	fuse_req_t req;
	struct fuse_file_info fi; /* of an open */
	char *text; /* of a write; NULL for an open */
	size_t len;
};

static const struct control_spec *
spec_of(uint64_t ino)
{
	uint64_t i = ino - FIRST_FILE_INO;

	return i < NFILES ? &files[i] : NULL;
}

static bool
fill(const struct session *s, uint64_t ino, struct stat *st)
{
	const struct control_spec *spec = spec_of(ino);

	if (spec == NULL && ino != CONTROL_DIR_INO)
		return false;
	*st = (struct stat){
		.st_ino = ino,
		.st_mode = spec != NULL ? S_IFREG | spec->mode : S_IFDIR | 0555,
		.st_nlink = spec != NULL ? 1 : 2,
		.st_uid = s->uid,
		.st_gid = s->gid,
		.st_blksize = 4096,
		.st_atim = s->started,
		.st_mtim = s->started,
		.st_ctim = s->started,
	};
	return true;
}

static uint64_t
ino_of(uint64_t parent, const char *name)
{
	if (parent == FS_ROOT_INO || strcmp(name, ".") == 0)
		return CONTROL_DIR_INO;
	for (size_t i = 0; i < NFILES && parent == CONTROL_DIR_INO; i++) {
		if (strcmp(files[i].name, name) == 0)
			return FIRST_FILE_INO + i;
	}
	return 0;
}

void
control_lookup(fuse_req_t req, uint64_t parent, const char *name)
{
	struct fuse_entry_param e = {
		.ino = ino_of(parent, name),
		.attr_timeout = CACHE_SECONDS,
		.entry_timeout = CACHE_SECONDS,
	};

	if (e.ino != 0 && fill(request_session(req), e.ino, &e.attr))
		fuse_reply_entry(req, &e);
	else
		reply_negative(req);
}

void
control_getattr(fuse_req_t req, uint64_t ino)
{
	struct stat st;

	if (fill(request_session(req), ino, &st))
		reply_raw_stat(req, &st, &st.st_mtim);
	else
		reply_status(req, -ENOENT);
}

/* ---- Slow work ---- */

static void
text_close(struct session *s, struct handle *base)
{
	struct control_text *t = (struct control_text *)base;

	(void)s;
	free(t->data);
	free(t);
}

/* Make the text of an open for reading. */
static int
text_open(struct session *s, const struct control_spec *spec, bool reads,
    struct control_text **tp)
{
	struct control_text *t = calloc(1, sizeof(*t));
	FILE *out = t != NULL ? open_memstream(&t->data, &t->len) : NULL;
	int rc = -ENOMEM;

	*tp = NULL;
	if (out != NULL) {
		rc = reads ? spec->show(s, out) : 0;
		if (fclose(out) != 0 && rc == 0)
			rc = -ENOMEM;
	}
	if (rc < 0) {
		if (t != NULL)
			free(t->data);
		free(t);
		return rc;
	}
	t->base.close = text_close;
	handle_add(s, &t->base);
	*tp = t;
	return 0;
}

static void
finish_open(fuse_req_t req, const struct control_spec *spec,
    struct fuse_file_info *fi)
{
	struct session *s = request_session(req);
	bool reads = (fi->flags & O_ACCMODE) != O_WRONLY;
	struct control_text *t;
	int rc = text_open(s, spec, reads, &t);

	fi->fh = (uint64_t)(uintptr_t)t;
	if (rc < 0)
		reply_status(req, rc);
	else if (fuse_reply_open(req, fi) < 0)
		handle_end(s, &t->base);
}

static void
end_job(struct job *job)
{
	struct session *s = job->s;

	mutex_lock(&s->mu);
	s->jobs--;
	cond_broadcast(&s->idle);
	mutex_unlock(&s->mu);
	free(job->text);
	free(job);
}

static void *
run_job(void *arg)
{
	struct job *job = arg;
	int rc;

	if (job->text == NULL) {
		finish_open(job->req, job->spec, &job->fi);
	} else {
		rc = job->spec->act(job->s, job->text);
		reply_count(job->req, rc < 0 ? rc : (ssize_t)job->len);
	}
	end_job(job);
	return NULL;
}

/* Takes text. Answers the request, later if all goes well. */
static void
start_job(fuse_req_t req, const struct control_spec *spec,
    const struct fuse_file_info *fi, char *text, size_t len)
{
	struct session *s = request_session(req);
	struct job *job = calloc(1, sizeof(*job));
	pthread_attr_t attr;
	pthread_t thread;
	bool busy;
	int rc;

	if (job == NULL) {
		free(text);
		reply_status(req, -ENOMEM);
		return;
	}
	*job = (struct job){ .s = s,
		.spec = spec,
		.req = req,
		.text = text,
		.len = len };
	if (fi != NULL)
		job->fi = *fi;
	mutex_lock(&s->mu);
	busy = s->jobs != 0;
	s->jobs++;
	mutex_unlock(&s->mu);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = busy ? -EBUSY : -pthread_create(&thread, &attr, run_job, job);
	pthread_attr_destroy(&attr);
	if (rc < 0) {
		end_job(job);
		reply_status(req, rc);
	}
}

/* ---- Files ---- */

void
control_open(fuse_req_t req, uint64_t ino, struct fuse_file_info *fi)
{
	const struct control_spec *spec = spec_of(ino);
	int mode = fi->flags & O_ACCMODE;

	if (spec == NULL) {
		reply_status(req, -EISDIR);
		return;
	}
	if ((mode != O_WRONLY && spec->show == NULL) ||
	    (mode != O_RDONLY && spec->act == NULL)) {
		reply_status(req, -EACCES);
		return;
	}
	fi->direct_io = 1;
	fi->noflush = 1;
	if (spec->slow_show && mode != O_WRONLY)
		start_job(req, spec, fi, NULL, 0);
	else
		finish_open(req, spec, fi);
}

void
control_release(struct session *s, struct fuse_file_info *fi)
{
	struct control_text *t = (struct control_text *)(uintptr_t)fi->fh;

	if (t != NULL)
		handle_end(s, &t->base);
}

/* A copy goes out: once the kernel has the bytes the handle may be gone,
 * while this thread still returns from sending them. */
void
control_read(fuse_req_t req, size_t size, off_t off, struct fuse_file_info *fi)
{
	const struct control_text *t =
	    (const struct control_text *)(uintptr_t)fi->fh;
	size_t at = (size_t)off;
	char *copy;

	if (off < 0 || at >= t->len)
		size = at = 0;
	else if (size > t->len - at)
		size = t->len - at;
	copy = malloc(size + 1);
	if (copy == NULL) {
		reply_status(req, -ENOMEM);
		return;
	}
	memcpy(copy, t->data + at, size);
	reply_bytes(req, 0, slice_make(copy, size));
	free(copy);
}

void
control_write(fuse_req_t req, uint64_t ino, struct slice text)
{
	const struct control_spec *spec = spec_of(ino);
	struct session *s = request_session(req);
	char *copy;
	int rc;

	if (spec == NULL || spec->act == NULL || text.len > TEXT_MAX) {
		reply_status(req, -EINVAL);
		return;
	}
	copy = strndup(text.data, text.len);
	if (copy == NULL) {
		reply_status(req, -ENOMEM);
	} else if (spec->slow_act) {
		start_job(req, spec, NULL, copy, text.len);
	} else {
		rc = spec->act(s, copy);
		free(copy);
		reply_count(req, rc < 0 ? rc : (ssize_t)text.len);
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

/* Offset n stands before entry n: ".", "..", then the files. */
void
control_readdir(fuse_req_t req, uint64_t ino, size_t size, off_t off, bool plus)
{
	struct session *s = request_session(req);
	char *buf = malloc(size);
	size_t len = 0;

	if (buf == NULL || off < 0) {
		free(buf);
		reply_status(req, buf == NULL ? -ENOMEM : -EINVAL);
		return;
	}
	for (uint64_t n = (uint64_t)off; n < NFILES + 2; n++) {
		struct fuse_entry_param e = { 0 };
		const char *name = n == 0 ? "." : n == 1 ? ".." : NULL;
		size_t need;

		if (name == NULL) {
			name = files[n - 2].name;
			fill(s, FIRST_FILE_INO + n - 2, &e.attr);
		} else {
			fill(s, ino, &e.attr);
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
