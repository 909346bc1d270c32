/* SPDX-License-Identifier: ISC */
/*
 * The state of one repair: both stores, and a part for each step.
 * Threading: one thread.
 *
 * The manifest says which tables belong to the store (repair_manifest.c,
 * repair_tables.c). These tables and the commits in the logs (repair_logs.c)
 * are the sources. All sources are merged by internal key into the new store
 * (repair_write.c).
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

/* At most so many segments are open at a time. */
#define REPAIR_SEGMENTS 64

struct segment_reader;

struct repair {
	struct env *env;
	struct env_dir *from, *to; /* the damaged store, the new one */
	const char *dir, *dest; /* their paths, for messages */
	struct store_files files; /* of the damaged store */

	struct repair_report report;
	struct repair_manifest manifest;
	struct repair_tables tables;
	struct repair_logs logs;
	struct repair_sources sources;

	struct segment_reader *segments[REPAIR_SEGMENTS];
	uint64_t keys; /* how many were saved */
};

#endif
