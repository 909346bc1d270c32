/* SPDX-License-Identifier: ISC */
/*
 * What to compact next: leveled, with dynamic level sizes (RocksDB): the
 * last level holds most of the data, each above a tenth, so that little
 * space is lost to superseded entries. A table counts for more than its
 * bytes when it holds deletions (RocksDB's compensated size), so that
 * space comes back soon. An idle store merges more than is due.
 */
#include <errno.h>
#include <stdlib.h>

#include "engine/compact/compact.h"
#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/state/disk_space.h"
#include "engine/state/segment_set.h"
#include "engine/state/write_delay.h"
#include "engine/tree/version.h"
#include "kvfs/slice.h"

/* A sealed segment with less than this part live is emptied ... */
#define RELOCATE_PERCENT 50
/* ... or this, when nothing else is to do. */
#define RELOCATE_PERCENT_IDLE 75
/* A segment that was closed before it had this part of a full one's size is a
 * crumb: with so many of them, they are merged, since each costs a file. */
#define CRUMB_PART 4
#define CRUMBS_MAX 8
/* Merge what costs at most so many times what its deletions free. */
#define PROFIT_COST 2
/* Idle: merge down what would cost at most so many times what it brings. */
#define IDLE_COST 8
/* A tree of so much is merged down within a second or two: a writer who waits
 * for room has it done for a smaller part. */
#define CHEAP_BYTES (64u << 20)
#define CHEAP_COST 64
/* A table that overlaps more than this is not handed down unread. */
#define MOVE_MAX_OVERLAP (10ULL * TABLE_FILE_BYTES)
/* Left free beside the values that are moved out of segments, for flushes:
 * a part of the space, within bounds. */
#define MOVE_SPARE_PART 256
#define MOVE_SPARE_MIN (128u << 10)
#define MOVE_SPARE_MAX (1u << 20)

struct pick {
	struct db *db;
	const struct version *v;
	uint64_t targets[LEVELS];
	int base; /* level below 0 in use */
	uint64_t entry_bytes; /* average of the tree */
	bool idle; /* or asked for, or short of room, or scans suffer */
	unsigned desperate; /* a writer waits for room: db.desperate */
};

int
compact_targets(const struct db *db, const struct version *v,
    uint64_t targets[LEVELS])
{
	uint64_t base_bytes = db->opts.memtable_bytes * 4, size = 0;
	int level = LEVEL_LAST, first = LEVEL_LAST;

	for (int i = LEVEL_LAST; i >= 1; i--) {
		if (v->levels[i].bytes > size)
			size = v->levels[i].bytes;
		if (v->levels[i].count != 0)
			first = i;
		targets[i] = 0;
	}
	targets[0] = 0;
	while (size > base_bytes && level > 1) {
		targets[level--] = size;
		size /= LEVEL_FANOUT;
	}
	targets[level] = base_bytes;
	/* Levels above, left over from a larger store, are emptied. */
	return first < level ? first : level;
}

/* What the deletions of a table free, if they all hide something. */
static uint64_t
gain(const struct pick *p, const struct table_file *f)
{
	return f->props.deletes * p->entry_bytes + f->reclaim_bytes;
}

/* What a table weighs, with that. */
static uint64_t
weight(const struct pick *p, const struct table_file *f)
{
	return f->props.file_bytes + gain(p, f);
}

static uint64_t
overlap_bytes(const struct version *v, int level, struct slice smallest,
    struct slice limit)
{
	const struct level *l = &v->levels[level];
	uint64_t n = 0;

	for (size_t i = level_lower_bound(l, smallest); i < l->count; i++) {
		if (slice_cmp(l->files[i]->smallest, limit) >= 0)
			break;
		n += l->files[i]->props.file_bytes;
	}
	return n;
}

static bool
is_free(const struct table_file *f)
{
	return !f->compacting && !atomic_load(&f->damaged);
}

