/* SPDX-License-Identifier: ISC */
/*
 * Decides what to compact next. Leveled compaction with dynamic level sizes
 * (RocksDB): the last level holds most of the data, each level above a tenth of
 * the next, so that superseded entries take little space. A table with
 * deletions weighs more than its bytes (RocksDB's compensated size), so that it
 * is merged soon and space is freed. An idle store merges more than is due.
 */
#include <errno.h>
#include <stdlib.h>

#include "engine/compact/compact_internal.h"
#include "engine/memtable/memtable.h"
#include "engine/state/work_signal.h"
#include "engine/tree/version.h"
#include "kvfs/slice.h"

/* Merge all of level 0 into the base level by one job. */
static struct compact_job *
pick_level0(const struct pick *p, struct version *v)
{
	const struct level *l = &v->levels[0];
	struct compact_job *job;

	if (p->compact->l0_is_taken || l->count == 0)
		return NULL;
	job = compact_job_create(v, 0, p->base);
	if (job == NULL || job->inputs[0] == NULL)
		return compact_job_complete(p->compact, job);
	/* Oldest first, up to the first table that is not free: tables newer
	 * than one that stays have to stay, too. */
	for (size_t i = l->count; i > 0 && compact_is_free(l->files[i - 1]);
	     i--)
		job->inputs[0][job->input_count[0]++] = l->files[i - 1];
	return compact_job_complete(p->compact, job);
}

/* Whether the job can move its table unread: it is the only input and overlaps
 * little below. A table with deletions is merged instead, because they may end
 * in the next level. */
static bool
can_move(const struct compact_job *job)
{
	const struct table_file *f = job->inputs[0][0];

	if (job->in_place || job->input_count[0] != 1 ||
	    job->input_count[1] != 0 || f->props.deletes != 0 ||
	    f->props.group_deletes != 0)
		return false;
	return job->output_level == LEVEL_LAST ||
	    compact_overlap(job->version, job->output_level + 1, f->smallest,
		f->limit) <= MOVE_MAX_OVERLAP;
}

/* The table with the best ratio of weight to cost. */
static struct compact_job *
pick_from_level(const struct pick *p, struct version *v, int level)
{
	const struct level *l = &v->levels[level];
	struct table_file *best = NULL;
	uint64_t best_cost = UINT64_MAX;

	if (level == LEVEL_LAST)
		return NULL;
	for (size_t i = 0; i < l->count; i++) {
		struct table_file *f = l->files[i];
		uint64_t cost;

		if (!compact_is_free(f))
			continue;
		cost = (compact_overlap(v, level + 1, f->smallest, f->limit) +
			   f->props.file_bytes) *
		    1024 / (compact_weight(p, f) + 1);
		if (cost < best_cost) {
			best_cost = cost;
			best = f;
		}
	}
	if (best == NULL)
		return NULL;
	return compact_job_of_table(p->compact, v, level, best);
}

/* The weight of a level in percent of its goal. */
static uint64_t
level_score(const struct pick *p, int level)
{
	const struct level *l = &p->v->levels[level];
	uint64_t sum = 0, by_count, by_size;

	for (size_t i = 0; i < l->count; i++)
		if (!l->files[i]->compacting)
			sum += compact_weight(p, l->files[i]);
	if (level == 0) {
		by_count = l->count * 100 / L0_COMPACT_FILES;
		by_size = sum * 100 / (p->memtable_bytes * 4);
		return by_count > by_size ? by_count : by_size;
	}
	if (level == LEVEL_LAST)
		return 0;
	/* A level above the base level should be empty. */
	if (p->targets[level] == 0)
		return sum != 0 ? 101 : 0;
	return sum * 100 / p->targets[level];
}

static struct compact_job *
pick_due(const struct pick *p, struct version *v)
{
	bool tried[LEVELS] = { false };

	for (int n = 0; n < LEVELS; n++) {
		uint64_t best = 99;
		int level = -1;
		struct compact_job *job;

		for (int i = 0; i < LEVELS; i++) {
			uint64_t s = tried[i] ? 0 : level_score(p, i);

			if (s > best) {
				best = s;
				level = i;
			}
		}
		if (level < 0)
			return NULL;
		tried[level] = true;
		job = level == 0 ? pick_level0(p, v) :
				   pick_from_level(p, v, level);
		if (job != NULL)
			return job;
	}
	return NULL;
}

/* Merge all of level 0 if that costs at most factor times the bytes that it
 * frees. */
static struct compact_job *
pick_deletions0(const struct pick *p, struct version *v, unsigned factor)
{
	const struct level *l = &v->levels[0];
	uint64_t freed = 0, cost = 0;
	struct slice smallest, limit;

	for (size_t i = 0; i < l->count; i++) {
		cost += l->files[i]->props.file_bytes;
		freed += compact_gain(p, l->files[i]);
	}
	if (freed == 0)
		return NULL;
	compact_range(l->files, l->count, &smallest, &limit);
	cost += compact_overlap(v, p->base, smallest, limit);
	return freed * factor >= cost ? pick_level0(p, v) : NULL;
}

