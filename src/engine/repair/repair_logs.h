/* SPDX-License-Identifier: ISC */
/* Reads the commits in the logs of a damaged store; see repair_logs.c. */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_LOGS_H
#define KVFS_ENGINE_REPAIR_REPAIR_LOGS_H

#include <stdbool.h>
#include <stdint.h>

struct memtable;
struct repair;

struct repair_logs {
	struct memtable *mem; /* commits that are not yet a source */
	uint64_t next_spill;
	const char *path; /* the log that is being read */
	uint64_t next_seq; /* the next commit's number; 0: unknown */
	uint64_t limit_seq; /* from here on the log is invalid */
	uint64_t durable_seq;
	bool is_gap_reported; /* reported damage explains the missing numbers */
	int error;
};

/* Add all commits in the logs to the sources. */
int repair_gather_logs(struct repair *r);

#endif
