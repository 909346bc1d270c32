/* SPDX-License-Identifier: ISC */
/* Reads the manifest of a damaged store; see repair_manifest.c. */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_MANIFEST_H
#define KVFS_ENGINE_REPAIR_REPAIR_MANIFEST_H

#include "engine/env/store_files.h"
#include "engine/tree/version.h"

struct repair;

struct repair_manifest {
	bool is_whole; /* all of it was readable */
	struct version *version; /* from the part that was readable */
	uint64_t log_number, last_seq, next_file;
	struct number_list removed; /* obsolete tables, as it says */
};

/* Read the newest manifest. Damage is reported and is not an error. */
int repair_read_manifest(struct repair *r);
/* Whether all files that it names exist; then no other file belongs to the
 * store. */
bool repair_is_complete(struct repair *r);

#endif
