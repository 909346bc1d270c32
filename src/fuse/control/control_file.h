/* SPDX-License-Identifier: ISC */
/*
 * One file of the control directory: what an open is read from, what a
 * write does, and the threads on which slow ones work.
 */
#ifndef KVFS_FUSE_CONTROL_CONTROL_FILE_H
#define KVFS_FUSE_CONTROL_CONTROL_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "fuse/control/control.h"
#include "fuse/fuse_api.h"
#include "kvfs/slice.h"

/* Kinds of slow work; one of each goes on at a time. */
enum control_job {
	JOB_NONE,
	JOB_CHECK,
	JOB_FLUSH,
	JOB_COMPACT,
	JOB_BACKUP,
};

struct control_spec {
	const char *name;
	mode_t mode;
	/* What an open for reading is read from: a text or a backup. */
	int (*show)(struct control *c, FILE *out);
	int (*backup)(struct control *c, struct kv_backup **backupp);
	/* What a write does. */
	int (*act)(struct control *c, const char *text);
	/* What takes long goes on on a thread of its own. */
	enum control_job open_job, act_job;
	/* In place of act, for any text of that length: it answers. */
	void (*answer)(fuse_req_t req, size_t len);
};

/* Each answers the request, now or later, except the release. */
void control_file_open(fuse_req_t req, const struct control_spec *spec,
    struct fuse_file_info *fi);
void control_file_read(fuse_req_t req, size_t size, off_t off,
    struct fuse_file_info *fi);
void control_file_write(fuse_req_t req, const struct control_spec *spec,
    struct slice text);
void control_file_release(fuse_req_t req, const struct fuse_file_info *fi);

#endif