static struct compact_job *
job_create(struct version *v, int level, int output_level)
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
compact_job_finish_locked(struct db *db, struct compact_job *job)
{
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < job->input_count[i]; j++)
			job->inputs[i][j]->compacting = false;
	if (job->level == 0)
		db->l0_compacting = false;
	db->compacting--;
	db->moving_bytes -= job->moving_bytes;
	job_free(job);
}

/* What count tables, one at least, cover. */
static void
range_of(struct table_file *const *files, size_t count, struct slice *smallestp,
    struct slice *limitp)
{
	*smallestp = files[0]->smallest;
	*limitp = files[0]->limit;
	for (size_t i = 1; i < count; i++) {
		if (slice_cmp(files[i]->smallest, *smallestp) < 0)
			*smallestp = files[i]->smallest;
		if (slice_cmp(files[i]->limit, *limitp) > 0)
			*limitp = files[i]->limit;
	}
}

/* Add what overlaps in the output level and mark all; takes the job, which
 * is freed (NULL) when an input is busy. */
static struct compact_job *
job_complete(struct db *db, struct compact_job *job)
{
	const struct level *l = &job->version->levels[job->output_level];
	struct slice smallest, limit;

	if (job == NULL || job->inputs[0] == NULL || job->inputs[1] == NULL ||
	    job->input_count[0] == 0)
		goto give_up;
	range_of(job->inputs[0], job->input_count[0], &smallest, &limit);
	if (!job->in_place) {
		for (size_t i = level_lower_bound(l, smallest); i < l->count;
		     i++) {
			struct table_file *f = l->files[i];

			if (slice_cmp(f->smallest, limit) >= 0)
				break;
			if (!is_free(f))
				goto give_up;
			job->inputs[1][job->input_count[1]++] = f;
		}
	}
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < job->input_count[i]; j++)
			job->inputs[i][j]->compacting = true;
	if (job->level == 0)
		db->l0_compacting = true;
	db->compacting++;
	return job;
give_up:
	if (job != NULL)
		job_free(job);
	return NULL;
}

/* To merge one table into the next level. */
static struct compact_job *
job_of_table(struct db *db, struct version *v, int level, struct table_file *f)
{
	struct compact_job *job = job_create(v, level, level + 1);

	if (job != NULL && job->inputs[0] != NULL)
		job->inputs[0][job->input_count[0]++] = f;
	return job_complete(db, job);
}

/* All of level 0 goes to the base level in one job. */
static struct compact_job *
pick_level0(const struct pick *p, struct version *v)
{
	const struct level *l = &v->levels[0];
	struct compact_job *job;

	if (p->db->l0_compacting || l->count == 0)
		return NULL;
	job = job_create(v, 0, p->base);
	if (job == NULL || job->inputs[0] == NULL)
		return job_complete(p->db, job);
	/* Oldest first, up to one that cannot be taken: what is newer than a
	 * table that stays must stay too. */
	for (size_t i = l->count; i > 0 && is_free(l->files[i - 1]); i--)
		job->inputs[0][job->input_count[0]++] = l->files[i - 1];
	return job_complete(p->db, job);
}

/* A table alone that nothing below touches needs no reading; but one with
 * deletions is worth it, for they end here. */
static bool
can_move(const struct compact_job *job)
{
	const struct table_file *f = job->inputs[0][0];

	if (job->in_place || job->input_count[0] != 1 ||
	    job->input_count[1] != 0 || f->props.deletes != 0 ||
	    f->props.group_deletes != 0)
		return false;
	return job->output_level == LEVEL_LAST ||
	    overlap_bytes(job->version, job->output_level + 1, f->smallest,
		f->limit) <= MOVE_MAX_OVERLAP;
}

/* The table of a level that gives most for its cost, starting the search
 * after the one taken last when costs are alike. */
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

		if (!is_free(f))
			continue;
		cost = (overlap_bytes(v, level + 1, f->smallest, f->limit) +
			   f->props.file_bytes) *
		    1024 / (weight(p, f) + 1);
		if (cost < best_cost) {
			best_cost = cost;
			best = f;
		}
	}
	if (best == NULL)
		return NULL;
	return job_of_table(p->db, v, level, best);
}

