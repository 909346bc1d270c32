/* SPDX-License-Identifier: ISC */
/*
 * The space of the disk, or within max_bytes, which acts as a smaller disk: how
 * much there is, what the store's files use of it, and the sizes of files that
 * fit into it.
 */
#include "engine/state/disk_space.h"

#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/state/log_set.h"
#include "engine/state/segment_set.h"
#include "engine/tree/version.h"
#include "util/stats.h"

/* Margin: a part of the space, within bounds, that stays free. Enough to move
 * the live values of a segment that is half dead. */
#define MARGIN_SHARE 16
#define MARGIN_MIN (2u << 20)
#define MARGIN_MAX (SEGMENT_FILE_MAX / 2 + (32u << 20))
/* If less than so many margins are left, dirty pages are written back before
 * the space is read, as soon as there is this part of a margin. */
#define SETTLE_MARGINS 4
#define SETTLE_PART 4

/* Parts of the space, and the lower bound of each. */
#define SEGMENT_PART 64
#define SEGMENT_MIN (256u << 10)
#define MEMTABLE_PART 64
#define MEMTABLE_MIN (256u << 10)
#define TABLE_PART 256
#define TABLE_MIN (64u << 10)
#define MEMTABLE_SEGMENT_PART 8
#define LOG_PART 64

uint64_t
space_part(uint64_t total, uint64_t share, uint64_t least, uint64_t most)
{
	uint64_t n = total / share;

	if (n < least)
		return least;
	return n < most ? n : most;
}

uint64_t
space_margin(const struct env_space *space)
{
	return space_part(space->total_bytes, MARGIN_SHARE, MARGIN_MIN,
	    MARGIN_MAX);
}

static void
choose_sizes(struct disk_space *space, uint64_t total)
{
	struct room_sizes *s = &space->sizes;

	atomic_store_explicit(&s->segment_bytes,
	    space_part(total, SEGMENT_PART, SEGMENT_MIN, SEGMENT_FILE_MAX),
	    memory_order_relaxed);
	atomic_store_explicit(&s->memtable_segment_bytes,
	    space_part(total, MEMTABLE_SEGMENT_PART, SEGMENT_MIN,
		MEMTABLE_SEGMENT_BYTES),
	    memory_order_relaxed);
	atomic_store_explicit(&s->table_bytes,
	    space_part(total, TABLE_PART, TABLE_MIN, TABLE_FILE_BYTES),
	    memory_order_relaxed);
	atomic_store_explicit(&s->log_max_bytes,
	    space_part(total, LOG_PART, LOG_LEAST_BYTES, LOG_MAX_BYTES),
	    memory_order_relaxed);
	atomic_store_explicit(&s->log_min_bytes,
	    space_part(total, LOG_PART, LOG_LEAST_BYTES, LOG_MIN_BYTES),
	    memory_order_relaxed);
}

void
db_space_init(struct db *db)
{
	struct env_space space;
	uint64_t memtable;

	atomic_store_explicit(&db->space.max_bytes, db->opts.max_bytes,
	    memory_order_relaxed);
	db->space.may_fill = !env_dir_keeps_blocks(db->store.dir);
	if (db_space(db, &space) < 0)
		space.total_bytes = UINT64_MAX;
	choose_sizes(&db->space, space.total_bytes);
	memtable = space_part(space.total_bytes, MEMTABLE_PART, MEMTABLE_MIN,
	    UINT64_MAX);
	if (db->opts.memtable_bytes > memtable)
		db->opts.memtable_bytes = memtable;
	db->logs.next_bytes =
	    atomic_load_explicit(&db->space.sizes.log_min_bytes,
		memory_order_relaxed);
}

void
db_space_set_max(struct db *db, uint64_t max_bytes)
{
	struct env_space space;

	atomic_store_explicit(&db->space.max_bytes, max_bytes,
	    memory_order_relaxed);
	if (db_space(db, &space) == 0)
		choose_sizes(&db->space, space.total_bytes);
}

uint64_t
db_disk_bytes(struct db *db)
{
	struct db_log *ahead[2];
	struct segment_ref *s;
	uint64_t n = 0;

	mutex_lock(&db->mu);
	for (int i = 0; db->views.current != NULL && i < LEVELS; i++)
		n += db->views.current->version->levels[i].bytes;
	for (size_t i = 0; i < db->logs.count; i++)
		n += db->logs.all[i]->size;
	ahead[0] = db->logs.spare;
	ahead[1] = db->logs.recycled;
	for (int i = 0; i < 2; i++)
		n += ahead[i] != NULL ? ahead[i]->size : 0;
	mutex_unlock(&db->mu);
	mutex_lock(&db->segs.mu);
	RB_FOREACH (s, segment_tree, &db->segs.tree)
		n += s->size;
	mutex_unlock(&db->segs.mu);
	return n;
}

/* Bytes written since opening. */
static uint64_t
written_bytes(struct db_stats *stats)
{
	return counter_read(&stats->segment_bytes) +
	    counter_read(&stats->flush_bytes) +
	    counter_read(&stats->compact_write_bytes) +
	    counter_read(&stats->log_bytes);
}

/*
 * The space of the disk. If a file system assigns blocks only when pages are
 * written back (btrfs), dirty pages do not count as used. So when little is
 * left, they are written back first.
 */
static int
disk_space(struct db *db, struct env_space *spacep)
{
	uint64_t written, waiting;
	int rc = env_dir_space(db->store.dir, spacep);

	if (rc < 0 || !db->space.may_fill)
		return rc;
	written = written_bytes(&db->stats);
	waiting = written -
	    atomic_load_explicit(&db->space.settled_bytes,
		memory_order_seq_cst);
	if (spacep->free_bytes <
		waiting + SETTLE_MARGINS * space_margin(spacep) &&
	    waiting > space_margin(spacep) / SETTLE_PART) {
		env_dir_settle(db->store.dir);
		atomic_store_explicit(&db->space.settled_bytes, written,
		    memory_order_seq_cst);
		waiting = 0;
		rc = env_dir_space(db->store.dir, spacep);
	}
	spacep->free_bytes -= waiting < spacep->free_bytes ? waiting :
							     spacep->free_bytes;
	return rc;
}

int
db_space(struct db *db, struct env_space *spacep)
{
	uint64_t max = atomic_load_explicit(&db->space.max_bytes,
		     memory_order_relaxed),
		 used, left;
	int rc = disk_space(db, spacep);

	if (rc < 0 || max == 0)
		return rc;
	used = db_disk_bytes(db);
	left = max > used ? max - used : 0;
	if (spacep->free_bytes > left)
		spacep->free_bytes = left;
	if (spacep->total_bytes > max)
		spacep->total_bytes = max;
	return 0;
}
