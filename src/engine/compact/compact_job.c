/* SPDX-License-Identifier: ISC */
/* The life of a job, from its first input to its end; see compact.h. */
#include "engine/compact/compact_internal.h"

#include <stdlib.h>

#include "engine/state/work_signal.h"
#include "engine/tree/version.h"

bool
compact_is_free(const struct table_file *f)
{
	return !f->compacting && !table_file_is_damaged(f);
}

struct compact_job *
compact_job_create(struct version *v, int level, int output_level)
{
	struct compact_job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->level = level;
	job->output_level = output_level;
	job->version = v;
	version_ref(v);
	for (int i = 0; i < 2; i++) {
		size_t n = v->levels[i == 0 ? level : output_level].count;

		job->inputs[i] = calloc(n + 1, sizeof(*job->inputs[i]));
	}
	return job;
}

static void
job_free(struct compact_job *job)
{
	version_unref(job->version);
	free(job->inputs[0]);
	free(job->inputs[1]);
	free(job->snapshots);
	free(job->parts);
	free(job);
}

void
compact_job_finish(struct compact_state *state, struct compact_job *job)
{
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < job->input_count[i]; j++)
			job->inputs[i][j]->compacting = false;
	if (job->level == 0)
		state->l0_is_taken = false;
	state->running--;
	state->moving_bytes -= job->moving_bytes;
	job_free(job);
}

struct compact_job *
compact_job_complete(struct compact_state *state, struct compact_job *job)
{
	struct slice smallest, limit;
	const struct level *l;

	if (job == NULL || job->inputs[0] == NULL || job->inputs[1] == NULL ||
	    job->input_count[0] == 0)
		goto give_up;
	l = &job->version->levels[job->output_level];
	compact_range(job->inputs[0], job->input_count[0], &smallest, &limit);
	if (!job->in_place) {
		for (size_t i = level_lower_bound(l, smallest); i < l->count;
		     i++) {
			struct table_file *f = l->files[i];

			if (slice_cmp(f->smallest, limit) >= 0)
				break;
			if (!compact_is_free(f))
				goto give_up;
			job->inputs[1][job->input_count[1]++] = f;
		}
	}
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < job->input_count[i]; j++)
			job->inputs[i][j]->compacting = true;
	if (job->level == 0)
		state->l0_is_taken = true;
	state->running++;
	return job;
give_up:
	if (job != NULL)
		job_free(job);
	return NULL;
}

struct compact_job *
compact_job_of_table(struct compact_state *state, struct version *v, int level,
    struct table_file *f)
{
	struct compact_job *job = compact_job_create(v, level, level + 1);

	if (job != NULL && job->inputs[0] != NULL)
		job->inputs[0][job->input_count[0]++] = f;
	return compact_job_complete(state, job);
}

void
compact_job_set_damaged(const struct compact_job *job)
{
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < job->input_count[i]; j++)
			table_file_set_damaged(job->inputs[i][j]);
}
