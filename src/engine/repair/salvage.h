/* SPDX-License-Identifier: ISC */
/*
 * Readers of damaged files, for repair: each one returns everything whose
 * checksum is right, and reports the ranges where it is wrong. A range that the
 * disk cannot read is damage, too.
 * Threading: one thread.
 */
#ifndef KVFS_ENGINE_REPAIR_SALVAGE_H
#define KVFS_ENGINE_REPAIR_SALVAGE_H

#include "engine/key/iter.h"
#include "engine/segment/segment.h"
#include "engine/log/wal_reader.h"

/*
 * Called for each damaged range. The keys that may be lost with it are those
 * above after and below before; both are internal keys, and empty if unknown.
 */
struct salvage_damage {
	uint64_t off, len;
	const char *what;
	struct slice after, before;
};
typedef void (*salvage_damage_fn)(void *arg, const struct salvage_damage *d);

/* ---- Bytes (salvage_read.c) ---- */

/* Read len bytes at off; bytes that cannot be read become zeros. Returns the
 * number of bytes up to len or the end of the file. */
size_t salvage_read(struct env_file *file, void *dst, size_t len, uint64_t off);

/* ---- Tables (salvage_table.c) ---- */

struct table_salvage;

/*
 * Open a damaged table. Takes file, also on failure. If the index is missing or
 * damaged, the blocks are found by their seals. Fails with -ENOMEM, or with
 * -EPROTO for a table of a newer version (logged); damage is not a failure.
 */
int table_salvage_open(struct env_file *file, const char *path, uint64_t number,
    salvage_damage_fn fn, void *arg, struct table_salvage **tp);
void table_salvage_close(struct table_salvage *t);
/*
 * The first and the last user key, valid until the iterator moves or the table
 * is closed. Returns 1, or 0 if no entry is readable, or -ENOMEM. Reports
 * nothing. *is_guess tells that the index is damaged: then they are the first
 * and last keys that are readable.
 */
int table_salvage_bounds(struct table_salvage *t, struct slice *smallestp,
    struct slice *largestp, bool *is_guessp);
/* Iterate over all readable entries in order. Takes t. Damage is reported when
 * the iterator passes it. */
struct iter *table_salvage_iter(struct table_salvage *t);

/* ---- Finding the blocks of a table (salvage_scan.c) ---- */

struct salvage_block {
	uint64_t off;
	uint32_t len; /* with the seal */
};
struct salvage_blocks {
	struct salvage_block *v;
	size_t count, cap;
	bool is_whole; /* no data is missing behind the last one */
};
int salvage_blocks_add(struct salvage_blocks *b, uint64_t off, uint64_t len);
/* Find data blocks by their seals, without an index. */
int salvage_scan(struct env_file *file, uint64_t number, uint64_t size,
    struct salvage_blocks *blocks);

/* ---- Logs (salvage_wal.c) ---- */

struct wal_salvage {
	bool is_log; /* as far as can be told, a log with this number */
	bool has_header;
	uint64_t start_seq; /* has_header: the number of its first commit */
	uint64_t durable_seq; /* the highest one in any frame or header */
};
/*
 * Call frame for each valid frame in order of offset, whatever precedes it.
 * Borrows file. frame may be NULL: then only the header is read. Returns 0,
 * -ENOMEM, -EPROTO (a newer version), or a negative return of frame.
 */
int wal_salvage(struct env_file *file, const char *path, uint64_t number,
    int (*frame)(void *arg, const struct wal_frame *f),
    salvage_damage_fn damage, void *arg, struct wal_salvage *infop);

#endif