/* Weight of a level against its goal, in percent. */
static uint64_t
score(const struct pick *p, int level)
{
	const struct level *l = &p->v->levels[level];
	uint64_t sum = 0, by_count, by_size;

	for (size_t i = 0; i < l->count; i++)
		if (!l->files[i]->compacting)
			sum += weight(p, l->files[i]);
	if (level == 0) {
		by_count = l->count * 100 / L0_COMPACT_FILES;
		by_size = sum * 100 / (p->db->opts.memtable_bytes * 4);
		return by_count > by_size ? by_count : by_size;
	}
	if (level == LEVEL_LAST)
		return 0;
	/* A level above the base should be empty. */
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
			uint64_t s = tried[i] ? 0 : score(p, i);

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

/* All of level 0, if that costs at most so many times what it frees. */
static struct compact_job *
pick_deletions0(const struct pick *p, struct version *v, unsigned factor)
{
	const struct level *l = &v->levels[0];
	uint64_t freed = 0, cost = 0;
	struct slice smallest, limit;

	for (size_t i = 0; i < l->count; i++) {
		cost += l->files[i]->props.file_bytes;
		freed += gain(p, l->files[i]);
	}
	if (freed == 0)
		return NULL;
	range_of(l->files, l->count, &smallest, &limit);
	cost += overlap_bytes(v, p->base, smallest, limit);
	return freed * factor >= cost ? pick_level0(p, v) : NULL;
}

/* A table of a level whose deletions are worth their price. */
static struct compact_job *
pick_deletions(const struct pick *p, struct version *v, int level,
    unsigned factor)
{
	const struct level *l = &v->levels[level];

	for (size_t j = 0; j < l->count; j++) {
		struct table_file *f = l->files[j];
		struct compact_job *job;

		if (!is_free(f) ||
		    f->props.deletes + f->props.group_deletes == 0 ||
		    gain(p, f) * factor <
			overlap_bytes(v, level + 1, f->smallest, f->limit))
			continue;
		job = job_of_table(p->db, v, level, f);
		if (job != NULL)
			return job;
	}
	return NULL;
}

/*
 * Deletions that free about as much as it costs to merge them: before
 * anything is due, so that nobody walks over them. After a million deletions
 * in order, less than 200,000 a second, a scan over them took 269 to 356 ms
 * when what was due went first, in tables cut by size alone; so 21 to 31.
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

static bool
names_any(const struct table_file *f, const uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < f->use_count; i++)
		for (size_t j = 0; j < count; j++)
			if (f->uses[i].segment == numbers[j])
				return true;
	return false;
}

/* To move what a table has in these segments. */
static struct compact_job *
pick_user_of(const struct pick *p, struct version *v, const uint64_t *numbers,
    size_t count)
{
	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &v->levels[i];

		for (size_t j = 0; j < l->count; j++) {
			struct table_file *f = l->files[j];
			struct compact_job *job;

			if (!is_free(f) || (i == 0 && p->db->l0_compacting) ||
			    !names_any(f, numbers, count))
				continue;
			job = job_create(v, i, i);
			if (job == NULL || job->inputs[0] == NULL)
				return job_complete(p->db, job);
			job->in_place = true;
			job->inputs[0][job->input_count[0]++] = f;
			memcpy(job->relocate, numbers,
			    count * sizeof(*numbers));
			job->relocate_count = count;
			return job_complete(p->db, job);
		}
	}
	return NULL;
}

/* Moving needs room before it gives any: on a disk that lacks it, it would
 * only take what a flush needs. So much may be moved now. */
static uint64_t
movable_bytes(struct db *db)
{
	struct env_space space;
	uint64_t kept;

	if (env_dir_space(db->store, &space) < 0)
		return UINT64_MAX;
	kept = space_part(space.total_bytes, MOVE_SPARE_PART, MOVE_SPARE_MIN,
		   MOVE_SPARE_MAX) +
	    db->moving_bytes;
	return space.free_bytes > kept ? space.free_bytes - kept : 0;
}

