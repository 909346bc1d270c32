/* SPDX-License-Identifier: ISC */
/* For tests of trees whose tables have no files. */
#ifndef KVFS_SUPPORT_TABLES_H
#define KVFS_SUPPORT_TABLES_H

#include "engine/tree/version.h"

/* A table_file_drop_fn: there is nothing but memory to free. */
static inline void
drop_table(void *arg, struct table_file *f)
{
	(void)arg;
	table_file_free(f);
}

#endif
