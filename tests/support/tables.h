/* SPDX-License-Identifier: ISC */
/* For tests of trees with tables that have no files. */
#ifndef KVFS_SUPPORT_TABLES_H
#define KVFS_SUPPORT_TABLES_H

#include "engine/tree/version.h"

/* A table_file_drop_fn that frees memory only. */
static inline void
drop_table(void *arg, struct table_file *f)
{
	(void)arg;
	table_file_free(f);
}

#endif
