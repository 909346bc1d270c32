/* SPDX-License-Identifier: ISC */
/* What the manifest of a damaged store says; see repair_manifest.c. */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_MANIFEST_H
#define KVFS_ENGINE_REPAIR_REPAIR_MANIFEST_H

#include "engine/env/store_files.h"
#include "engine/tree/version.h"

struct repair;

struct repair_manifest {
	bool is_whole; /* all of it was readable */
	struct version *version; /* what was */
	uint64_t log_number, last_seq, next_file;
	struct number_list removed; /* tables that it says are obsolete */
};

/* Read the newest manifest; damage is reported, not an error. */
int repair_read_manifest(struct repair *r);
/* Whether all is there that it names, so that nothing else counts. */
bool repair_is_complete(struct repair *r);

#endif
