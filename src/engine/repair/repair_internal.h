/* SPDX-License-Identifier: ISC */
/*
 * One repair: what repair.c, repair_manifest.c, repair_tables.c,
 * repair_logs.c and repair_write.c share. One thread.
 *
 * All entries that are readable anywhere are merged by internal key. They
 * carry sequence numbers, so it does not matter where one was found.
 */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_INTERNAL_H
#define KVFS_ENGINE_REPAIR_REPAIR_INTERNAL_H

#include "engine/tree/manifest.h"
#include "engine/key/merge_iter.h"
#include "engine/repair/salvage.h"
#include "engine/env/store_files.h"
#include "engine/tree/version.h"
#include "kvfs/store.h"
#include "util/line_list.h"

/* Segments that are open at a time. */
#define REPAIR_SEGMENTS 64

/* One table: [smallest, limit) in user keys. */
struct repair_table {
	uint64_t number;
	struct slice smallest, limit; /* owned */
	int run; /* tables of a run do not overlap */
	bool is_guess; /* it may have held keys beyond both */
};

struct repair {
	struct env *env;
	struct env_dir *from, *to; /* the damaged store, the new one */
	const char *dir, *dest; /* their paths, for messages */
	FILE *out;
	struct line_list lost_lines, note_lines; /* on out */
	kv_lost_fn lost; /* of keys; NULL: lines on out */
	void *lost_arg;
	int losses;

	struct store_files files;

	/* from the manifest */
	bool has_manifest; /* all of it was readable */
	struct version *version; /* what was */
	uint64_t log_number, last_seq, next_file;
	struct number_list removed; /* tables that it says are obsolete */

	/* what is merged */
	struct repair_table *tables; /* by smallest key */
	size_t table_count, table_cap;
	int runs;
	struct merge_source *sources;
	size_t source_count, source_cap;

	/* commits found in logs */
	struct memtable *mem; /* not yet a source */
	uint64_t next_spill;
	const char *log_path; /* being read */
	uint64_t next_seq; /* expected next; 0: nothing is known */
	uint64_t limit_seq; /* from here on the log is void */
	uint64_t durable_seq;
	bool gap_told; /* damage that explains missing numbers */
	int log_error;

	struct segment_reader *segments[REPAIR_SEGMENTS];
	uint64_t keys; /* saved */
};

/* ---- repair.c ---- */

/* One loss, one line. */
void repair_lost(struct repair *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The loss of the value of user, and why. */
void repair_lost_value(struct repair *r, struct slice user, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
/* What there was of user keys from one to another is lost, and why. */
void repair_lost_range(struct repair *r, struct slice from, struct slice to,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Takes it. */
int repair_add_source(struct repair *r, struct iter *it);

/* ---- repair_manifest.c ---- */

/* Read the newest manifest; damage is reported, not an error. */
int repair_read_manifest(struct repair *r);
/* Whether all is there that it names, so that nothing else counts. */
bool repair_is_complete(struct repair *r);

/* ---- repair_tables.c ---- */

/* Sources of all tables that count. */
int repair_gather_tables(struct repair *r);

/* ---- repair_logs.c ---- */

/* Sources of all commits in logs. */
int repair_gather_logs(struct repair *r);

/* ---- repair_write.c ---- */

/* Put the newest version of everything that it gives into the new store. */
int repair_write(struct repair *r, struct iter *it);

#endif
