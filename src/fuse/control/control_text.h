/* SPDX-License-Identifier: ISC */
/*
 * What the files of the control directory are, and what reading one of them
 * gives: a text, or a backup. It is made once and does not change.
 */
#ifndef KVFS_FUSE_CONTROL_CONTROL_TEXT_H
#define KVFS_FUSE_CONTROL_CONTROL_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "fuse/control/control_job.h"
#include "fuse/fuse_api.h"
#include "kvfs/slice.h"

struct control;
struct kv_backup;

/* One file of the directory. */
struct control_spec {
	const char *name;
	mode_t mode;
	/* What reading gives: one of the two, or neither. */
	int (*show)(struct control *c, FILE *out);
	int (*backup)(struct control *c, struct kv_backup **backupp);
	/* What a write does. */
	int (*act)(struct control *c, const char *text);
	/* If not JOB_NONE, a first read or a write is such a job. */
	enum control_job_kind read_job, act_job;
	/* In place of act: answers the write itself; its text is ignored. */
	void (*answer)(fuse_req_t req, size_t len);
};

static inline bool
control_is_readable(const struct control_spec *spec)
{
	return spec->show != NULL || spec->backup != NULL;
}

static inline bool
control_is_writable(const struct control_spec *spec)
{
	return spec->act != NULL || spec->answer != NULL;
}

/* Zero before it is made. */
struct control_text {
	char *data; /* owned */
	size_t len;
	struct kv_backup *backup; /* owned; in place of a text, or NULL */
	unsigned ends; /* control.backup_ends when it was opened */
};

/* Make it, which may take long. A negative errno, and *t is still zero. */
int control_text_make(struct control *c, const struct control_spec *spec,
    struct control_text *t);
void control_text_fini(struct control *c, struct control_text *t);

uint64_t control_text_size(const struct control_text *t);
/*
 * Read size bytes at off, or what there is. *bytesp points into t, or into
 * *copyp, which is for free(3). -ECANCELED: the backup was ended.
 */
int control_text_read(struct control *c, const struct control_text *t,
    size_t size, uint64_t off, struct slice *bytesp, char **copyp);

#endif
