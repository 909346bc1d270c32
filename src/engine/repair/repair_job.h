/* SPDX-License-Identifier: ISC */
/*
 * One repair: the two stores, and a part for each step of it. One thread.
 *
 * The manifest says which tables count (repair_manifest.c, repair_tables.c);
 * they and the commits in logs (repair_logs.c) are the sources; all of them
 * are merged by internal key into the new store (repair_write.c).
 */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_JOB_H
#define KVFS_ENGINE_REPAIR_REPAIR_JOB_H

#include "engine/env/env.h"
#include "engine/env/store_files.h"
#include "engine/repair/repair_logs.h"
#include "engine/repair/repair_manifest.h"
#include "engine/repair/repair_report.h"
#include "engine/repair/repair_sources.h"
#include "engine/repair/repair_tables.h"

/* Segments that are open at a time. */
#define REPAIR_SEGMENTS 64

struct segment_reader;

struct repair {
	struct env *env;
	struct env_dir *from, *to; /* the damaged store, the new one */
	const char *dir, *dest; /* their paths, for messages */
	struct store_files files; /* of the damaged one */

	struct repair_report report;
	struct repair_manifest manifest;
	struct repair_tables tables;
	struct repair_logs logs;
	struct repair_sources sources;

	struct segment_reader *segments[REPAIR_SEGMENTS];
	uint64_t keys; /* saved */
};

#endif