/* The sealed segment that has least live, if little enough to be moved. */
struct sparse {
	uint64_t number, live_bytes; /* number 0: none */
	bool should_seal; /* the active one has less */
};

static struct sparse
find_sparse_locked(const struct pick *p, uint64_t most)
    REQUIRES(&p->db->segment_mu)
{
	uint64_t best = p->desperate != 0 ? p->desperate :
	    p->idle                       ? RELOCATE_PERCENT_IDLE :
					    RELOCATE_PERCENT;
	uint64_t least = atomic_load(&p->db->sizes.segment_bytes) / CRUMB_PART;
	struct sparse found = { 0 };
	struct segment_ref *s;

	RB_FOREACH (s, segment_tree, &p->db->segments) {
		uint64_t live;

		if (s->size == 0 || s->damaged || (s->size < least && !p->idle))
			continue;
		live = s->live_bytes * 100 / s->size;
		if (live >= best)
			continue;
		if (!s->sealed) {
			found.should_seal = p->idle && s->size >= least &&
			    s == p->db->active_segment;
			continue;
		}
		/* Without any it goes when memory lets go of it. */
		if (s->live_bytes == 0 || s->live_bytes > most)
			continue;
		best = live;
		found.number = s->number;
		found.live_bytes = s->live_bytes;
	}
	return found;
}

/* Crumbs to merge: 0 while there are few. */
static size_t
find_crumbs_locked(const struct pick *p, uint64_t numbers[CRUMBS_MAX],
    uint64_t *bytesp) REQUIRES(&p->db->segment_mu)
{
	uint64_t most = atomic_load(&p->db->sizes.segment_bytes) / CRUMB_PART;
	struct segment_ref *s;
	size_t n = 0, count = 0;

	*bytesp = 0;
	RB_FOREACH (s, segment_tree, &p->db->segments) {
		if (!s->sealed || s->damaged || s->size >= most ||
		    s->live_bytes == 0)
			continue;
		if (n < CRUMBS_MAX) {
			numbers[n++] = s->number;
			*bytesp += s->live_bytes;
		}
		count++;
	}
	return count > CRUMBS_MAX ? n : 0;
}

/* The segments to empty, of which at most so many bytes live: the one that
 * gives most, if there is one, or small ones. */
static size_t
choose_locked(const struct pick *p, const struct sparse *sparse, uint64_t most,
    uint64_t numbers[CRUMBS_MAX], uint64_t *bytesp) REQUIRES(&p->db->segment_mu)
{
	size_t count;

	if (sparse->number != 0) {
		numbers[0] = sparse->number;
		*bytesp = sparse->live_bytes;
		return 1;
	}
	count = find_crumbs_locked(p, numbers, bytesp);
	return *bytesp <= most ? count : 0;
}

/* Empty the segment that gives most, or merge small ones. */
static struct compact_job *
pick_relocation(const struct pick *p, struct version *v)
{
	uint64_t numbers[CRUMBS_MAX], bytes, most;
	struct compact_job *job = NULL;
	struct sparse sparse;
	size_t count;

	mutex_lock(&p->db->segment_mu);
	sparse = find_sparse_locked(p, UINT64_MAX);
	if (sparse.should_seal) {
		mutex_unlock(&p->db->segment_mu);
		segment_seal_active(p->db);
		mutex_lock(&p->db->segment_mu);
		sparse = find_sparse_locked(p, UINT64_MAX);
	}
	count = choose_locked(p, &sparse, UINT64_MAX, numbers, &bytes);
	mutex_unlock(&p->db->segment_mu);
	if (count == 0)
		return NULL;
	/* The disk is asked only when there is something to move. */
	most = movable_bytes(p->db);
	if (bytes > most) {
		mutex_lock(&p->db->segment_mu);
		sparse = find_sparse_locked(p, most);
		count = choose_locked(p, &sparse, most, numbers, &bytes);
		mutex_unlock(&p->db->segment_mu);
	}
	if (count != 0)
		job = pick_user_of(p, v, numbers, count);
	if (job != NULL) {
		job->moving_bytes = bytes;
		p->db->moving_bytes += bytes;
	}
	return job;
}

