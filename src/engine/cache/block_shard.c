/* SPDX-License-Identifier: ISC */
/* One shard of the block cache; see block_shard.h. */
#include "engine/cache/block_shard.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Initial share of the warm part: 1/10, as in S3-FIFO. */
#define SHARE_FIRST (BLOCK_SHARE_ONE / 10)
#define STAMP_MASK 0x7fffffffu /* of block_ghost.stamp */
/*
 * A ghost changes the split only as long as its part has since evicted fewer
 * blocks than 1/16 of those in the cache (S3-FIFO-D: 5 %). Hit rates in
 * percent, measured by test_block_cache, with the warm part fixed at 1/20, 1/10
 * and 1/2 of the cache, and with the adaptive split: recency load 46, 52, 66
 * and 66; frequency load between scans 50, 49, 40 and 50. In a cache of 8,000
 * blocks, ghosts of up to 1/4 cost the second load 2 points, and ghosts of any
 * age 8.
 */
#define ADAPT_PART 16

uint64_t
block_hash(uint64_t file, uint64_t off)
{
	uint64_t h = file * 0x9e3779b97f4a7c15ULL ^ off;

	/* A full mix: shard, slot and fingerprint use different bits of it. */
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
	return h ^ h >> 32;
}

/* ---- Ghosts ---- */

static struct block_ghost *
ghost_of(struct block_shard *s, uint64_t hash)
{
	return &s->ghosts[(hash >> 20) & s->ghost_mask];
}

static void
add_ghost_locked(struct block_shard *s, uint64_t hash, enum block_part part)
{
	uint32_t stamp = ++s->part[part].clock & STAMP_MASK;

	mutex_assert_held(&s->mu);
	*ghost_of(s, hash) = (struct block_ghost){ (uint32_t)(hash >> 24), part,
		stamp };
}

/*
 * Find the ghost of a block that was missed: which part evicted it, and how
 * many others that part has evicted since. False if there is none, or if it is
 * older than one turnover of the cache.
 */
static bool
find_ghost_locked(struct block_shard *s, uint64_t hash, enum block_part *partp,
    size_t *agep)
{
	struct block_ghost *g = ghost_of(s, hash);

	mutex_assert_held(&s->mu);
	if (g->stamp == 0 || g->fingerprint != (uint32_t)(hash >> 24))
		return false;
	*partp = (enum block_part)g->part;
	*agep = (s->part[g->part].clock - g->stamp) & STAMP_MASK;
	return *agep < s->table.count;
}

/* ---- The split ---- */

/*
 * A ghost that is hit means that its part would have kept the block with a
 * little more space: the split moves towards that part, by one block a hit
 * (S3-FIFO-D's rule with ARC's step).
 */
static void
adapt_locked(struct block_shard *s, enum block_part part, size_t age,
    uint32_t step)
{
	mutex_assert_held(&s->mu);
	if (age >= s->table.count / ADAPT_PART)
		return;
	if (part == BLOCK_WARM)
		s->warm_share = s->split.most - s->warm_share > step ?
		    s->warm_share + step :
		    s->split.most;
	else
		s->warm_share = s->warm_share - s->split.least > step ?
		    s->warm_share - step :
		    s->split.least;
}

uint64_t
block_shard_warm_target(const struct block_shard *s, uint64_t capacity)
{
	return capacity / BLOCK_SHARE_ONE * s->warm_share +
	    capacity % BLOCK_SHARE_ONE * s->warm_share / BLOCK_SHARE_ONE;
}

/* ---- Parts ---- */

/* Collect the hits since the last time: add them to the part's statistics and
 * to the block's heat. True: somebody holds a reference. */
static bool
harvest_locked(struct block_shard *s, struct block_entry *e)
{
	mutex_assert_held(&s->mu);
	/* Relaxed: block_table_remove_locked() checks again. */
	uint64_t meta = atomic_load_explicit(&e->meta, memory_order_relaxed);
	uint32_t hits = META_HITS(meta);

	if (hits != 0)
		atomic_fetch_sub_explicit(&e->meta, hits * META_HIT,
		    memory_order_relaxed);
	s->part[e->part].stats.hits += hits;
	e->heat = hits < BLOCK_HEAT_MAX - (uint32_t)e->heat ?
	    (uint8_t)(e->heat + hits) :
	    BLOCK_HEAT_MAX;
	return META_REFS(meta) != 0;
}

