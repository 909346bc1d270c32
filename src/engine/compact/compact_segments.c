/* SPDX-License-Identifier: ISC */
/*
 * Garbage collection of segments: decides which segments to empty, namely those
 * with few live values, and small ones if there are many. The live values are
 * moved when a table that points to them is rewritten.
 */
#include "engine/compact/compact_internal.h"

#include "engine/env/env.h"
#include "engine/state/disk_space.h"
#include "engine/state/segment_set.h"
#include "engine/state/work_signal.h"
#include "engine/tree/version.h"

/* Empty a sealed segment if less than this percentage of it is live ... */
#define RELOCATE_PERCENT 50
/* ... or this one, in an idle store. */
#define RELOCATE_PERCENT_IDLE 75
/* A segment is small if it was sealed below this part of the full size. If
 * there are more than this many, they are merged, since each one is a file. */
#define SMALL_SEGMENT_PART 4
#define SMALL_SEGMENTS_MAX 8
/* Free space that is left for flushes while values are moved: a part of the
 * total, within bounds. */
#define MOVE_SPARE_PART 256
#define MOVE_SPARE_MIN (128u << 10)
#define MOVE_SPARE_MAX (1u << 20)

static bool
names_any(const struct table_file *f, const uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < f->use_count; i++)
		for (size_t j = 0; j < count; j++)
			if (f->uses[i].segment == numbers[j])
				return true;
	return false;
}

/* Rewrite a table that points to one of these segments, in its level. */
static struct compact_job *
pick_user_of(const struct pick *p, struct version *v, const uint64_t *numbers,
    size_t count)
{
	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &v->levels[i];

		for (size_t j = 0; j < l->count; j++) {
			struct table_file *f = l->files[j];
			struct compact_job *job;

			if (!compact_is_free(f) ||
			    (i == 0 && p->compact->l0_is_taken) ||
			    !names_any(f, numbers, count))
				continue;
			job = compact_job_create(v, i, i);
			if (job == NULL || job->inputs[0] == NULL)
				return compact_job_complete(p->compact, job);
			job->in_place = true;
			job->inputs[0][job->input_count[0]++] = f;
			memcpy(job->relocate, numbers,
			    count * sizeof(*numbers));
			job->relocate_count = count;
			return compact_job_complete(p->compact, job);
		}
	}
	return NULL;
}

/* How many bytes may be moved now. Moving needs space before it frees any; on a
 * full disk it would take the space that a flush needs. */
static uint64_t
movable_bytes(const struct pick *p)
{
	struct env_space space;
	uint64_t kept;

	if (env_dir_space(p->dir, &space) < 0)
		return UINT64_MAX;
	kept = space_part(space.total_bytes, MOVE_SPARE_PART, MOVE_SPARE_MIN,
		   MOVE_SPARE_MAX) +
	    p->compact->moving_bytes;
	return space.free_bytes > kept ? space.free_bytes - kept : 0;
}

/* The sealed segment with the lowest live share that may be moved. */
struct sparse {
	uint64_t number, live_bytes; /* number 0: none */
	bool should_seal; /* the active segment has a lower share: seal it */
};

static struct sparse
find_sparse_locked(const struct pick *p, uint64_t most) REQUIRES(&p->segs->mu)
{
	uint64_t best = p->relocate_percent != 0 ? p->relocate_percent :
	    p->idle                              ? RELOCATE_PERCENT_IDLE :
						   RELOCATE_PERCENT;
	uint64_t least = p->segment_bytes / SMALL_SEGMENT_PART;
	struct sparse found = { 0 };
	struct segment_ref *s;

	mutex_assert_held(&p->segs->mu);
	RB_FOREACH (s, segment_tree, &p->segs->tree) {
		uint64_t live;

		if (s->size == 0 || s->damaged || (s->size < least && !p->idle))
			continue;
		live = s->live_bytes * 100 / s->size;
		if (live >= best)
			continue;
		if (!s->sealed) {
			found.should_seal = p->idle && s->size >= least &&
			    s == p->segs->active;
			continue;
		}
		/* A segment without live bytes is removed when its last
		 * reference is dropped. */
		if (s->live_bytes == 0 || s->live_bytes > most)
			continue;
		best = live;
		found.number = s->number;
		found.live_bytes = s->live_bytes;
	}
	return found;
}

/* Find small segments to merge. Returns 0 if there are few. */
static size_t
find_small_locked(const struct pick *p, uint64_t numbers[SMALL_SEGMENTS_MAX],
    uint64_t *bytesp) REQUIRES(&p->segs->mu)
{
	uint64_t most = p->segment_bytes / SMALL_SEGMENT_PART;
	struct segment_ref *s;
	size_t n = 0, count = 0;

	mutex_assert_held(&p->segs->mu);
	*bytesp = 0;
	RB_FOREACH (s, segment_tree, &p->segs->tree) {
		if (!s->sealed || s->damaged || s->size >= most ||
		    s->live_bytes == 0)
			continue;
		if (n < SMALL_SEGMENTS_MAX) {
			numbers[n++] = s->number;
			*bytesp += s->live_bytes;
		}
		count++;
	}
	return count > SMALL_SEGMENTS_MAX ? n : 0;
}

/* Choose the segments to empty, with at most most live bytes: the one with the
 * lowest live share, or small ones. */
static size_t
choose_locked(const struct pick *p, const struct sparse *sparse, uint64_t most,
    uint64_t numbers[SMALL_SEGMENTS_MAX], uint64_t *bytesp)
    REQUIRES(&p->segs->mu)
{
	size_t count;

	mutex_assert_held(&p->segs->mu);
	if (sparse->number != 0) {
		numbers[0] = sparse->number;
		*bytesp = sparse->live_bytes;
		return 1;
	}
	count = find_small_locked(p, numbers, bytesp);
	return *bytesp <= most ? count : 0;
}

struct compact_job *
compact_pick_relocation(struct pick *p, struct version *v)
{
	uint64_t numbers[SMALL_SEGMENTS_MAX], bytes, most;
	struct compact_job *job = NULL;
	struct sparse sparse;
	size_t count;

	mutex_lock(&p->segs->mu);
	sparse = find_sparse_locked(p, UINT64_MAX);
	if (sparse.should_seal && !p->has_sealed) {
		mutex_unlock(&p->segs->mu);
		p->seal_first = true;
		return NULL;
	}
	count = choose_locked(p, &sparse, UINT64_MAX, numbers, &bytes);
	mutex_unlock(&p->segs->mu);
	if (count == 0)
		return NULL;
	/* Ask for the free space only if there is something to move. */
	most = movable_bytes(p);
	if (bytes > most) {
		mutex_lock(&p->segs->mu);
		sparse = find_sparse_locked(p, most);
		count = choose_locked(p, &sparse, most, numbers, &bytes);
		mutex_unlock(&p->segs->mu);
	}
	if (count != 0)
		job = pick_user_of(p, v, numbers, count);
	if (job != NULL) {
		job->moving_bytes = bytes;
		p->compact->moving_bytes += bytes;
	}
	return job;
}