/* Nothing is due and nobody writes: what would shrink the store for a
 * modest price? */
static struct compact_job *
pick_idle(const struct pick *p, struct version *v)
{
	const struct level *l0 = &v->levels[0];
	uint64_t sum = 0, below = 0;

	for (size_t i = 0; i < l0->count; i++)
		sum += weight(p, l0->files[i]);
	for (size_t i = 0; i < v->levels[p->base].count; i++)
		below += v->levels[p->base].files[i]->props.file_bytes;
	if (l0->count != 0 && sum * IDLE_COST >= below) {
		struct compact_job *job = pick_level0(p, v);

		if (job != NULL)
			return job;
	}
	for (int i = 1; i < LEVEL_LAST; i++) {
		struct compact_job *job = pick_deletions(p, v, i, IDLE_COST);

		/* What is superseded below cannot be counted; where the level
		 * is a fair part of the next it may be as much. */
		if (job == NULL &&
		    v->levels[i].bytes * IDLE_COST >= v->levels[i + 1].bytes)
			job = pick_from_level(p, v, i);
		if (job != NULL)
			return job;
	}
	return NULL;
}

/*
 * Whether what the levels above the last may hide of it, each entry one as
 * large, is worth the price of merging everything down. A pointer hides a
 * value that counts with what it takes in its segment.
 */
static bool
upper_levels_hide(const struct pick *p, const struct version *v)
{
	uint64_t hidden = 0, cost = 0;

	for (int i = 0; i < LEVELS; i++) {
		for (size_t j = 0; j < v->levels[i].count; j++) {
			const struct table_file *f = v->levels[i].files[j];

			cost += f->props.file_bytes;
			if (i == LEVEL_LAST)
				continue;
			hidden += weight(p, f);
			/* How much a group's deletion hides is a guess. */
			if (f->props.group_deletes != 0)
				hidden += overlap_bytes(v, LEVEL_LAST,
				    f->smallest, f->limit);
			for (size_t k = 0; k < f->use_count; k++)
				hidden += f->uses[k].bytes;
		}
	}
	return hidden * (cost <= CHEAP_BYTES ? CHEAP_COST : IDLE_COST) >= cost;
}

/* kvfsctl compact: everything to the last level, from the top. */
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

static void
pick_init(struct pick *p, struct db *db)
{
	*p = (struct pick){ .db = db, .v = db->views.current->version };
	p->entry_bytes = version_entry_bytes(p->v);
	p->base = compact_targets(db, p->v, p->targets);
	p->desperate = atomic_load(&db->desperate);
	p->idle = p->desperate || db->compact_all || db->tidying ||
	    atomic_load(&db->pressed) || db_is_idle(db);
}

struct compact_job *
compact_pick_locked(struct db *db)
{
	struct version *v = db->views.current->version;
	/* Writers who are slowed down wait for what is due. */
	bool due_first = db_is_slowed(db);
	struct compact_job *job;
	struct pick p;

	pick_init(&p, db);
	job = due_first ? pick_due(&p, v) : pick_profit(&p, v);
	if (job == NULL)
		job = due_first ? pick_profit(&p, v) : pick_due(&p, v);
	if (job == NULL)
		job = pick_relocation(&p, v);
	if (job == NULL &&
	    (db->compact_all || (p.desperate && upper_levels_hide(&p, v))))
		job = pick_for_all(&p, v);
	if (job == NULL && p.idle)
		job = pick_idle(&p, v);
	if (job != NULL)
		job->move = can_move(job);
	return job;
}

uint64_t
compact_debt(const struct db *db, const struct version *v)
{
	uint64_t targets[LEVELS], debt = v->levels[0].bytes;
	int base = compact_targets(db, v, targets);

	for (int i = base; i < LEVEL_LAST; i++)
		if (v->levels[i].bytes > targets[i])
			debt += v->levels[i].bytes - targets[i];
	return debt;
}