void
block_shard_harvest_locked(struct block_shard *s)
{
	mutex_assert_held(&s->mu);
	for (int i = 0; i < BLOCK_PARTS; i++) {
		struct block_entry *e;

		TAILQ_FOREACH (e, &s->part[i].queue, link)
			(void)harvest_locked(s, e);
	}
}

static void
enter_locked(struct block_shard *s, struct block_entry *e, enum block_part part)
{
	mutex_assert_held(&s->mu);
	e->part = (uint8_t)part;
	TAILQ_INSERT_TAIL(&s->part[part].queue, e, link);
	s->part[part].bytes += e->charge;
}

static void
enter_ahead_locked(struct block_shard *s, struct block_entry *e)
{
	mutex_assert_held(&s->mu);
	e->part = BLOCK_HOT;
	TAILQ_INSERT_HEAD(&s->part[BLOCK_HOT].queue, e, link);
	s->part[BLOCK_HOT].bytes += e->charge;
	atomic_fetch_add_explicit(&s->ahead, 1, memory_order_relaxed);
}

static void
leave_locked(struct block_shard *s, struct block_entry *e)
{
	mutex_assert_held(&s->mu);
	TAILQ_REMOVE(&s->part[e->part].queue, e, link);
	s->part[e->part].bytes -= e->charge;
}

/* Evict a block and leave a ghost. False: somebody has taken a reference
 * meanwhile. */
static bool
drop_locked(struct block_shard *s, struct block_entry *e,
    struct cached_block **deadp)
{
	uint64_t hash = block_hash(e->file, e->off);
	struct cached_block *b;

	mutex_assert_held(&s->mu);
	if (!block_table_hide_locked(&s->table, e))
		return false;
	leave_locked(s, e);
	add_ghost_locked(s, hash, (enum block_part)e->part);
	s->bytes -= e->charge;
	s->evictions++;
	b = block_table_remove_locked(&s->table, hash, e);
	b->next = *deadp;
	*deadp = b;
	return true;
}

static void
evict_warm_locked(struct block_shard *s, struct cached_block **deadp)
{
	struct block_entry *e = TAILQ_FIRST(&s->part[BLOCK_WARM].queue);
	bool used = harvest_locked(s, e);

	mutex_assert_held(&s->mu);
	if (e->heat == 0 && !used && drop_locked(s, e, deadp))
		return;
	e->heat = 0;
	leave_locked(s, e);
	enter_locked(s, e, BLOCK_HOT);
	s->promotions++;
}

/* False: the block is in use and was moved to the other end. */
static bool
evict_hot_locked(struct block_shard *s, struct cached_block **deadp)
{
	struct block_entry *e = TAILQ_FIRST(&s->part[BLOCK_HOT].queue);
	bool used = harvest_locked(s, e);

	mutex_assert_held(&s->mu);
	if (e->heat == 0 && !used && drop_locked(s, e, deadp))
		return true;
	if (e->heat != 0)
		e->heat--;
	leave_locked(s, e);
	enter_locked(s, e, BLOCK_HOT);
	return !used;
}

void
block_shard_evict_locked(struct block_shard *s, uint64_t capacity,
    struct cached_block **deadp)
{
	uint64_t warm_target = block_shard_warm_target(s, capacity);
	size_t pinned = 0;

	mutex_assert_held(&s->mu);
	while (s->bytes > capacity && pinned <= s->table.count) {
		const struct block_part_state *warm = &s->part[BLOCK_WARM];
		bool no_hot = TAILQ_EMPTY(&s->part[BLOCK_HOT].queue);

		if (!TAILQ_EMPTY(&warm->queue) &&
		    (no_hot || warm->bytes > warm_target))
			evict_warm_locked(s, deadp);
		else if (no_hot)
			break;
		else if (!evict_hot_locked(s, deadp))
			pinned++;
	}
}

void
block_free_all(struct cached_block *dead)
{
	while (dead != NULL) {
		struct cached_block *next = dead->next;

		free(dead);
		dead = next;
	}
}

/* ---- Life cycle ---- */

