/* SPDX-License-Identifier: ISC */
/* What the logs of a damaged store still give; see repair_logs.c. */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_LOGS_H
#define KVFS_ENGINE_REPAIR_REPAIR_LOGS_H

#include <stdbool.h>
#include <stdint.h>

struct memtable;
struct repair;

struct repair_logs {
	struct memtable *mem; /* commits that are no source yet */
	uint64_t next_spill;
	const char *path; /* being read */
	uint64_t next_seq; /* expected next; 0: nothing is known */
	uint64_t limit_seq; /* from here on the log is void */
	uint64_t durable_seq;
	bool gap_told; /* damage that explains missing numbers */
	int error;
};

/* Sources of all commits in logs. */
int repair_gather_logs(struct repair *r);

#endif
