/* SPDX-License-Identifier: ISC */
/*
 * One file of the control directory: what an open returns, what a write does,
 * and the threads that run slow work.
 */
#ifndef KVFS_FUSE_CONTROL_CONTROL_FILE_H
#define KVFS_FUSE_CONTROL_CONTROL_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "fuse/control/control.h"
#include "fuse/fuse_api.h"
#include "kvfs/slice.h"

/* Kinds of slow work; at most one of each runs at a time. */
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
	/* What an open for reading returns: one of the two, or neither. */
	int (*show)(struct control *c, FILE *out);
	int (*backup)(struct control *c, struct kv_backup **backupp);
	/* What a write does. */
	int (*act)(struct control *c, const char *text);
	/* If not JOB_NONE, an open or a write runs on its own thread. */
	enum control_job open_job, act_job;
	/* In place of act: answers the write itself; its text is ignored. */
	void (*answer)(fuse_req_t req, size_t len);
};

/* Each answers the request, now or later, except control_file_release(). */
void control_file_open(fuse_req_t req, const struct control_spec *spec,
    struct fuse_file_info *fi);
void control_file_read(fuse_req_t req, size_t size, off_t off,
    struct fuse_file_info *fi);
void control_file_write(fuse_req_t req, const struct control_spec *spec,
    struct slice text);
void control_file_release(fuse_req_t req, const struct fuse_file_info *fi);

#endif