int
block_shard_init(struct block_shard *s, size_t ghosts,
    const struct block_split *split)
{
	int rc;

	memset(s, 0, sizeof(*s));
	mutex_init(&s->mu);
	for (int i = 0; i < BLOCK_PARTS; i++)
		TAILQ_INIT(&s->part[i].queue);
	s->split = *split;
	s->warm_share = SHARE_FIRST;
	if (s->warm_share < split->least)
		s->warm_share = split->least;
	if (s->warm_share > split->most)
		s->warm_share = split->most;
	rc = block_table_init(&s->table, &s->mu);
	s->ghosts = calloc(ghosts, sizeof(*s->ghosts));
	s->ghost_mask = (uint32_t)ghosts - 1;
	return rc == 0 && s->ghosts != NULL ? 0 : -ENOMEM;
}

void
block_shard_fini(struct block_shard *s)
{
	for (int i = 0; i < BLOCK_PARTS; i++) {
		struct block_entry *e;

		TAILQ_FOREACH (e, &s->part[i].queue, link) {
			/* Acquire: all that the last user did with it has
			 * ended. */
			assert(META_REFS(atomic_load_explicit(&e->meta,
				   memory_order_acquire)) == 0);
			free(e->block);
		}
	}
	block_table_fini(&s->table);
	free(s->ghosts);
	mutex_fini(&s->mu);
}

/* ---- Blocks ---- */

/* An entry with this many uncollected hits is rare; collect them before the
 * counter overflows. */
static void
harvest_many(struct block_shard *s, struct block_entry *e)
{
	mutex_lock(&s->mu);
	(void)harvest_locked(s, e);
	mutex_unlock(&s->mu);
}

struct cached_block *
block_shard_lookup(struct block_shard *s, uint64_t hash, uint64_t file,
    uint64_t off)
{
	struct block_entry *e = block_table_lookup(&s->table, hash, file, off);

	if (e == NULL) {
		atomic_fetch_add_explicit(&s->misses, 1, memory_order_relaxed);
		return NULL;
	}
	if (META_HITS_MANY(
		atomic_load_explicit(&e->meta, memory_order_relaxed)))
		harvest_many(s, e);
	return e->block;
}

/* The part that a block enters after a miss. */
static enum block_part
part_for_locked(struct block_shard *s, const struct block_place *place,
    uint64_t hash, uint64_t capacity)
{
	enum block_part dropped_by;
	size_t age;

	mutex_assert_held(&s->mu);
	if (!find_ghost_locked(s, hash, &dropped_by, &age))
		return BLOCK_WARM;
	s->part[dropped_by].stats.returns++;
	adapt_locked(s, dropped_by, age,
	    (uint32_t)((uint64_t)place->charge * BLOCK_SHARE_ONE /
		(capacity + 1)));
	return BLOCK_HOT;
}

struct cached_block *
block_shard_insert_locked(struct block_shard *s, struct cached_block *b,
    const struct block_place *place, uint64_t capacity,
    enum block_priority priority)
{
	uint64_t hash = block_hash(place->file, place->off);
	enum block_part part = BLOCK_WARM;
	struct block_entry *e = block_table_find_locked(&s->table, hash,
	    place->file, place->off);

	mutex_assert_held(&s->mu);
	if (e != NULL) {
		block_entry_ref(e);
		return e->block;
	}
	if (priority == BLOCK_AHEAD && s->bytes + place->charge > capacity)
		return NULL;
	if (priority == BLOCK_DATA)
		part = part_for_locked(s, place, hash, capacity);
	e = block_table_add_locked(&s->table, hash, place->file, place->off, b,
	    place->charge);
	if (e == NULL)
		return NULL;
	if (priority == BLOCK_AHEAD)
		enter_ahead_locked(s, e);
	else
		enter_locked(s, e, part);
	s->bytes += e->charge;
	s->inserts++;
	return NULL;
}

bool
block_shard_has_locked(struct block_shard *s, uint64_t hash, uint64_t file,
    uint64_t off)
{
	mutex_assert_held(&s->mu);
	return block_table_find_locked(&s->table, hash, file, off) != NULL;
}

size_t
block_shard_list_hot_locked(struct block_shard *s, struct block_place *places)
{
	size_t n = 0;

	mutex_assert_held(&s->mu);
	block_shard_harvest_locked(s);
	for (int i = 0; i < BLOCK_PARTS; i++) {
		struct block_entry *e;

		TAILQ_FOREACH (e, &s->part[i].queue, link)
			if (i == BLOCK_HOT || e->heat != 0)
				places[n++] = (struct block_place){ e->file,
					e->off, e->charge, e->heat };
	}
	return n;
}
