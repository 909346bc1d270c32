/* SPDX-License-Identifier: ISC */
/* Which tables of a damaged store count; see repair_tables.c. */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_TABLES_H
#define KVFS_ENGINE_REPAIR_REPAIR_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "kvfs/slice.h"

struct repair;

/* One table: [smallest, limit) in user keys. */
struct repair_table {
	uint64_t number;
	struct slice smallest, limit; /* owned */
	int run; /* tables of a run do not overlap */
	bool is_guess; /* it may have held keys beyond both */
};

struct repair_tables {
	struct repair_table *v; /* by smallest key */
	size_t count, cap;
	int runs;
};

/* Sources of all tables that count. */
int repair_gather_tables(struct repair *r);

#endif
