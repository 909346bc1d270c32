/* SPDX-License-Identifier: ISC */
/*
 * Reading damaged files, for repair.c: each reader gives all that verifies
 * and tells of the stretches that do not. A stretch that the disk refuses
 * to read is damage too. One thread.
 */
#ifndef KVFS_ENGINE_REPAIR_SALVAGE_H
#define KVFS_ENGINE_REPAIR_SALVAGE_H

#include "engine/key/iter.h"
#include "engine/segment/segment.h"
#include "engine/log/wal.h"

/*
 * Called for each damaged stretch. The keys that it may have held are those
 * above after and below before: internal keys, empty when not known.
 */
struct salvage_damage {
	uint64_t off, len;
	const char *what;
	struct slice after, before;
};
typedef void (*salvage_damage_fn)(void *arg, const struct salvage_damage *d);

/* ---- Bytes (salvage_read.c) ---- */

/* Read what can be read of len bytes at off, with zeros in the place of
 * what cannot. Returns the bytes up to the end of the file. */
size_t salvage_read(struct env_file *file, void *dst, size_t len, uint64_t off);

/* ---- Tables (salvage_table.c) ---- */

struct table_salvage;

/*
 * Takes file, also on failure. With a damaged index, or without one, the
 * blocks are found by their seals. -ENOMEM, or -EPROTO for a table of a
 * newer version (logged); damage is never a failure.
 */
int table_salvage_open(struct env_file *file, const char *path, uint64_t number,
    salvage_damage_fn fn, void *arg, struct table_salvage **tp);
void table_salvage_close(struct table_salvage *t);
/* Its first and last user key, valid until the walk begins or it is closed:
 * 1, 0 when no entry is readable, or -ENOMEM. Reports nothing. A guess are
 * those that can be read, when what would tell cannot. */
int table_salvage_bounds(struct table_salvage *t, struct slice *smallestp,
    struct slice *largestp, bool *is_guessp);
/* The walk, in order; takes t. Damage is reported as it is passed. */
struct iter *table_salvage_iter(struct table_salvage *t);

/* ---- Tables, where their blocks are (salvage_scan.c) ---- */

struct salvage_block {
	uint64_t off;
	uint32_t len; /* sealed */
};
struct salvage_blocks {
	struct salvage_block *v;
	size_t count, cap;
	bool is_whole; /* what follows the last one is no data */
};
int salvage_blocks_add(struct salvage_blocks *b, uint64_t off, uint64_t len);
/* Find data blocks by their seals alone. */
int salvage_scan(struct env_file *file, uint64_t number, uint64_t size,
    struct salvage_blocks *blocks);

/* ---- Logs (salvage_wal.c) ---- */

struct wal_salvage {
	bool is_log; /* it is a log of that number, as far as one can see */
	bool has_header;
	uint64_t start_seq; /* with a header: the first number to come */
	uint64_t durable_seq; /* largest that anything in it says */
};
/*
 * Call frame for each frame that verifies, whatever came before it, in
 * order of place. Borrows file. -ENOMEM, -EPROTO, or what frame returns
 * when that is negative. frame may be NULL: only the header is looked at.
 */
int wal_salvage(struct env_file *file, const char *path, uint64_t number,
    int (*frame)(void *arg, const struct wal_frame *f),
    salvage_damage_fn damage, void *arg, struct wal_salvage *infop);

#endif
