/* SPDX-License-Identifier: ISC */
/* Finds the tables that belong to a damaged store; see repair_tables.c. */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_TABLES_H
#define KVFS_ENGINE_REPAIR_REPAIR_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "kvfs/slice.h"

struct repair;

/* A table that covers the user keys [smallest, limit). */
struct repair_table {
	uint64_t number;
	struct slice smallest, limit; /* owned */
	int run; /* tables of a run do not overlap */
	bool is_guess; /* keys beyond the two bounds may be lost */
};

struct repair_tables {
	struct repair_table *v; /* sorted by smallest key */
	size_t count, cap;
	int runs;
};

/* Add all tables that belong to the store to the sources. */
int repair_gather_tables(struct repair *r);

#endif
