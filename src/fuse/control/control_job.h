/* SPDX-License-Identifier: ISC */
/*
 * Slow work on the store, each on a thread of its own, so that other requests
 * go on; one of each kind at a time. Any thread.
 */
#ifndef KVFS_FUSE_CONTROL_CONTROL_JOB_H
#define KVFS_FUSE_CONTROL_CONTROL_JOB_H

struct control;

enum control_job_kind {
	JOB_NONE, /* not slow */
	JOB_CHECK,
	JOB_FLUSH,
	JOB_COMPACT,
	JOB_BACKUP,
};

/* Embedded as the first member of what its maker allocates. */
struct control_job {
	struct control *c;
	enum control_job_kind kind;
	/* On the new thread: does the work, calls control_job_finish(),
	 * answers the request, and frees the job. */
	void (*run)(struct control_job *job);
};

/* Start job->run(job). On failure the caller still owns the job: -EBUSY (one
 * of this kind runs), or another negative errno. */
int control_job_start(struct control_job *job);
/* The work is done: another one may begin. Call it before the answer, since
 * after that the caller may ask for the same and must not get EBUSY. */
void control_job_finish(struct control_job *job);
/* Return when all have ended. None begins any more. */
void control_job_await_all(struct control *c);

#endif