/* Merge a table of the level if that costs at most factor times the bytes that
 * its deletions free. */
static struct compact_job *
pick_deletions(const struct pick *p, struct version *v, int level,
    unsigned factor)
{
	const struct level *l = &v->levels[level];

	for (size_t j = 0; j < l->count; j++) {
		struct table_file *f = l->files[j];
		struct compact_job *job;

		if (!compact_is_free(f) ||
		    f->props.deletes + f->props.group_deletes == 0 ||
		    compact_gain(p, f) * factor <
			compact_overlap(v, level + 1, f->smallest, f->limit))
			continue;
		job = compact_job_of_table(p->compact, v, level, f);
		if (job != NULL)
			return job;
	}
	return NULL;
}

/*
 * Merge deletions that free about as much as the merge costs. This comes before
 * what is due, so that scans need not pass over the deletions. Measured: a scan
 * over a million keys deleted in order, at less than 200,000 a second, takes 21
 * to 31 ms; it took 269 to 356 ms if what is due came first and tables were cut
 * by size alone.
 */
static struct compact_job *
pick_profit(const struct pick *p, struct version *v)
{
	struct compact_job *job = pick_deletions0(p, v, PROFIT_COST);

	for (int i = 1; i < LEVEL_LAST && job == NULL; i++)
		job = pick_deletions(p, v, i, PROFIT_COST);
	if (job != NULL)
		job->pace.is_off = true;
	return job;
}

/* The store is idle and nothing is due: merge what frees space at a modest
 * cost. */
static struct compact_job *
pick_idle(const struct pick *p, struct version *v)
{
	const struct level *l0 = &v->levels[0];
	uint64_t sum = 0, below = 0;

	for (size_t i = 0; i < l0->count; i++)
		sum += compact_weight(p, l0->files[i]);
	for (size_t i = 0; i < v->levels[p->base].count; i++)
		below += v->levels[p->base].files[i]->props.file_bytes;
	if (l0->count != 0 && sum * IDLE_COST >= below) {
		struct compact_job *job = pick_level0(p, v);

		if (job != NULL)
			return job;
	}
	for (int i = 1; i < LEVEL_LAST; i++) {
		struct compact_job *job = pick_deletions(p, v, i, IDLE_COST);

		/* The number of superseded entries below is unknown. If the
		 * level is a fair part of the next one, it may be as large. */
		if (job == NULL &&
		    v->levels[i].bytes * IDLE_COST >= v->levels[i + 1].bytes)
			job = pick_from_level(p, v, i);
		if (job != NULL)
			return job;
	}
	return NULL;
}

/*
 * Whether merging everything down is worth its cost. An entry above the last
 * level is assumed to supersede one of the same size in it; a pointer, a value
 * of its size in a segment.
 */
static bool
upper_levels_supersede(const struct pick *p, const struct version *v)
{
	uint64_t superseded = 0, cost = 0;

	for (int i = 0; i < LEVELS; i++) {
		for (size_t j = 0; j < v->levels[i].count; j++) {
			const struct table_file *f = v->levels[i].files[j];

			cost += f->props.file_bytes;
			if (i == LEVEL_LAST)
				continue;
			superseded += compact_weight(p, f);
			/* The number of keys that a group deletion deletes is a
			 * guess. */
			if (f->props.group_deletes != 0)
				superseded += compact_overlap(v, LEVEL_LAST,
				    f->smallest, f->limit);
			for (size_t k = 0; k < f->use_count; k++)
				superseded += f->uses[k].bytes;
		}
	}
	return superseded * (cost <= CHEAP_BYTES ? CHEAP_COST : IDLE_COST) >=
	    cost;
}

/* kvfsctl compact: merge everything into the last level, from the top. */
static struct compact_job *
pick_for_all(const struct pick *p, struct version *v)
{
	if (v->levels[0].count != 0)
		return pick_level0(p, v);
	for (int i = 1; i < LEVEL_LAST; i++)
		if (v->levels[i].count != 0)
			return pick_from_level(p, v, i);
	return NULL;
}

struct compact_job *
compact_pick(struct pick *p, struct version *v)
{
	struct compact_job *job;

	p->v = v;
	p->seal_first = false;
	p->entry_bytes = version_entry_bytes(v);
	p->base = compact_targets(p->memtable_bytes, v, p->targets);
	job = p->is_slowed ? pick_due(p, v) : pick_profit(p, v);
	if (job == NULL)
		job = p->is_slowed ? pick_profit(p, v) : pick_due(p, v);
	if (job == NULL)
		job = compact_pick_relocation(p, v);
	if (p->seal_first)
		return NULL;
	if (job == NULL &&
	    (p->compact->all_wanted ||
		(p->relocate_percent && upper_levels_supersede(p, v))))
		job = pick_for_all(p, v);
	if (job == NULL && p->idle)
		job = pick_idle(p, v);
	if (job != NULL)
		job->move = can_move(job);
	return job;
}
